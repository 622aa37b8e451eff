"""What the drivers of grid meters share: reading payloads, ages, sums, and profiles by name."""
