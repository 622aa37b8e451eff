"""Interfaces of the guest, a slcan adapter that obeys a test, and how long things took."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

MEASURED: list[str] = []
N_SLCAN = 17
SIOCGIFNAME = 0x8910
LOOK_S = 0.01


def sh(command: str) -> str:
    """What a command prints; one that fails fails the test."""
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def measured(what: str, noticed_s: float | None, healed_s: float | None) -> None:
    """A row of the table."""
    MEASURED.append(f"| {what} | {_seconds(noticed_s)} | {_seconds(healed_s)} |")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def wait_for(condition: Callable[[], object], limit_s: float = 30.0, why: str = "") -> float:
    """Seconds until a condition held; fails the test when it never did."""
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() - began_s < limit_s, f"not within {limit_s:g} s: {why}"
        time.sleep(LOOK_S)
    return time.monotonic() - began_s


@contextmanager
def vcan(name: str) -> Iterator[str]:
    """A bus in this machine only."""
    sh(f"ip link add {name} type vcan")
    sh(f"ip link set {name} up")
    yield name
    remove(name)


@contextmanager
def cable(near: str, far: str) -> Iterator[tuple[str, str]]:
    """Two interfaces joined by a wire."""
    lay(near, far)
    yield near, far
    remove(near)


def lay(near: str, far: str) -> None:
    sh(f"ip link add {near} type vxcan peer name {far}")
    sh(f"ip link set {near} up")
    sh(f"ip link set {far} up")


def remove(name: str) -> None:
    """What a test removed itself is gone already."""
    subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)


class Adapter:
    """A serial CAN adapter (LAWICEL protocol) behind the kernel's own slcan driver.

    sent: frames that left for the wire. reads: whether it takes what the kernel sends.
    """

    def __init__(self, bitrate: int = 500_000) -> None:
        self.sent: list[bytes] = []
        self._reads = threading.Event()
        self._reads.set()
        self._far, self._near = os.openpty()
        tty.setraw(self._far)
        tty.setraw(self._near)
        fcntl.ioctl(self._near, termios.TIOCSETD, struct.pack("i", N_SLCAN))
        name = fcntl.ioctl(self._near, SIOCGIFNAME, bytes(32))
        self.name = name.split(b"\0")[0].decode()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        sh(f"ip link set {self.name} type can bitrate {bitrate}")
        sh(f"ip link set {self.name} up")

    def _serve(self) -> None:
        rest = b""
        with suppress(OSError):
            while True:
                self._reads.wait()
                rest += os.read(self._far, 4096)
                *lines, rest = rest.split(b"\r")
                for line in lines:
                    self._answer(line)

    def _answer(self, line: bytes) -> None:
        if line[:1] in b"tTrR":
            self.sent.append(line)
        self.say(b"z" if line[:1] in b"tT" else b"")

    def say(self, line: bytes) -> None:
        """A frame (t, T), a state (s) or a bus error (e) for the kernel."""
        os.write(self._far, line + b"\r")

    def stall(self) -> None:
        """Take no more from the kernel, as with nobody on the bus."""
        self._reads.clear()
        self.say(b"")  # the reader waits in read(): it takes one more piece

    def go_on(self) -> None:
        self._reads.set()

    def down_up(self) -> None:
        sh(f"ip link set {self.name} down")
        sh(f"ip link set {self.name} up")

    def close(self) -> None:
        """Pull the plug."""
        self._reads.set()
        with suppress(OSError):
            os.close(self._near)
        with suppress(OSError):
            os.close(self._far)


@contextmanager
def adapter() -> Iterator[Adapter]:
    plugged = Adapter()
    try:
        yield plugged
    finally:
        plugged.close()
