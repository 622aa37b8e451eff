"""``gridzero meter``: which meters are known by name, and what a live one really says."""
