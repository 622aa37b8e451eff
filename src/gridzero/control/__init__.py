"""Decide, then guard. Pure: no I/O, no clock, no asyncio; runs at any speed."""
