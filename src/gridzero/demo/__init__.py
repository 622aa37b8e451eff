"""The main job against a simulated house: in real time over real links, or in simulated time."""
