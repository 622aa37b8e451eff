"""What the core costs and how quick it is, measured; not a test."""
