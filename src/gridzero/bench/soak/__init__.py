"""``gridzero bench soak``: a month of a house in which something breaks every few hours."""
