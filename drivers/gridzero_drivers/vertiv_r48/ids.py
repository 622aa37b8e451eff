"""Identifiers of the R48 bus: who speaks to whom (fields as in R48.h, endless-sphere 114785).

bits 28..20 protocol: 0x060 controller and rectifier, 0x070 rectifiers among themselves
bit  19     point to point (1) or broadcast (0, destination then 0xFF)
bits 18..11 destination, bits 10..3 source: modules 0x00..0x7F, controller 0xF0
bit  2      more frames of the same answer follow
bits 1..0   always set
"""

from __future__ import annotations

from typing import NamedTuple

from gridzero.errors import FrameError
from gridzero.ports.links import CanFilter

CONTROLLER = 0xF0
EVERYBODY = 0xFF
MODULES = 128
CONTROL_PROTOCOL, PEER_PROTOCOL = 0x060, 0x070


class Identifier(NamedTuple):
    """Fields of a 29-bit identifier (R48.h)."""

    protocol: int
    point_to_point: bool
    destination: int
    source: int
    more: bool


def pack_id(fields: Identifier) -> int:
    """The 29-bit identifier. Raises ValueError if a field does not fit."""
    if not (0 <= fields.protocol <= 0x1FF):
        raise ValueError(f"protocol number 0x{fields.protocol:x} does not fit in 9 bits")
    if not (0 <= fields.destination <= 0xFF and 0 <= fields.source <= 0xFF):
        raise ValueError("addresses are 0 to 255")
    return (
        fields.protocol << 20
        | fields.point_to_point << 19
        | fields.destination << 11
        | fields.source << 3
        | fields.more << 2
        | 3
    )


def unpack_id(can_id: int) -> Identifier:
    """Raises FrameError unless it is a 29-bit identifier whose two lowest bits are set."""
    if not (0 <= can_id < 1 << 29) or can_id & 3 != 3:
        raise FrameError(f"identifier 0x{can_id:x} is not of the R48 family")
    return Identifier(
        can_id >> 20,
        bool(can_id >> 19 & 1),
        can_id >> 11 & 0xFF,
        can_id >> 3 & 0xFF,
        bool(can_id >> 2 & 1),
    )


def request_id(module: int) -> int:
    """Identifier of requests to one module, 0 to 127. Raises ValueError outside."""
    return pack_id(Identifier(CONTROL_PROTOCOL, True, _module(module), CONTROLLER, False))


def answer_id(module: int, *, more: bool = False) -> int:
    """Identifier of answers of one module. Raises ValueError outside 0 to 127."""
    return pack_id(Identifier(CONTROL_PROTOCOL, True, CONTROLLER, _module(module), more))


def broadcast_id(module: int) -> int:
    """Identifier of what a module tells its peers. Raises ValueError outside 0 to 127."""
    return pack_id(Identifier(PEER_PROTOCOL, False, EVERYBODY, _module(module), False))


def _module(number: int) -> int:
    if not 0 <= number < MODULES:
        raise ValueError(f"module address {number} is not within 0 to 127")
    return number


EVERY_MODULE_ID = pack_id(Identifier(CONTROL_PROTOCOL, False, EVERYBODY, CONTROLLER, False))
COMPAT_ID = pack_id(Identifier(CONTROL_PROTOCOL, False, 0, CONTROLLER, False))
IDENTIFY_ID = pack_id(Identifier(PEER_PROTOCOL, False, EVERYBODY, CONTROLLER, False))


def answer_filters(module: int) -> tuple[CanFilter, ...]:
    """What the controller must hear of one module and of no other."""
    no_more_bit = 0x1FFFFFFF ^ 4
    return (
        CanFilter(answer_id(module), no_more_bit, is_extended=True),
        CanFilter(broadcast_id(module), no_more_bit, is_extended=True),
    )


def _known_ids() -> dict[int, tuple[int, int, bool]]:
    """Identifier -> (protocol, module, more) for everything that a controller may listen to."""
    known = {}
    for module in range(MODULES):
        for more in (False, True):
            for fields in (
                Identifier(CONTROL_PROTOCOL, True, CONTROLLER, module, more),
                Identifier(CONTROL_PROTOCOL, False, EVERYBODY, module, more),
                Identifier(PEER_PROTOCOL, False, EVERYBODY, module, more),
            ):
                known[pack_id(fields)] = (fields.protocol, module, more)
    return known


KNOWN_SENDERS = _known_ids()
"""Identifier -> (protocol, module, more) of every frame that modules send to a controller."""
