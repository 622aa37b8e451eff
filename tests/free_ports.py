"""Ports for tests that run side by side, in several processes and under several Pythons."""

from __future__ import annotations

import itertools
import os
import socket
from contextlib import suppress
from socket import SOCK_STREAM

_LOOPBACK = "127.0.0.1"
_FIRST, _BLOCK, _BLOCKS = 10_000, 50, 400
_turns = itertools.cycle(range(_BLOCK))


def free_port(kind: int = SOCK_STREAM) -> int:
    """A port of loopback that nobody has, another one each time.

    The block belongs to this process and lies below the ports that the system hands out (32768
    and higher): between here and its use neither another test nor an outgoing connection takes it.
    """
    block = _FIRST + os.getpid() % _BLOCKS * _BLOCK
    for offset in itertools.islice(_turns, _BLOCK):
        with socket.socket(socket.AF_INET, kind) as probe, suppress(OSError):
            probe.bind((_LOOPBACK, block + offset))
            return block + offset
    raise AssertionError("each port of the block is taken")
