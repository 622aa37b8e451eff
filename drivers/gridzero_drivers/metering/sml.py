"""SML, the binary language of German electricity meters, as far as a power is wanted.

Source: BSI TR-03109-1 Anlage IV, "Feinspezifikation Drahtgebundene LMN-Schnittstelle, Teil B: SML -
Smart Message Language", version 1.0: 5 (messages), 6.3 (binary encoding), 8 (transport, version 1).
A transport frame is 1b1b1b1b 01010101, messages, fill bytes, 1b1b1b1b 1a, number of fill bytes,
CRC 16 of all before (X.25, low byte first); 1b1b1b1b inside is doubled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

MAX_FRAME: Final = 16 * 1024
"""Bytes. A meter's list has 200 to 1,000."""

_ESCAPE = b"\x1b\x1b\x1b\x1b"
_BEGIN = _ESCAPE + b"\x01\x01\x01\x01"
_END = _ESCAPE + b"\x1a"
_DEEPEST = 8  # a meter's list uses four levels
_GET_LIST = 0x0701
_LIST, _SIGNED, _UNSIGNED, _BOOLEAN, _OCTETS = 0x70, 0x50, 0x60, 0x40, 0x00
_MORE = 0x80  # a length goes on in the next byte
_END_OF_MESSAGE = b"\x00"
_OBIS_LENGTH = 6
_WIDEST = 8  # bytes of a number
_SCALERS = range(-12, 13)  # powers of ten
_WATT = 27  # DLMS unit code


class SmlError(ValueError):
    """These bytes are no whole SML frame."""


class _Read(NamedTuple):
    value: Any
    end: int


def registers(data: bytes) -> dict[str, Any]:
    """The list of a meter: OBIS code such as ``1-0:16.7.0*255`` -> number in its own unit.

    ``time`` is the meter's second counter where it has one. Raises SmlError.
    """
    body = unframed(data)
    found: dict[str, Any] = {}
    for message in _messages(body):
        found |= _of_list(message)
    if not found:
        raise SmlError("no list of values in it")
    return found


def unframed(data: bytes) -> bytes:
    """The messages of the first whole frame in data. Raises SmlError."""
    begin = data.find(_BEGIN)
    end = _end_of(data, begin)
    if begin < 0 or end < 0 or not begin + len(_BEGIN) <= end <= begin + MAX_FRAME:
        raise SmlError("no frame in it")
    fill = data[end + 5]
    if crc16(data[begin : end + 6]).to_bytes(2, "little") != data[end + 6 : end + 8]:
        raise SmlError("the checksum is wrong")
    if fill > min(3, end - begin - len(_BEGIN)):
        raise SmlError("more fill bytes than there may be")
    return data[begin + len(_BEGIN) : end - fill].replace(_ESCAPE * 2, _ESCAPE)


def framed(body: bytes) -> bytes:
    """The transport frame around messages: what a meter sends."""
    fill = -len(body) % 4
    escaped = body.replace(_ESCAPE, _ESCAPE * 2)
    frame = _BEGIN + escaped + bytes(fill) + _END + bytes((fill,))
    return frame + crc16(frame).to_bytes(2, "little")


