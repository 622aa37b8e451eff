"""Kinds of cells as data: voltage at rest, resistance, time constant, each with its source."""
