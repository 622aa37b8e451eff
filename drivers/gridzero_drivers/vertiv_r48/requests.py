"""What a controller sends to R48 rectifiers; pure.

Set-points as in PurpleAlien/R48_Rectifier and R48.c (endless-sphere thread 114785), the control
byte as in anikrooz/Emerson-Vertiv-R48. Limits are only ever rounded down; NaN is refused.
"""

from __future__ import annotations

import math
import struct

from gridzero.ports.links import CanFrame
from gridzero_drivers.vertiv_r48.codec import NO_ERROR, Parameter
from gridzero_drivers.vertiv_r48.ids import IDENTIFY_ID, request_id

MIN_V, MAX_V = 41.0, 58.5
MAX_FRACTION = 1.21

_FLOAT = struct.Struct(">BBHf")
_WORD = struct.Struct(">BBHI")
_READ_GROUP, _READ, _WRITE, _READ_INFO = 0x00, 0x01, 0x03, 0x20
_ALL = 0x80


def max_amps(rated_w: float) -> float:
    """Data-sheet current, A: rated power at 48 V, which the unit calls 121 %."""
    return rated_w / 48.0


def fraction_of(amps: float, rated_w: float) -> float:
    """Current limit as the unit's fraction: 1.21 is the data-sheet current."""
    return MAX_FRACTION * amps / max_amps(rated_w)


def amps_of(fraction: float, rated_w: float) -> float:
    """The unit's fraction as amperes."""
    return fraction * max_amps(rated_w) / MAX_FRACTION


def online_volts(can_id: int, volts: float) -> CanFrame:
    """Write 0x21: output voltage until about 30 s after the last repeat.

    Above 58.5 V is sent as 58.5. Raises ValueError below 41 V and for NaN or infinity.
    """
    return write(can_id, Parameter.ONLINE_V, _voltage(volts))


def online_limit(can_id: int, fraction: float) -> CanFrame:
    """Write 0x22: current limit, 1.21 = data-sheet current, volatile like the voltage.

    Above 1.21 is sent as 1.21. Raises ValueError below 0 and for NaN or infinity.
    """
    return write(can_id, Parameter.ONLINE_LIMIT, _fraction(fraction))


def ac_limit(can_id: int, amps: float) -> CanFrame:
    """Write 0x1A: AC input current limit, A, 0 to 30. Raises ValueError outside and for NaN."""
    return write(can_id, Parameter.AC_LIMIT, within("AC input limit", amps, 0.0, 30.0, "A"))


def control(
    module: int,
    *,
    ac_off: bool = False,
    dc_off: bool = False,
    fan_full: bool = False,
    led_flash: bool = False,
) -> CanFrame:
    """The control byte; it lapses to "all on" about 40 s after the last repeat.

    The frame is a read-all request at the same time. Bit meanings were seen on hardware in issue 1
    of bulldog5046/EcoFlow-CanBus-Reverse-Engineering.
    """
    byte = 1 | ac_off << 2 | led_flash << 3 | fan_full << 4 | dc_off << 7
    data = bytes((_READ_GROUP, NO_ERROR, byte, _ALL, 0, 0, 0, 0))
    return CanFrame(request_id(module), data, is_extended=True)


def read(can_id: int, parameter: int) -> CanFrame:
    """Ask for one value. Modules do not answer this as a broadcast."""
    return CanFrame(can_id, _WORD.pack(_READ, NO_ERROR, parameter, 0), is_extended=True)


def read_group(can_id: int, group: int = _ALL, filler: bytes = bytes(4)) -> CanFrame:
    """Ask for a burst of values: group 0x80 all, 0x01 the physical ones. Switches nothing."""
    if len(filler) != 4 or not 0 <= group <= 0xFF:
        raise ValueError("a group is one byte, its filler four")
    return CanFrame(can_id, bytes((_READ_GROUP, NO_ERROR, 0, group)) + filler, is_extended=True)


def read_info(can_id: int) -> CanFrame:
    """Ask for the information block (identity, versions; contents not understood)."""
    return CanFrame(can_id, _WORD.pack(_READ_INFO, NO_ERROR, _ALL, 0), is_extended=True)


def identify_start() -> CanFrame:
    """Makes modules negotiate their addresses anew. The driver never sends it."""
    return CanFrame(IDENTIFY_ID, bytes.fromhex("04F0015A00000000"), is_extended=True)


def write(can_id: int, parameter: int, value: float) -> CanFrame:
    """A write of one number."""
    return CanFrame(can_id, _FLOAT.pack(_WRITE, NO_ERROR, parameter, value), is_extended=True)


def _voltage(volts: float) -> float:
    return within(
        "voltage", min(volts, MAX_V) if math.isfinite(volts) else volts, MIN_V, MAX_V, "V"
    )


def _fraction(fraction: float) -> float:
    cut = min(fraction, MAX_FRACTION) if math.isfinite(fraction) else fraction
    return within("current fraction", cut, 0.0, MAX_FRACTION, "")


def number_in(data: bytes) -> float | None:
    """The number in bytes 4 to 7 of a write, for twins; None when it is not finite."""
    value: float = _FLOAT.unpack(data)[3]
    return value if math.isfinite(value) else None


def within(what: str, value: float, low: float, high: float, unit: str) -> float:
    """The value itself. Raises ValueError unless low <= value <= high, so NaN refuses."""
    if not low <= value <= high:
        raise ValueError(f"{what} {value} {unit} is not within {low:g} to {high:g} {unit}".strip())
    return value
