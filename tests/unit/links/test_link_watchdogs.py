"""Both watchdogs at the bytes: a real datagram socket, and files in the place of the device."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridzero.errors import LinkError
from gridzero.links.systemd import Systemd
from gridzero.links.watchdog_device import WatchdogDevice


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A notify socket as systemd has one, and its path."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(path)
        yield listener, path


def test_lines_arrive_together(inbox: tuple[socket.socket, str]) -> None:
    listener, path = inbox
    assert Systemd(path).tell("READY=1", "STATUS=covers the load")
    assert listener.recv(4096) == b"READY=1\nSTATUS=covers the load"


def test_an_abstract_address_is_understood() -> None:
    name = f"gridzero-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(f"\0{name}")
        assert Systemd(f"@{name}").tell("WATCHDOG=1")
        assert listener.recv(64) == b"WATCHDOG=1"


def test_nobody_there_or_nobody_reading_is_said_and_never_waited_for(
    inbox: tuple[socket.socket, str], tmp_path: Path
) -> None:
    assert not Systemd(str(tmp_path / "none")).tell("READY=1")
    _, path = inbox
    sent = 0
    while Systemd(path).tell("X" * 100):
        sent += 1
        assert sent < 100_000
    assert sent > 0


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_systemd_waits(environ: dict[str, str], watchdog_s: float | None) -> None:
    told = Systemd.from_environment({"NOTIFY_SOCKET": "/run/notify", **environ})
    assert told is not None
    assert told.watchdog_s == watchdog_s


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "notify"])
def test_without_an_address_that_is_understood_there_is_no_systemd(address: str) -> None:
    assert Systemd.from_environment({"NOTIFY_SOCKET": address}) is None
    assert Systemd.from_environment({}) is None


def test_a_device_is_petted_by_writes_and_disarmed_by_v(tmp_path: Path) -> None:
    file = tmp_path / "watchdog"
    file.touch()
    device = WatchdogDevice(str(file), 15)
    assert not device.is_armed
    for _ in range(3):
        device.pet()
    assert device.is_armed
    assert device.timeout_s is None, "a file takes no time-out, and that is no reason to stop"
    assert file.read_bytes() == b"\0\0\0"
    device.disarm()
    device.disarm()
    assert file.read_bytes() == b"\0\0\0V"
    assert not device.is_armed


KILLED = """
import os, sys
from gridzero.links.watchdog_device import WatchdogDevice
device = WatchdogDevice(sys.argv[1], 15)
device.pet()
os.kill(os.getpid(), 9)
"""


def test_a_device_whose_process_dies_hears_no_v(tmp_path: Path) -> None:
    """A child writes to a fifo and is killed: what the driver sees is a close without V."""
    fifo = tmp_path / "watchdog"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    done = subprocess.run([sys.executable, "-c", KILLED, str(fifo)], check=False)
    assert done.returncode == -9
    assert os.read(reader, 100) == b"\0"
    assert os.read(reader, 100) == b"", "closed, and no farewell"
    os.close(reader)


def test_a_device_that_is_missing_is_told_and_opened_when_it_comes(tmp_path: Path) -> None:
    file = tmp_path / "watchdog"
    device = WatchdogDevice(str(file), 15)
    with pytest.raises(LinkError, match="No such file") as told:
        device.pet()
    assert "dtparam=watchdog=on" in told.value.remedy
    file.touch()
    device.pet()
    assert device.is_armed
