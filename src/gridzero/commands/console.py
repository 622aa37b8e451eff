"""``gridzero console``: a telnet client that needs no telnet program, and one for scripts."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from gridzero.config.faces import ConsoleConfig
from gridzero.config.loader import load
from gridzero.errors import ConfigError, LinkError
from gridzero.outputs.console.client import Script, plain_bytes
from gridzero.outputs.console.telnet import Window, client_opening, escaped, window_told
from gridzero.plugins import find_plugins
from gridzero.runtime.exit_codes import ExitCode

PASSWORD_VARIABLE = "GRIDZERO_CONSOLE_PASSWORD"  # noqa: S105 - its name
_CONNECT_S = 5.0
_SCRIPT_S = 30.0
_LEAVES = b"\x1d"
_READ_BYTES = 65536


class Address(NamedTuple):
    """Where a console listens. password: as far as it is known."""

    host: str
    port: int
    password: str | None


def run(where: str | None, config: Path | None, word: str | None, *, sure: bool) -> int:
    """Talk to a console until it ends. Raises ConfigError, or LinkError where nobody listens.

    where: HOST:PORT instead of the configuration's. word: run that and return how it went.
    sure: answer yes where the word asks first.
    """
    address = address_of(where, config)
    if word is not None:
        return asyncio.run(_script(address, word, sure=sure))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "this is no terminal", where="gridzero console", remedy="Give a word with -c WORD"
        )
    asyncio.run(_talk(address))
    return ExitCode.ASKED


def address_of(where: str | None, config: Path | None) -> Address:
    """The named console, else that of the configuration, else the default one."""
    console = load(config, find_plugins().plugins).config.console if config else ConsoleConfig()
    configured = console.password.get_secret_value() if console.password else None
    password = os.environ.get(PASSWORD_VARIABLE, configured)
    if where is None:
        return Address(_reachable(console.host), console.port, password)
    host, _, port = where.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise ConfigError(f"{where!r} is no address", where="console", remedy="Write host:port")
    return Address(host.strip("[]"), int(port), password)


def _reachable(host: str) -> str:
    """A server that listens everywhere is reached at home."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here


async def _connected(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(_CONNECT_S):
            return await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError) as error:
        raise LinkError(
            f"no console answers ({str(error) or 'in time'})",
            where=f"{address.host}:{address.port}",
            remedy="Start gridzero, look at its section console, or name another HOST:PORT",
        ) from error


async def _script(address: Address, word: str, *, sure: bool) -> int:
    """Run one word and print what it says."""
    reader, writer = await _connected(address)
    script = Script(word, address.password or "", sure=sure)
    writer.write(script.opening)
    try:
        async with asyncio.timeout(_SCRIPT_S):
            while script.code is None and (data := await reader.read(_READ_BYTES)):
                writer.write(script.feed(data))
                _print(script.take_text().encode())
    except (OSError, TimeoutError):
        script.code = script.code if script.code is not None else ExitCode.FINDINGS
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return ExitCode.FINDINGS if script.code is None else script.code


async def _talk(address: Address) -> None:
    """A person's terminal, in raw mode until either side ends; Ctrl-] leaves at once."""
    reader, writer = await _connected(address)
    _print(f"Connected to {address.host}:{address.port}; Ctrl-] leaves.\r\n".encode())
    writer.write(client_opening(os.environ.get("TERM", "ansi"), _window()))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, lambda: writer.write(window_told(_window())))
    try:
        with _raw(), _typing(writer):
            await _show(reader)
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _show(reader: asyncio.StreamReader) -> None:
    stream = plain_bytes()
    next(stream)
    with suppress(OSError):
        while data := await reader.read(_READ_BYTES):
            _print(stream.send(data))


@contextmanager
def _typing(writer: asyncio.StreamWriter) -> Iterator[None]:
    """Send what is typed, while inside."""
    loop, keyboard = asyncio.get_running_loop(), sys.stdin.fileno()

    def take() -> None:
        data = os.read(keyboard, 1024)
        if not data or _LEAVES in data:
            writer.transport.abort()
            return
        writer.write(escaped(data.replace(b"\n", b"\r")))

    loop.add_reader(keyboard, take)
    try:
        yield
    finally:
        loop.remove_reader(keyboard)


@contextmanager
def _raw() -> Iterator[None]:
    """The terminal hands over every key, and is as it was afterwards."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setraw(keyboard)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        _print(b"\x1b[0m\x1b[?25h\r\n")


def _window() -> Window:
    columns, rows = shutil.get_terminal_size()
    return Window(columns, rows)


def _print(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
