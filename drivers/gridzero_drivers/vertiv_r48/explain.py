"""Frames of R48 rectifiers in words, for a person who watches the bus; pure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import isfinite
from typing import Any, Final

from gridzero.errors import FrameError
from gridzero.ports.links import CanFrame
from gridzero_drivers.vertiv_r48.codec import (
    NO_ERROR,
    Ack,
    Broadcast,
    Message,
    Parameter,
    Refusal,
    Status,
    Value,
    decode,
    error_text,
)
from gridzero_drivers.vertiv_r48.ids import (
    CONTROL_PROTOCOL,
    CONTROLLER,
    EVERYBODY,
    IDENTIFY_ID,
    unpack_id,
)
from gridzero_drivers.vertiv_r48.status import status_flags

_NAMES: Final[dict[int, tuple[str, str]]] = {
    Parameter.OUTPUT_V: ("output voltage", "V"),
    Parameter.OUTPUT_A: ("output current", "A"),
    Parameter.LIMIT: ("current limit", "%"),
    Parameter.TEMPERATURE: ("temperature", "C"),
    Parameter.AC_V: ("AC input", "V"),
    Parameter.ONLINE_V: ("voltage", "V"),
    Parameter.ONLINE_LIMIT: ("current limit", "%"),
    Parameter.AC_LIMIT: ("AC input limit", "A"),
    Parameter.OFFLINE_V: ("stored voltage", "V"),
    Parameter.OFFLINE_LIMIT: ("stored current limit", "%"),
    Parameter.WALK_IN_S: ("soft start", "s"),
    Parameter.WALK_IN: ("soft start", "on/off"),
    Parameter.FAN_FULL: ("fan at full speed", "on/off"),
    Parameter.RESTART_AFTER_OVERVOLTAGE: ("restart after overvoltage", "on/off"),
    Parameter.STATUS: ("status", ""),
}
_CONTROL_BITS: Final = ((2, "AC off"), (7, "DC off"), (4, "fan full"), (3, "LED flashes"))
_FLOAT: Final = struct.Struct(">f")


def explain(_options: Any, seen: CanFrame | bytes) -> str:
    """A frame of rectifiers or their controller; "" for all others."""
    if not isinstance(seen, CanFrame) or not seen.is_extended or seen.is_remote or seen.is_error:
        return ""
    try:
        return _request(seen) or _answer(seen)
    except FrameError as error:
        return f"not understood: {error.what}"


def _answer(frame: CanFrame) -> str:
    message = decode(frame)
    if message is None:
        return ""
    return f"rectifier {message.module}: {_content(message)}"


def _content(message: Message) -> str:
    if isinstance(message, Broadcast):
        who = "" if message.identity is None else f", serial {message.identity.hex().upper()}"
        return f"tells its peers type {message.message_type:02X}{who}"
    name = _named(message.parameter)
    failed = "" if message.error_code == NO_ERROR else f" ({error_text(message.error_code)})"
    if isinstance(message, Refusal):
        return f"refuses to {'set' if message.of_write else 'tell'} {name}{failed}"
    if isinstance(message, Status):
        flags = " ".join(status_flags(message.word)) or "no flag set"
        return f"status {message.word:08X}: {flags}{failed}"
    return f"{_told(message, name)}{failed}"


def _told(message: Value | Ack, name: str) -> str:
    value = _amount(message.parameter, message.value)
    return f"accepts {name}" if isinstance(message, Ack) else f"{name} {value}"


def _request(frame: CanFrame) -> str:
    """What a controller asks of one rectifier or all; "" for frames that it does not send."""
    if len(frame.data) != 8 or frame.can_id & 3 != 3:
        return ""
    if frame.can_id == IDENTIFY_ID:
        return "all rectifiers: negotiate addresses anew"
    fields = unpack_id(frame.can_id)
    if fields.protocol != CONTROL_PROTOCOL or fields.source != CONTROLLER:
        return ""
    known = _REQUESTS.get(frame.data[0])
    who = f"rectifier {fields.destination}"
    if not fields.point_to_point:
        who = "all rectifiers" if fields.destination == EVERYBODY else "any rectifier"
    return f"to {who}: {known(frame.data) if known else f'request {frame.data[0]:02X}'}"


def _group(data: bytes) -> str:
    on = [words for bit, words in _CONTROL_BITS if data[2] >> bit & 1]
    control = f"control {', '.join(on) or 'all on'}; " if data[2] & 1 else ""
    return f"{control}tell {'all values' if data[3] == 0x80 else f'group {data[3]:02X}'}"


def _write(data: bytes) -> str:
    parameter = data[3]
    if _NAMES.get(parameter, ("", ""))[1] == "on/off":
        return f"set {_named(parameter)} {'on' if int.from_bytes(data[4:6], 'big') else 'off'}"
    value: float = _FLOAT.unpack(data[4:])[0]
    return f"set {_named(parameter)} {_amount(parameter, value if isfinite(value) else None)}"


_REQUESTS: Final[dict[int, Callable[[bytes], str]]] = {
    0x00: _group,
    0x01: lambda data: f"tell {_named(data[3])}",
    0x03: _write,
    0x20: lambda _data: "tell the information block",
}
"""By byte 0 of what a controller sends (requests.py)."""


def _named(parameter: int) -> str:
    return _NAMES[parameter][0] if parameter in _NAMES else f"parameter {parameter:02X}"


def _amount(parameter: int, value: float | None) -> str:
    if value is None:
        return "unknown"
    unit = _NAMES.get(parameter, ("", ""))[1]
    if unit == "%":
        return f"{value * 100:.1f} %"
    return f"{value:.2f} {unit}" if unit in {"V", "A", "C", "s"} else f"{value:g}"
