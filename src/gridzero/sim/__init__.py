"""A simulated house in which every device speaks its real bytes."""
