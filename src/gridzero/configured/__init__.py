"""Which configuration runs: checked wholly, chosen at the start, read again, and what it means."""
