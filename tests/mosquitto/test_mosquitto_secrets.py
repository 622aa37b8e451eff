"""Every secret is a word that stands nowhere else; nothing that anybody can read may hold one."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM
from urllib.parse import urlencode

import aiomqtt
import pytest
from broker import NEEDS_MOSQUITTO, Mosquitto, mosquitto, passwords
from free_ports import free_port
from process_site import LOOPBACK, Process, Terminal, gridzero, until
from sockets_of import command_lines, processes_of
from words import FROM_ENVIRONMENT, HASTY, SECRETS, TYPED, found_in, spoiled, write_house

from gridzero.cli import main

pytestmark = NEEDS_MOSQUITTO

LISTENING = ("console", "page", "metrics")


async def talk(port: int, *lines: bytes, until_quiet_s: float = 1.0) -> bytes:
    """What a listener says to this, until it is quiet or hangs up."""
    said = b""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        for line in (*lines, b""):
            with suppress(TimeoutError):
                async with asyncio.timeout(until_quiet_s):
                    while more := await reader.read(65536):
                        said += more
            writer.write(line)
        writer.close()
    return said


def login(port: int, password: str) -> bytes:
    body = urlencode({"password": password})
    head = f"POST /login HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nOrigin: http://{LOOPBACK}:{port}"
    kind = "Content-Type: application/x-www-form-urlencoded"
    return f"{head}\r\n{kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


async def visit(ports: dict[str, int]) -> dict[str, bytes]:
    """People who mistype, and people who do not; by what they saw."""
    console, page, metrics = (ports[each] for each in LISTENING)
    right = SECRETS["console_password"].encode()
    return {
        "console, wrong": await talk(console, f"{TYPED['console']}\r\n".encode()),
        "console, right": await talk(console, right + b"\r\n", b"status\r\n", b"help\r\n"),
        "page, wrong": await talk(page, login(page, TYPED["page"])),
        "page, right": await talk(page, login(page, SECRETS["page_password"])),
        "page, unasked": await talk(page, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        "metrics": await talk(
            metrics, f"GET /metrics?password={TYPED['metrics']} HTTP/1.1\r\n\r\n".encode()
        ),
    }


@asynccontextmanager
async def overheard(port: int) -> AsyncIterator[list[bytes]]:
    """Everything that is said at the broker."""
    heard: list[bytes] = []

    async def listen() -> None:
        nonlocal heard
        with suppress(aiomqtt.MqttError):
            async with aiomqtt.Client(
                LOOPBACK, port, username="gz", password=SECRETS["mqtt_password"]
            ) as client:
                await client.subscribe("#")
                async for message in client.messages:
                    heard += (f"{message.topic} ".encode(), bytes(message.payload))

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def break_things(broker: Mosquitto, site: Process) -> None:
    """A face crashes, the broker dies, and comes back with another password."""
    beside = [pid for pid in processes_of(site.pid) if pid != site.pid]
    os.kill(beside[0], SIGKILL)
    await broker.end(SIGKILL)
    await until(lambda: site.events("link_down.raised"))
    passwords(broker.folder, gz="another")
    await broker.start()
    await until(lambda: "Not authorized" in site.err)


async def commands(folder: Path, config: Path) -> dict[str, str]:
    """What the other commands print about this house and about spoiled ones."""
    said = {}
    for number, words in enumerate(
        (
            ("check", str(config)),
            ("doctor", "--json", str(config)),
            ("console", str(config), "status"),
        )
    ):
        async with gridzero(folder / f"command{number}", *words) as process:
            await process.ended()
            said[" ".join(words[:2])] = process.out + process.err
    return said


@pytest.mark.parametrize("what", HASTY)
def test_no_spoiled_file_shows_a_secret(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = dict.fromkeys((*LISTENING, "dead", "broker"), 1)
    config = write_house(tmp_path, ports, "/dev/none")
    house, secrets = spoiled(config)[what]
    config.write_text(house)
    config.with_name("secrets.yaml").write_text(secrets)
    assert main(["check", str(config)]) != 0
    said = "".join(capsys.readouterr())
    assert ".yaml:" in said
    assert found_in({what: said}) == []


@pytest.mark.slow
async def test_no_secret_is_said_anywhere_whatever_goes_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FROM_ENVIRONMENT, SECRETS["page_password"])
    ports = {name: free_port() for name in (*LISTENING, "dead")}
    terminal = Terminal()
    lines = passwords(_made(tmp_path / "mosquitto"), gz=SECRETS["mqtt_password"])
    async with mosquitto(tmp_path, *lines) as broker:
        ports["broker"] = broker.port
        config = write_house(tmp_path / "house", ports, terminal.path)
        async with (
            overheard(broker.port) as heard,
            gridzero(tmp_path / "house", "run", str(config), beside=True) as site,
        ):
            await until(lambda: b"gridzero/state" in b"".join(heard))
            for name in LISTENING:
                await until(lambda name=name: _answers(ports[name]))
            await until(lambda: site.events("history.opened"))
            seen: dict[str, str | bytes] = dict(await visit(ports))
            running = processes_of(site.pid)
            assert len(running) == 3
            seen["command lines"] = "\n".join(command_lines(running))
            await break_things(broker, site)
            seen |= await commands(tmp_path, config)
            assert await site.end(SIGTERM) == 0
        seen["log"] = site.out + site.err
        seen["mqtt"] = b"\n".join(heard)
        seen |= _files(tmp_path / "house" / "state")
    terminal.close()
    _is_about_something(seen)
    assert found_in(seen) == []


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _is_about_something(seen: dict[str, str | bytes]) -> None:
    """Who is refused, and who is let in: else there was nothing to give away."""
    assert b"wrong password" in bytes(seen["console, wrong"])
    assert b"Power" in bytes(seen["console, right"]) or b"grid" in bytes(seen["console, right"])
    assert b"401 Unauthorized" in bytes(seen["page, wrong"])
    assert b"set-cookie" in bytes(seen["page, right"]).lower()
    assert b"gridzero_" in bytes(seen["metrics"]) or b"400" in bytes(seen["metrics"])
    assert "debug" in str(seen["log"])
    assert any(name.endswith(".sqlite") for name in seen)
    assert found_in({"a test of the test": SECRETS["mqtt_password"]})
