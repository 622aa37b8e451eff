"""Temperature and balancing frames of battery modules (vw-gte protocol notes, 2.2 to 2.5).

Pure: no I/O, no clock. Every 8 bytes can be decoded, nothing raises.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, NamedTuple

from gridzero.domain.readings import Temperature


class SensorState(StrEnum):
    """What a temperature byte says."""

    OK = "ok"
    OUT_OF_RANGE = "out_of_range"
    NOT_AVAILABLE = "not_available"


class Sensor(NamedTuple):
    """One temperature sensor. temp: degrees Celsius, None unless the state is OK."""

    raw: int
    state: SensorState
    temp: Temperature | None


def sensor_table(
    *, low_offset_c: float, high_offset_c: float, first_out_of_range: int = 0xFD
) -> tuple[Sensor, ...]:
    """The meaning of each of the 256 raw values at half a degree per bit (section 2.2).

    low_offset_c, high_offset_c: what is taken off for the cold and for the hot bound.
    """

    def sensor(raw: int) -> Sensor:
        if raw >= 0xFD:
            return Sensor(raw, SensorState.NOT_AVAILABLE, None)
        if raw >= first_out_of_range:
            return Sensor(raw, SensorState.OUT_OF_RANGE, None)
        bounds = Temperature(raw * 0.5 - low_offset_c, raw * 0.5 - high_offset_c)
        return Sensor(raw, SensorState.OK, bounds)

    return tuple(sensor(raw) for raw in range(256))


GTE_SENSORS: Final = sensor_table(low_offset_c=43, high_offset_c=40, first_out_of_range=0xDF)
"""Sources disagree on the offset: the cold bound takes off 43, the hot bound 40."""
_SENSORS_40: Final = sensor_table(low_offset_c=40, high_offset_c=40)

Layout = Literal["gte", "13s", "meb", "meb_balance"]


class Status(NamedTuple):
    """Temperatures and balancing of one module.

    bleeding: bit i = cell i+1 is being bled; None when the layout does not tell.
    """

    layout: Layout
    sensors: tuple[Sensor, ...]
    bleeding: int | None


def decode_gte(data: bytes, sensors: tuple[Sensor, ...] = GTE_SENSORS) -> Status:
    """Status at ids 0x1A555401 to 408 (section 2.2); byte 7 may mark the layout of 13S."""
    if data[7] == 0xFD:
        return _decode_13s(data)
    bleeding = data[2] | (data[3] & 0x0F) << 8
    return Status("gte", (sensors[data[0]], sensors[data[4]], sensors[data[5]]), bleeding)


def decode_13s(data: bytes) -> Status | None:
    """Status at even ids 0x1A555420 to 42E (section 2.3); None when not marked as 13S.

    Packs behind a CAN bridge use the same ids for something else.
    """
    return _decode_13s(data) if data[7] == 0xFD else None


def _decode_13s(data: bytes) -> Status:
    return Status("13s", (_SENSORS_40[data[2]],), None)


def decode_meb(data: bytes) -> Status:
    """Temperature at ids 0x1A5555F0 to 5FE (section 2.4); byte 5 = 0xDF: initialising."""
    raw = data[4] >> 4 | (data[5] & 0x0F) << 4
    sensor = _SENSORS_40[raw]
    if data[5] == 0xDF:
        sensor = Sensor(raw, SensorState.NOT_AVAILABLE, None)
    return Status("meb", (sensor,), None)


def decode_meb_balance(data: bytes) -> Status:
    """Balancing at ids 0x16A95470 to 47F (section 2.5): of low confidence, for display only."""
    return Status("meb_balance", (), int.from_bytes(data, "little") >> 12 & 0xFFFFF)


def encode_gte(temp_c: float | None, bleeding: int = 0) -> bytes:
    """The module's side of decode_gte with one sensor, at the offset of the published DBC."""
    mask = bleeding & 0xFFF
    return bytes((_raw_40(temp_c), 0, mask & 0xFF, mask >> 8, 0xFE, 0xFE, 0xFE, 0))


def encode_13s(temp_c: float | None) -> bytes:
    """The module's side of decode_13s."""
    return bytes((0, 0, _raw_40(temp_c), 0, 0, 0, 0, 0xFD))


def encode_meb(temp_c: float | None) -> bytes:
    """The module's side of decode_meb."""
    return (_raw_40(temp_c) << 36).to_bytes(8, "little")


def encode_meb_balance(bleeding: int) -> bytes:
    """The module's side of decode_meb_balance."""
    return ((bleeding & 0xFFFFF) << 12).to_bytes(8, "little")


def _raw_40(temp_c: float | None) -> int:
    return 0xFE if temp_c is None else min(max(round((temp_c + 40) * 2), 0), 0xFC)
