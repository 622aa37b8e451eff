"""Keeps a site running, and ends it safely."""
