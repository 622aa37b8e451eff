"""What the kernel knows about a CAN controller, asked for instead of waited for.

An error frame tells a change once. Who came later, or lost that frame in a flood, would believe
for ever that all is well, or that a bus is off which has long been restarted.

Sources: rtnetlink(7); linux/if_link.h (IFLA_LINKINFO); linux/can/netlink.h (enum can_state,
IFLA_CAN_STATE).
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

_MESSAGE = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
_ATTRIBUTE = struct.Struct("=HH")  # rtattr: length with this head, type

_NETLINK_ROUTE = 0
_GET_LINK, _NEW_LINK = 18, 16
_REQUEST = 1
_LINK_INFO, _INFO_KIND, _INFO_DATA = 18, 1, 2
_CAN_STATE = 4
_ANSWER_LIMIT_S = 1.0

_STATES = {0: "up", 1: "error-warning", 2: "error-passive", 3: "bus-off"}


def controller_state(channel: str) -> str | None:
    """The state of the controller behind a network interface, as in ports.links.LinkHealth.

    None when it is not known: vcan and vxcan have no controller, one that is stopped has no
    state, and where the kernel does not answer nothing is claimed. May block for a moment.
    """
    try:
        return state_in(_ask(socket.if_nametoindex(channel)))
    except (OSError, struct.error):
        return None


def _ask(index: int) -> bytes:
    link = _LINK.pack(0, 0, index, 0, 0)
    head = _MESSAGE.pack(_MESSAGE.size + len(link), _GET_LINK, _REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as kernel:
        kernel.settimeout(_ANSWER_LIMIT_S)
        kernel.send(head + link)
        return kernel.recv(65536)


def state_in(answer: bytes) -> str | None:
    """The state in an RTM_NEWLINK message; None when there is none. Raises struct.error."""
    length, kind, *_ = _MESSAGE.unpack_from(answer)
    if kind != _NEW_LINK:
        return None
    link = dict(_attributes(answer[_MESSAGE.size + _LINK.size : length]))
    info = dict(_attributes(link.get(_LINK_INFO, b"")))
    if info.get(_INFO_KIND) != b"can\0":
        return None
    state = dict(_attributes(info.get(_INFO_DATA, b""))).get(_CAN_STATE, b"")
    return _STATES.get(int.from_bytes(state, sys.byteorder)) if state else None


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each attribute; they begin at multiples of four bytes."""
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
