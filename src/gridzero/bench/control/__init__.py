"""Zero-grid control laws side by side: plants x traces x laws, with the same noise for each law."""
