"""How the battery ages: capacity, resistance, self-discharge, imbalance, and what to do."""
