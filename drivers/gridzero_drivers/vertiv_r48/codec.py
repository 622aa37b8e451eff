"""What R48 rectifiers answer, bytes to values and back; pure. Requests stand in requests.py.

Message types are those of R48.c (endless-sphere thread 114785), confirmed by frames captured in
bulldog5046/EcoFlow-CanBus-Reverse-Engineering, issue 1. All frames are extended, 8 bytes, at
125 kbit/s; numbers are big-endian singles.
"""

from __future__ import annotations

import math
import struct
from enum import IntEnum
from typing import NamedTuple

from gridzero.errors import FrameError
from gridzero.ports.links import CanFrame
from gridzero_drivers.vertiv_r48.ids import (
    KNOWN_SENDERS,
    PEER_PROTOCOL,
    answer_id,
    broadcast_id,
)

NO_ERROR = 0xF0

_FLOAT = struct.Struct(">BBHf")
_WORD = struct.Struct(">BBHI")
_VALUE, _ACK, _REFUSED = 0x41, 0x43, 0x80
_STATUS = 0x40


class Parameter(IntEnum):
    """Value types (byte 3) that are read or acted on."""

    OUTPUT_V = 0x01
    OUTPUT_A = 0x02
    LIMIT = 0x03
    TEMPERATURE = 0x04
    AC_V = 0x05
    ONLINE_V = 0x21
    ONLINE_LIMIT = 0x22
    AC_LIMIT = 0x1A
    OFFLINE_V = 0x24
    OFFLINE_LIMIT = 0x19
    WALK_IN_S = 0x29
    WALK_IN = 0x32
    FAN_FULL = 0x33
    RESTART_AFTER_OVERVOLTAGE = 0x39
    STATUS = 0x40


class ErrorCode(IntEnum):
    """Byte 1 of every message."""

    NONE = 0xF0
    INVALID_ADDRESS = 0xF1
    INVALID_COMMAND = 0xF2
    INVALID_DATA = 0xF3
    IDENTIFYING = 0xF4


QUANTITIES = {
    1: "output_voltage",
    2: "output_current",
    3: "current_limit_fraction",
    4: "temperature",
    5: "ac_input_voltage",
}
"""Parameters whose meaning more than one source agrees on."""

_ERRORS = {
    0xF0: "no error",
    0xF1: "invalid address",
    0xF2: "invalid command",
    0xF3: "invalid data",
    0xF4: "address identification running",
}


class Value(NamedTuple):
    """Answer 0x41. value: None when the content is no finite number (ident words).

    more: further frames of the same answer follow. Trust it only if ``error_code`` is NO_ERROR.
    """

    module: int
    more: bool
    parameter: int
    error_code: int
    value: float | None


class Status(NamedTuple):
    """Answer 0x41 for parameter 0x40: the alarm and state bits, bytes 4 to 7 as one word."""

    module: int
    more: bool
    parameter: int
    error_code: int
    word: int


class Ack(NamedTuple):
    """Answer 0x43: a write was accepted. value: content as a number; its meaning is uncertain."""

    module: int
    more: bool
    parameter: int
    error_code: int
    value: float | None


class Refusal(NamedTuple):
    """An answer with the error flag. of_write: a command was refused, otherwise a read."""

    module: int
    more: bool
    parameter: int
    error_code: int
    of_write: bool


class Broadcast(NamedTuple):
    """A module speaks to its peers: proof of life. identity: four bytes, likely a serial."""

    module: int
    message_type: int
    identity: bytes | None


Message = Value | Status | Ack | Refusal | Broadcast


def decode(frame: CanFrame) -> Message | None:
    """What a module says; None for frames that are not meant for a controller.

    Raises FrameError if the identifier is a module's but the bytes do not fit: not 8 of them, an
    unknown message type, or one of the five physical values is not a finite number.
    """
    origin = KNOWN_SENDERS.get(frame.can_id)
    if origin is None or not frame.is_extended or frame.is_remote or frame.is_error:
        return None
    data = frame.data
    if len(data) != 8:
        raise FrameError(f"{len(data)} data bytes where 8 are due")
    protocol, module, more = origin
    if protocol == PEER_PROTOCOL:
        return _broadcast(module, data)
    kind, code, parameter, value = _FLOAT.unpack(data)
    if kind == _VALUE:
        if parameter == _STATUS:
            return Status(module, more, parameter, code, int.from_bytes(data[4:], "big"))
        if math.isfinite(value):
            return Value(module, more, parameter, code, value)
        if parameter in QUANTITIES:
            raise FrameError(f"{QUANTITIES[parameter]} is {value}, not a number")
        return Value(module, more, parameter, code, None)
    if kind == _ACK:
        return Ack(module, more, parameter, code, value if math.isfinite(value) else None)
    if kind & _REFUSED:
        of_write = kind & 0x3F == _ACK & 0x3F
        return Refusal(module, more, parameter, code, of_write)
    raise FrameError(f"message type 0x{kind:02x} is no answer")


def _broadcast(module: int, data: bytes) -> Broadcast:
    is_identity = data[:4] == b"\x03\xf0\x10\x5a"
    return Broadcast(module, data[0], data[4:] if is_identity else None)


def error_text(code: int) -> str:
    """An error code in words."""
    return _ERRORS.get(code, f"error code 0x{code:02x}")


def encode(message: Message) -> CanFrame:
    """The frame a module sends for a message: decode() the other way round, for twins."""
    if isinstance(message, Broadcast):
        head = bytes((message.message_type, NO_ERROR, 0x10, 0x5A))
        tail = message.identity if message.identity is not None else bytes(4)
        data = head + tail if message.identity is not None else head[:2] + bytes(2) + tail
        return CanFrame(broadcast_id(message.module), data, is_extended=True)
    can_id = answer_id(message.module, more=message.more)
    return CanFrame(can_id, _answer_data(message), is_extended=True)


def _answer_data(message: Value | Status | Ack | Refusal) -> bytes:
    code, parameter = message.error_code, message.parameter
    if isinstance(message, Status):
        return _WORD.pack(_VALUE, code, parameter, message.word)
    if isinstance(message, Refusal):
        kind = _REFUSED | (_ACK if message.of_write else _VALUE)
        return _WORD.pack(kind, code, parameter, 0)
    kind = _ACK if isinstance(message, Ack) else _VALUE
    return _FLOAT.pack(kind, code, parameter, math.nan if message.value is None else message.value)
