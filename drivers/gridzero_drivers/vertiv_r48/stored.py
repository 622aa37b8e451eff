"""Writes that the rectifier stores, or may store, in memory that wears out; pure.

Only commissioning uses them. The control path must not: a value rewritten in a loop wears the
memory out within days.
"""

from __future__ import annotations

import struct

from gridzero.ports.links import CanFrame
from gridzero_drivers.vertiv_r48.codec import NO_ERROR, Parameter
from gridzero_drivers.vertiv_r48.requests import MAX_FRACTION, MAX_V, MIN_V, within, write

_SWITCH = struct.Struct(">BBHHH")
_WRITE = 0x03


def stored_volts(can_id: int, volts: float) -> CanFrame:
    """Write 0x24: the voltage used in silence and after power-up; wears the unit's memory.

    Raises ValueError outside 41 to 58.5 V: a stored value is never rounded silently.
    """
    return write(can_id, Parameter.OFFLINE_V, within("voltage", volts, MIN_V, MAX_V, "V"))


def stored_limit(can_id: int, fraction: float) -> CanFrame:
    """Write 0x19: the current limit used in silence and after power-up; wears the memory.

    Raises ValueError outside 0 to 1.21.
    """
    limit = within("current fraction", fraction, 0.0, MAX_FRACTION, "")
    return write(can_id, Parameter.OFFLINE_LIMIT, limit)


def walk_in_time(can_id: int, seconds: float) -> CanFrame:
    """Write 0x29: soft-start time, s, 0 to 200, probably stored. Raises ValueError outside."""
    return write(can_id, Parameter.WALK_IN_S, within("walk-in", seconds, 0.0, 200.0, "s"))


def switch(can_id: int, parameter: int, *, on: bool) -> CanFrame:
    """Write a two-state value: a 16-bit 1 or 0 in bytes 4 and 5."""
    return CanFrame(can_id, _SWITCH.pack(_WRITE, NO_ERROR, parameter, on, 0), is_extended=True)
