"""Measurements of what is said about the battery."""
