"""gridzero: one asyncio process that holds a house's grid power at zero."""

__version__ = "0.1.0"
