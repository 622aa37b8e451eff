"""Sends 2,000 frames a second until SIGINT, then prints how many it was.

    babbler.py CHANNEL strangers|garbage

strangers: ids of nobody, ids of modules in the other id length, remote frames of right ids, error
frames. garbage: voltage frames of modules that are there, with bytes at random.
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

EACH_S, AT_ONCE = 0.01, 20
EXTENDED, REMOTE, ERROR = 0x8000_0000, 0x4000_0000, 0x2000_0000
VOLTAGES = range(0x1B0, 0x1B8)  # modules 1 and 2
BUS_ERROR, CONTROLLER = 0x80, 0x04


def strangers() -> Iterator[bytes]:
    while True:
        yield frame(random.randrange(0x400, 0x600))
        yield frame(random.choice(VOLTAGES) | EXTENDED)
        yield frame(0x1A55_5401 & 0x7FF)
        yield frame(random.choice(VOLTAGES) | REMOTE, b"")
        yield frame(BUS_ERROR | ERROR, bytes(8))
        yield frame(CONTROLLER | ERROR, bytes((0, 0x10, 0, 0, 0, 0, 128, 0)))


def garbage() -> Iterator[bytes]:
    while True:
        yield frame(random.choice(VOLTAGES))


def frame(can_id: int, data: bytes | None = None) -> bytes:
    """struct can_frame of linux/can.h."""
    data = random.randbytes(8) if data is None else data
    return struct.pack("=IB3x8s", can_id, len(data), data)


def babble(channel: str, frames: Iterator[bytes]) -> int:
    sent, next_s = 0, time.monotonic()
    with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as wire:
        wire.bind((channel,))
        # only over the wire: the twins at this end have enough to do
        wire.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_LOOPBACK, 0)
        with suppress(KeyboardInterrupt):
            while True:
                for _ in range(AT_ONCE):
                    wire.send(next(frames))
                    sent += 1
                next_s += EACH_S
                time.sleep(max(0.0, next_s - time.monotonic()))
    return sent


if __name__ == "__main__":
    print(babble(sys.argv[1], {"strangers": strangers, "garbage": garbage}[sys.argv[2]]()))
