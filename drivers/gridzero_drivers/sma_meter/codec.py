r"""The datagram of SMA Energy Meter and Sunny Home Manager 2.0.

Source: SMA, "SMA Energy Meter: Meter protocol", EMETER-Protokoll-TI-en-10, version 1.0, and the
description of the Speedwire packet in the README of RalfOGit/libspeedwire. Big endian:

    "SMA\0" | 00 04 02 a0 | group 00 00 00 01 | length 00 10 | 60 69 | SUSy-ID, serial, ms ticker
    then values: channel, index, kind, tariff; kind 4 = actual, 4 bytes; kind 8 = counter, 8 bytes
    0:1.4.0 power from the grid and 0:2.4.0 power into the grid, both in 0.1 W
    0:1.8.0 and 0:2.8.0 the same counted, in Ws
    144:0.0.0 software version, 4 bytes | 00 00 00 00 end

The length counts from the protocol id on. Protocol ids besides 60 69 share the group.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

PORT: Final = 9522
GROUP: Final = "239.12.255.254"

_HEAD = struct.Struct(">4sHHIHHHHII")
_SIGNATURE = b"SMA\0"
_TAG_LENGTH, _TAG, _GROUP_1, _DATA_2, _METER = 4, 0x02A0, 1, 0x0010, 0x6069
_BEFORE_LENGTH = 16  # bytes before what the length counts
_IMPORT, _EXPORT = (0, 1, 4, 0), (0, 2, 4, 0)
_IMPORTED, _EXPORTED = (0, 1, 8, 0), (0, 2, 8, 0)
_WIDTHS = {4: 4, 8: 8, 0: 4}
_W_PER_STEP = 0.1


class NotOurs(StrEnum):
    """Why a datagram is no reading."""

    OTHER_PROTOCOL = "other_protocol"
    CUT_OFF = "cut_off"
    NO_POWER = "no_power"


class Datagram(NamedTuple):
    """What one meter says. ticker_ms: its running clock, 32 bits. Powers >= 0, W.

    import_ws, export_ws: its counters, Ws; None = not said.
    """

    susy_id: int
    serial: int
    ticker_ms: int
    import_w: float
    export_w: float
    import_ws: int | None = None
    export_ws: int | None = None

    @property
    def grid_w(self) -> float:
        """> 0 import."""
        return self.import_w - self.export_w


def decode(data: bytes) -> Datagram | NotOurs:
    """Read one datagram. Never raises."""
    if len(data) < _HEAD.size:
        return NotOurs.OTHER_PROTOCOL
    signature, tag_length, tag, group, length, kind, protocol, susy_id, serial, ticker = (
        _HEAD.unpack_from(data)
    )
    said = (signature, tag_length, tag, group, kind, protocol)
    if said != (_SIGNATURE, _TAG_LENGTH, _TAG, _GROUP_1, _DATA_2, _METER):
        return NotOurs.OTHER_PROTOCOL
    end = _BEFORE_LENGTH + length
    if not _HEAD.size <= end <= len(data):
        return NotOurs.CUT_OFF
    values = dict(_values(data, end))
    if _IMPORT not in values or _EXPORT not in values:
        return NotOurs.NO_POWER
    return Datagram(
        susy_id,
        serial,
        ticker,
        round(values[_IMPORT] * _W_PER_STEP, 1),
        round(values[_EXPORT] * _W_PER_STEP, 1),
        values.get(_IMPORTED),
        values.get(_EXPORTED),
    )


def _values(data: bytes, end: int) -> Iterator[tuple[tuple[int, int, int, int], int]]:
    """Each value with its code, as far as the datagram can be followed."""
    at = _HEAD.size
    while at + 4 <= end:
        channel, index, kind, tariff = data[at : at + 4]
        width = _WIDTHS.get(kind)
        if width is None or at + 4 + width > end:
            return
        yield (channel, index, kind, tariff), int.from_bytes(data[at + 4 : at + 4 + width], "big")
        at += 4 + width


def encode(datagram: Datagram) -> bytes:
    """The bytes that a meter sends: powers, counters, version and end."""
    values = b"".join(
        bytes((0, index, 4, 0))
        + round(power_w / _W_PER_STEP).to_bytes(4, "big")
        + (b"" if ws is None else bytes((0, index, 8, 0)) + ws.to_bytes(8, "big"))
        for index, power_w, ws in (
            (1, datagram.import_w, datagram.import_ws),
            (2, datagram.export_w, datagram.export_ws),
        )
    )
    values += bytes((0x90, 0, 0, 0, 2, 0, 0, 0x52))
    length = _HEAD.size - _BEFORE_LENGTH + len(values)
    ticker = datagram.ticker_ms & 0xFFFFFFFF
    head = (_SIGNATURE, _TAG_LENGTH, _TAG, _GROUP_1, length, _DATA_2, _METER)
    return _HEAD.pack(*head, datagram.susy_id, datagram.serial, ticker) + values + bytes(4)
