"""Bytes of the RS485 port (4800 baud 8N1): demand, status query, status reply, and the policy.

Source: soyosource protocol notes, sections 1.4 to 1.6 and 2.1 to 2.4, which re-derive the frames
from syssi/esphome-soyosource-gtn-virtual-meter (components/soyosource_modbus and captures in docs)
and from secondlifestorage.com thread 7631.
"""

from __future__ import annotations

import struct
from enum import IntEnum, StrEnum
from math import floor, isfinite
from typing import Final, NamedTuple, Self

from gridzero.errors import FrameError

DEMAND_HEAD: Final = bytes.fromhex("24 56 00 21")
DEMAND_BYTES: Final = 8
QUERY: Final = bytes.fromhex("24 00 00 00 00 00 00 00")
STATUS_HEAD: Final = bytes.fromhex("23 01 01 00")
STATUS_BYTES: Final = 15

_HIGHEST_DEMAND_W = 0xFFFF
_DEMAND_TAIL = 0x80
_STATUS = struct.Struct(">4xBHHHBH")  # code, 0.1 V, 0.1 A, V, 0.5 Hz, 0.1 degrees + 300


class Refusal(StrEnum):
    """Why bytes are not taken for a frame."""

    LENGTH = "length"
    HEADER = "header"
    CHECKSUM = "checksum"
    IMPLAUSIBLE = "implausible"
    EMPTY = "empty"


class OperationStatus(IntEnum):
    """Byte 4 of the reply. Anything but NORMAL means that no power is delivered."""

    NORMAL = 0
    STARTUP = 1
    STANDBY = 2
    STARTUP_ABORTED = 3
    ERROR_OR_BATTERY_MODE = 4


_STATUS_NAMES: Final = {int(code): code.name.lower() for code in OperationStatus}


def status_name(code: int) -> str:
    """Identifier of an operation status; ``unknown`` for codes nobody has explained."""
    return _STATUS_NAMES.get(code, "unknown")


def family_checksum(data: bytes) -> int:
    """What the last byte must be: 0xFF minus the sum of all bytes between first and last.

    Holds for the demand frame and for every frame of the display port (sections 1.4 and 2.6).
    """
    return (0xFF - sum(data[1:-1])) & 0xFF


class Demand(NamedTuple):
    """What each unit on the wire is asked to deliver. power_w: 0..65535, whole watts AC."""

    power_w: int

    def to_bytes(self) -> bytes:
        """The eight bytes. Raises FrameError when the power does not fit the field."""
        if not 0 <= self.power_w <= _HIGHEST_DEMAND_W:
            raise FrameError(f"a demand of {self.power_w} W does not fit 0..65535")
        high, low = divmod(self.power_w, 256)
        # the four constants sum to 0xF7, and 0xFF - 0xF7 is 8
        return DEMAND_HEAD + bytes((high, low, _DEMAND_TAIL, (8 - high - low) & 0xFF))


class Query(NamedTuple):
    """The host asks for a status reply. Its last byte is 0, outside the checksum rule."""

    def to_bytes(self) -> bytes:
        """The eight bytes."""
        return QUERY


def parse_demand(data: bytes, *, strict: bool = True) -> Demand | Refusal:
    """Decode a demand frame; strict=False lets a wrong checksum pass (for a lenient twin)."""
    if len(data) != DEMAND_BYTES:
        return Refusal.LENGTH
    if not data.startswith(DEMAND_HEAD) or data[6] != _DEMAND_TAIL:
        return Refusal.HEADER
    if strict and data[7] != family_checksum(data):
        return Refusal.CHECKSUM
    return Demand(data[4] << 8 | data[5])


def parse_query(data: bytes) -> Query | Refusal:
    """Decode a status query."""
    if len(data) != len(QUERY):
        return Refusal.LENGTH
    return Query() if data == QUERY else Refusal.HEADER


class Status(NamedTuple):
    """The inverter's reply. It holds no output power; that can only be estimated.

    code: see OperationStatus. battery_v: 0.1 V steps. battery_a: out of the battery, 0.1 A steps.
    grid_hz: 0.5 Hz steps, 0 without mains. temp_c: of the heat sink, 0.1 degree steps.
    """

    code: int
    battery_v: float
    battery_a: float
    grid_v: int
    grid_hz: float
    temp_c: float

    @property
    def battery_w(self) -> float:
        """DC power, W."""
        return self.battery_v * self.battery_a

    def to_bytes(self) -> bytes:
        """The fifteen bytes, for the twin. Raises FrameError when a field does not fit."""
        try:
            body = STATUS_HEAD + struct.pack(
                ">BHHHBH",
                self.code,
                round(self.battery_v * 10),
                round(self.battery_a * 10),
                self.grid_v,
                round(self.grid_hz * 2),
                round(self.temp_c * 10) + 300,
            )
        except struct.error as error:
            raise FrameError(f"a status value does not fit its field ({error})") from error
        return body + bytes((status_checksum(body),))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode a whole frame without judging it. Raises FrameError unless 15 bytes long."""
        if len(data) != STATUS_BYTES:
            raise FrameError(f"a status reply has {STATUS_BYTES} bytes, not {len(data)}")
        code, deci_v, deci_a, grid_v, half_hz, deci_c = _STATUS.unpack_from(data)
        return cls(code, deci_v / 10, deci_a / 10, grid_v, half_hz / 2, (deci_c - 300) / 10)


def status_checksum(data: bytes, *, split: int = 7) -> int:
    """Checksum of a reply: 0xFF minus (sum of the first part OR sum of the second part).

    split: index of the first byte of the second part. Captures fit 7; 8 would fit them as well,
    because byte 7 was 0 in all of them (section 2.4).
    """
    return 0xFF - ((sum(data[1:split]) | sum(data[split:14])) & 0xFF)


def parse_status(data: bytes) -> Status | Refusal:
    """Decode a reply that has the right header, one of the two checksums, and plausible values.

    The checksum is blind to swapped bytes within a part, hence the look at the values.
    """
    if len(data) != STATUS_BYTES:
        return Refusal.LENGTH
    if not data.startswith(STATUS_HEAD):
        return Refusal.HEADER
    if data[14] != status_checksum(data) and data[14] != status_checksum(data, split=8):
        return Refusal.CHECKSUM
    status = Status.from_bytes(data)
    return Refusal.IMPLAUSIBLE if implausible_fields(status) else status


def implausible_fields(status: Status) -> tuple[str, ...]:
    """Names of the values that no working unit can report (gates of section 2.4)."""
    gates = (
        ("battery_voltage", status.battery_v <= 150),
        ("battery_current", status.battery_a <= 100),
        ("battery_power", status.battery_w <= 2500),
        ("grid_voltage", status.grid_v <= 300),
        ("grid_frequency", status.grid_hz == 0 or 45 <= status.grid_hz <= 65),
        ("temperature", -40 <= status.temp_c <= 120),
    )
    return tuple(name for name, holds in gates if not holds)


def demand_per_unit_w(
    request_w: float | None, *, units: int, min_per_unit_w: int, max_per_unit_w: int
) -> int:
    """Whole watts that each of several equal units is asked for (policy of section 1.6).

    request_w: total, W AC; None, NaN and infinities count as "not known" and give 0. Rounding is
    always downwards, so the units together never get more than the request. Powers below
    min_per_unit_w become 0.
    """
    if request_w is None or not isfinite(request_w):
        return 0
    per_unit_w = min(max(floor(request_w), 0) // units, max_per_unit_w)
    return per_unit_w if per_unit_w >= min_per_unit_w else 0
