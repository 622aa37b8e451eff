"""State of charge of each cell group, with how sure it is."""
