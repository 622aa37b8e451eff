"""``gridzero commission``: the list for whoever wires a house, against one that runs."""
