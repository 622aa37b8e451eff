"""``gridzero console`` as a person and a script start it: a process, in a terminal of its own."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from console_client import PATIENCE_S, console
from pydantic import SecretStr

from gridzero.cli import main
from gridzero.commands.console import address_of

ROOT = Path(__file__).parents[3]


class Pty:
    """A terminal with a program in it."""

    def __init__(self, far: int) -> None:
        self._far = far
        self.seen = ""

    async def sees(self, text: str) -> None:
        async with asyncio.timeout(2 * PATIENCE_S):
            while text not in self.seen:
                with suppress(BlockingIOError, OSError):
                    self.seen += os.read(self._far, 65536).decode(errors="replace")
                await asyncio.sleep(0.02)
        self.seen = ""

    def types(self, text: str) -> None:
        os.write(self._far, text.encode())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._far, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@asynccontextmanager
async def in_a_terminal(*arguments: str) -> AsyncIterator[tuple[Pty, asyncio.subprocess.Process]]:
    far, near = os.openpty()
    os.set_blocking(far, False)
    screen = Pty(far)
    screen.resize(24, 80)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gridzero.cli", "console", *arguments),
        stdin=near,
        stdout=near,
        stderr=near,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(near)
    try:
        yield screen, process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        os.close(far)


@pytest.mark.real_time
async def test_a_person_talks_through_the_own_client() -> None:
    async with console() as house, in_a_terminal(f"127.0.0.1:{house.port}") as (screen, process):
        await screen.sees("gridzero>")
        screen.types("mode hold\r")
        await screen.sees("mode is hold")
        screen.types(" ")
        await screen.sees("q quit")
        screen.types("q")
        await screen.sees("gridzero>")
        screen.types("\x1d")
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert house.house.asked == [("mode", "hold")]


@pytest.mark.slow
@pytest.mark.real_time
async def test_the_console_hanging_up_ends_the_client() -> None:
    async with console() as house, in_a_terminal(f"127.0.0.1:{house.port}") as (screen, process):
        await screen.sees("gridzero>")
        screen.types("quit\r")
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


@pytest.mark.slow
@pytest.mark.real_time
async def test_a_script_runs_a_word() -> None:
    async with console(password=SecretStr("correct horse")) as house:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gridzero.cli", "console", f"127.0.0.1:{house.port}"),
            *("-c", "why"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "GRIDZERO_CONSOLE_PASSWORD": "correct horse"},
        )
        out, _ = await asyncio.wait_for(process.communicate(), 2 * PATIENCE_S)
        assert process.returncode == 0
        assert out.startswith(b"the grid is held at its target\n")


def test_where_nobody_listens_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["console", "127.0.0.1:1", "-c", "status"]) == 2
    assert "no console answers" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["somewhere", ":2323", "a:0", "a:70000", "a:b"])
def test_what_is_no_address_is_refused(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["console", where, "-c", "status"]) == 2
    assert "host:port" in capsys.readouterr().err


def test_without_a_terminal_a_word_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["console", "127.0.0.1:1"]) == 2
    assert "-c WORD" in capsys.readouterr().err


def test_the_address_is_the_configured_one() -> None:
    assert address_of(None, None)[:2] == ("127.0.0.1", 2323)
    assert address_of(None, ROOT / "configs" / "demo.yaml")[:2] == ("127.0.0.1", 2323)
    assert address_of("[::1]:2400", None)[:2] == ("::1", 2400)
