"""What systemd is told by the process that it runs: a datagram to its notify socket.

The protocol is stable and small (sd_notify(3), sd_watchdog_enabled(3)), see
docs/decisions/0006-watchdogs.md for why no library is used.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

_PARTS_OF_A_SECOND = 1e6


class Systemd:
    """The notify socket. watchdog_s: how long systemd waits for a sign of life, None = for ever."""

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        """address: a path, or ``@name`` in the abstract namespace."""
        self.watchdog_s = watchdog_s
        self._address = "\0" + address[1:] if address.startswith("@") else address

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self | None:
        """None when systemd does not listen (another starter, or Type= is not notify)."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return None
        return cls(address, _watchdog_s(environ))

    def tell(self, *lines: str) -> bool:
        """Send lines such as ``READY=1`` together; whether they left. Never waits, never raises."""
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
        ):
            sender.sendto("\n".join(lines).encode(), self._address)
            return True
        return False


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None  # it is meant for another process
    text = environ.get("WATCHDOG_USEC", "")
    return int(text) / _PARTS_OF_A_SECOND if text.isdecimal() and int(text) > 0 else None
