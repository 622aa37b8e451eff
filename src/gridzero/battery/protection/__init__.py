"""Protections of the battery as data, and the small engine that runs them."""
