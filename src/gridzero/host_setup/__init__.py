"""``gridzero setup``: the files of the machine that a configuration needs."""
