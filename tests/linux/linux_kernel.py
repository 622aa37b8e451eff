"""Interfaces of the guest, a slcan adapter that obeys a test, and how long things took."""

from __future__ import annotations

import fcntl
import os
import socket
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
SIOCGIFNAME, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8910, 0x8913, 0x8914
IFF_UP = 1
IFREQ = struct.Struct("=16sH22x")
LOOK_S = 0.01
ACTIVE, WARNING, PASSIVE, OFF = b"sa000000", b"sw100090", b"sp130128", b"sb000256"
"""What an adapter says of its controller's state, with two counters of errors."""
EXTENDED = 0x8000_0000
FRAME = struct.Struct("=IB3x8s")  # struct can_frame of linux/can.h


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


def answers(port: int) -> bool:
    """Whether a program listens at this port of the loopback."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


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


def take_down(name: str) -> float:
    """When it went down (monotonic): without a process, which a busy machine starts late."""
    with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as any_socket:
        asked = fcntl.ioctl(any_socket, SIOCGIFFLAGS, IFREQ.pack(name.encode(), 0))
        flags = IFREQ.unpack(asked)[1] & ~IFF_UP
        began_s = time.monotonic()
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, IFREQ.pack(name.encode(), flags))
    return began_s


def remove(name: str) -> None:
    """What a test removed itself is gone already."""
    subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)


class Adapter:
    """A serial CAN adapter (LAWICEL protocol) behind the kernel's own slcan driver.

    name: of its interface, None = what the kernel calls it. wire: another interface of this machine
    that it is joined to, until cut(). sent: frames that left for the wire.
    """

    def __init__(
        self, bitrate: int = 500_000, *, name: str | None = None, wire: str | None = None
    ) -> None:
        self.sent: list[bytes] = []
        self._wire = _Wire(wire, self.say) if wire else None
        self._reads = threading.Event()
        self._reads.set()
        self._far, self._near = os.openpty()
        tty.setraw(self._far)
        tty.setraw(self._near)
        fcntl.ioctl(self._near, termios.TIOCSETD, struct.pack("i", N_SLCAN))
        given = fcntl.ioctl(self._near, SIOCGIFNAME, bytes(32))
        self.name = given.split(b"\0")[0].decode()
        if name is not None:
            sh(f"ip link set {self.name} name {name}")
            self.name = name
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
            if self._wire is not None:
                self._wire.send(line)
        self.say(b"z" if line[:1] in b"tT" else b"")

    def say(self, line: bytes) -> None:
        """A frame (t, T), a state (s) or a bus error (e) for the kernel."""
        os.write(self._far, line + b"\r")

    def cut(self) -> None:
        """Nothing passes between the wire and the kernel, as with a controller that is off."""
        if self._wire is not None:
            self._wire.is_whole.clear()

    def mend(self) -> None:
        if self._wire is not None:
            self._wire.is_whole.set()

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
        if self._wire is not None:
            self._wire.close()
        with suppress(OSError):
            os.close(self._near)
        with suppress(OSError):
            os.close(self._far)


class _Wire:
    """Joins an adapter to a CAN interface: frames as text there, as bytes of the kernel here."""

    def __init__(self, channel: str, say: Callable[[bytes], None]) -> None:
        self.is_whole = threading.Event()
        self.is_whole.set()
        self._say = say
        self._socket = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        self._socket.bind((channel,))
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def send(self, line: bytes) -> None:
        """A frame of the LAWICEL protocol: t, three digits of id, length, data; T, eight digits."""
        digits = 8 if line[:1] == b"T" else 3
        can_id = int(line[1 : 1 + digits], 16) | (EXTENDED if digits == 8 else 0)
        data = bytes.fromhex(line[2 + digits :].decode())
        if self.is_whole.is_set():
            with suppress(OSError):
                self._socket.send(FRAME.pack(can_id, len(data), data))

    def _hear(self) -> None:
        with suppress(OSError):
            while frame := self._socket.recv(FRAME.size):
                can_id, length, data = FRAME.unpack(frame)
                if self.is_whole.is_set():
                    digits = b"T%08X" if can_id & EXTENDED else b"t%03X"
                    head = digits % (can_id & ~EXTENDED)
                    self._say(head + b"%d" % length + data[:length].hex().upper().encode())

    def close(self) -> None:
        self.is_whole.clear()
        self._socket.close()


@contextmanager
def adapter(name: str | None = None, *, wire: str | None = None) -> Iterator[Adapter]:
    plugged = Adapter(name=name, wire=wire)
    try:
        yield plugged
    finally:
        plugged.close()