def crc16(data: bytes) -> int:
    """CRC 16 of X.25: polynomial 0x1021 reflected, starts with and is inverted by 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0x8408 if byte & 1 else 0)
    return byte


_CRC: Final = tuple(_crc_of(byte) for byte in range(256))


def _end_of(data: bytes, begin: int) -> int:
    """Where the end mark of the frame stands that begins there; -1 = it is not whole."""
    at = begin + len(_BEGIN)
    while begin >= 0 and (at := data.find(_ESCAPE, at)) >= 0:
        if data.startswith(_END, at):
            return at if at + 8 <= len(data) else -1
        at += 2 * len(_ESCAPE)  # an escape in the data, and what it escapes
    return -1


def _messages(body: bytes) -> Iterator[list[Any]]:
    at = 0
    while at < len(body):
        if body[at] == 0:  # fill between messages
            at += 1
            continue
        message, at = _value(body, at, 0)
        if isinstance(message, list):
            yield message


def _of_list(message: list[Any]) -> dict[str, Any]:
    """The values in a message, if it is a list of values."""
    match message:
        case [_, _, _, [int(kind), [_, _, _, time, [*entries], *_]], *_] if kind == _GET_LIST:
            found = dict(filter(None, map(_entry, entries)))
            return found | _time(time)
    return {}


def _time(time: Any) -> dict[str, Any]:
    match time:
        case [int(), int(seconds)]:
            return {"time": seconds}
    return {}


def _entry(entry: Any) -> tuple[str, float] | None:
    match entry:
        case [bytes(name), _, _, _, scaler, int(raw), *_] if len(name) == _OBIS_LENGTH:
            power_of_ten = scaler if isinstance(scaler, int) else 0
            if power_of_ten in _SCALERS and not isinstance(raw, bool):
                return obis(name), _scaled(raw, power_of_ten)
    return None


def _scaled(raw: int, power_of_ten: int) -> float:
    # dividing by a whole number keeps -4567 with scaler -1 at -456.7
    return raw * 10.0**power_of_ten if power_of_ten >= 0 else raw / 10.0**-power_of_ten


def obis(name: bytes) -> str:
    """Six bytes as people write them: ``1-0:16.7.0*255``."""
    a, b, c, d, e, f = name
    return f"{a}-{b}:{c}.{d}.{e}*{f}"


def _value(data: bytes, at: int, depth: int) -> _Read:
    """One value and where the next begins. Raises SmlError."""
    if depth > _DEEPEST:
        raise SmlError("nested too deep")
    kind, length, begin = _head(data, at)
    if kind == _LIST:
        return _list(data, begin, length, depth)
    end = at + max(length, 1)
    if end > len(data) or end < begin:
        raise SmlError("cut off")
    return _Read(_scalar(kind, data[begin:end]), end)


def _list(data: bytes, at: int, length: int, depth: int) -> _Read:
    if length > len(data) - at:  # each item takes a byte at least
        raise SmlError("a list longer than the frame")
    items = []
    for _ in range(length):
        value, at = _value(data, at, depth + 1)
        items.append(value)
    return _Read(items, at)


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Kind, length (of the whole value, or of items in a list) and where the content begins."""
    kind, length, more = 0, 0, True
    for count in range(4):
        if at >= len(data):
            raise SmlError("cut off")
        byte = data[at]
        if count == 0:
            kind = byte & 0x70
        length = length << 4 | byte & 0x0F
        more = bool(byte & _MORE)
        at += 1
        if not more:
            return kind, length, at
    raise SmlError("a length without end")


def _scalar(kind: int, raw: bytes) -> Any:
    if kind == _OCTETS:
        return raw or None  # 01 is a value that is not there
    if kind in (_SIGNED, _UNSIGNED) and 1 <= len(raw) <= _WIDEST:
        return int.from_bytes(raw, "big", signed=kind == _SIGNED)
    if kind == _BOOLEAN and len(raw) == 1:
        return raw != b"\x00"
    raise SmlError("a kind of value that does not exist")


def list_of(values: Mapping[str, int], scaler: int = -1, seconds: int = 0) -> bytes:
    """A meter's frame with these values in steps of 10 ** scaler: the inverse of registers()."""
    entries = b"".join(_written_entry(code, raw, scaler) for code, raw in values.items())
    time = b"\x72\x62\x01\x65" + (seconds & 0xFFFFFFFF).to_bytes(4, "big")
    body = b"\x77\x01\x05grid\x01" + time + _list_head(len(values)) + entries + b"\x01\x01"
    message = b"\x76\x05\x00\x00\x00\x01\x62\x00\x62\x00\x72\x63\x07\x01" + body
    # its own checksum covers the message without the checksum and the end mark
    return framed(message + b"\x63" + crc16(message).to_bytes(2, "little") + _END_OF_MESSAGE)


def _list_head(length: int) -> bytes:
    if length < 16:
        return bytes((_LIST | length,))
    return bytes((_MORE | _LIST | length >> 4, length & 0x0F))


def _written_entry(code: str, raw: int, scaler: int) -> bytes:
    for mark in "-:*":
        code = code.replace(mark, ".")
    name = b"\x07" + bytes(map(int, code.split(".")))
    unit = b"\x62" + bytes((_WATT,))
    step = b"\x52" + scaler.to_bytes(1, "big", signed=True)
    value = b"\x59" + raw.to_bytes(8, "big", signed=True)
    return b"\x77" + name + b"\x01\x01" + unit + step + value + b"\x01"
