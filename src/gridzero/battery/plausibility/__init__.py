"""Which readings are believed: modules in parallel check each other."""
