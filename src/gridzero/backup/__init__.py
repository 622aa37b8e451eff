"""``gridzero backup`` and ``restore``: configuration, state and history in one file."""
