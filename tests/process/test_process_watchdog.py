"""``gridzero run`` under a notify socket: READY, signs of life, and none without decisions."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from free_ports import free_port
from process_site import Terminal, gridzero, python, site_config, until

pytestmark = pytest.mark.real_time


class Inbox:
    """What systemd would have heard."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.lines: list[str] = []

    def read(self) -> list[str]:
        while True:
            try:
                self.lines.extend(self._listener.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return self.lines

    def count(self, line: str) -> int:
        return self.read().count(line)


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(path)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        monkeypatch.setenv("WATCHDOG_USEC", "900000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield Inbox(listener)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


def with_hardware(config: str, device: Path) -> str:
    """The same configuration with a file in the place of /dev/watchdog."""
    device.touch()
    with Path(config).open("a") as file:
        file.write(f"\nwatchdog: {{hardware: {device}}}\n")
    return config


async def test_both_watchdogs_hear_ready_life_and_the_end(
    tmp_path: Path, terminal: Terminal, inbox: Inbox
) -> None:
    device = tmp_path / "watchdog"
    config = site_config(tmp_path, {"embedded": {"port": free_port()}}, terminal.path)
    async with gridzero(tmp_path, "run", with_hardware(config, device)) as site:
        await until(lambda: inbox.count("WATCHDOG=1") >= 3)
        await until(lambda: len(device.read_bytes()) >= 2)
        assert b"V" not in device.read_bytes()
        assert inbox.lines[0] == "READY=1"
        assert inbox.count("STOPPING=1") == 0
        assert await site.end(signal.SIGTERM) == 0
    lines = inbox.read()
    assert lines[-2:] == ["STOPPING=1", "STATUS=stopping"]
    assert device.read_bytes().endswith(b"V"), "disarmed: this was an orderly end"
    assert "Traceback" not in site.err


HUNG_CONTROL = """
import asyncio, functools, sys
from gridzero import app, cli
from gridzero.runtime import supervisor
from gridzero.runtime.heartbeat import Heartbeat
from gridzero.runtime.site import Site

serve = Site.protect
async def serve_and_hang(site):
    try:
        await asyncio.wait_for(serve(site), 1.0)
    except TimeoutError:
        await asyncio.Event().wait()  # the loop lives on, nobody decides any more

Site.protect = serve_and_hang
app.Heartbeat = lambda *a, **more: Heartbeat(*a, **{**more, "within_s": 1.0})
supervisor._HUNG_S = 2.5
supervisor._OPENING_S = 0.1
sys.exit(cli.main(["run", "--alone", sys.argv[1]]))
"""


async def test_systemd_hears_no_life_once_nobody_decides(
    tmp_path: Path, terminal: Terminal, inbox: Inbox
) -> None:
    config = site_config(tmp_path, {"embedded": {"port": free_port()}}, terminal.path)
    async with python(tmp_path, "-c", HUNG_CONTROL, config) as site:
        await until(lambda: inbox.read() and not site.is_alive)
        assert await site.ended() == 75
    lines = inbox.read()
    assert lines[0] == "READY=1"
    starved = next(i for i, line in enumerate(lines) if line.startswith("STATUS=not fed"))
    assert "has not ticked" in lines[starved]
    assert lines[:starved].count("WATCHDOG=1") >= 1
    assert lines[starved:].count("WATCHDOG=1") == 0
    assert "STOPPING=1" in lines[starved:]
    assert site.events("commands_stuck.raised")
