"""``gridzero run --alone`` as a process of its own, on buses that need no hardware and no rights.

The service runs as it would on a Pi, with two things replaced before it starts. A SocketCAN bus
is python-can's own code on one end of a Unix datagram socket pair: the same system calls and the
same 16 bytes for each frame, only the address family differs. An I2C bus is a current sensor that
answers like an ADS1115 after the time that a transfer takes at 100 kHz; what its shunt measures
stands in the file ``shunt`` beside the configuration.

    python -m gridzero.bench.service FILE
"""

from __future__ import annotations

import os
import socket
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import can
import smbus2
from can.interfaces import BACKENDS
from can.interfaces.socketcan import SocketcanBus, constants

from gridzero.cli import main
from gridzero.links import can_opening

_CONFIG = 1
_OS = 0x8000
_KIND_OF_LOOPBACK = 772  # ARPHRD_LOOPBACK of linux/if_arp.h: "lo" stands in for each bus
_TRANSFER_S = 45 * 10e-6  # start, four bytes with acknowledge, stop


class PairedBus(SocketcanBus):
    """A CAN bus on an inherited socket. descriptor: its number."""

    def __init__(
        self, channel: str = "", *, descriptor: int, can_filters: Any = None, **_options: Any
    ) -> None:
        # not SocketcanBus.__init__: it would ask the kernel for a CAN socket
        self.socket = socket.socket(fileno=os.dup(descriptor))
        self.socket.setsockopt(socket.SOL_SOCKET, constants.SO_TIMESTAMPNS, 1)
        self.channel = channel
        self.channel_info = f"socket {descriptor} in the place of {channel}"
        self._bcm_sockets = {}
        self._can_protocol = can.CanProtocol.CAN_20
        can.BusABC.__init__(self, channel=channel, can_filters=can_filters)

    def _apply_filters(self, filters: Any) -> None:  # noqa: ARG002 - the twins send what is wanted
        self._is_filtered = True


class FileShunt:
    """Meets links.i2c_bus.Smbus. file: holds the conversion register, two bytes."""

    def __init__(self, file: Path, _bus_number: int) -> None:
        self._descriptor = os.open(file, os.O_RDONLY)
        self._config = 0

    def read_word_data(self, _address: int, register: int) -> int:
        """A register, low byte first."""
        time.sleep(_TRANSFER_S)
        if register == _CONFIG:
            return _swapped(self._config | _OS)
        return int.from_bytes(os.pread(self._descriptor, 2, 0), "little")

    def write_word_data(self, _address: int, register: int, value: int) -> None:
        """Keep the configuration."""
        time.sleep(_TRANSFER_S)
        if register == _CONFIG:
            self._config = _swapped(value)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)


def _swapped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def serve(config: Path) -> int:
    """Run the site of a configuration file until a signal; returns its exit code."""
    vars(can_opening)["KIND_OF_CAN"] = _KIND_OF_LOOPBACK
    BACKENDS["socketcan"] = (PairedBus.__module__, PairedBus.__name__)
    vars(smbus2)["SMBus"] = partial(FileShunt, config.with_name("shunt"))
    return main(["run", "--alone", str(config)])


if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1])))
