"""Every figure that has a goal, from one run: ``gridzero bench control --goals``."""
