"""The broker's rules of docker/mosquitto, on a real Mosquitto: who can do what."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
from free_ports import free_port
from process_site import LOOPBACK, Terminal, gridzero, site_config, until

RULES = Path(__file__).parents[2] / "docker" / "mosquitto"
USERS = ("gridzero", "faces", "meter", "homeassistant", "reader")
pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed"),
]


def configuration(folder: Path, port: int) -> Path:
    """The shipped one, with its files in this folder."""
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), user, f"of {user}"], check=True)
    text = (RULES / "mosquitto.conf").read_text()
    for old, new in (
        ("/mosquitto/data/passwords", str(passwords)),
        ("/mosquitto/config/acl", str(RULES / "acl")),
        ("/mosquitto/data/", f"{folder}/"),
        ("listener 1883", f"listener {port} {LOOPBACK}\nuser root"),
        ("log_dest stdout", "log_dest stderr\nlog_type all"),  # unbuffered
    ):
        assert f"\n{old}" in text or f" {old}\n" in text
        text = text.replace(old, new)
    file = folder / "mosquitto.conf"
    file.write_text(text)
    return file


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[int]:
    port = free_port()
    with (folder / "log").open("wb") as log:
        broker = await asyncio.create_subprocess_exec(
            "mosquitto", "-c", str(configuration(folder, port)), stdout=log, stderr=log
        )
    try:
        await until(lambda: "running" in (folder / "log").read_text())
        yield port
    finally:
        broker.terminate()
        await broker.wait()


def client(port: int, user: str | None, password: str | None = None) -> aiomqtt.Client:
    word = f"of {user}" if user and password is None else password
    return aiomqtt.Client(LOOPBACK, port, username=user, password=word)


async def heard(port: int, speaker: str, own: str) -> list[str]:
    """Which topics of a speaker reach control; own is one that does, and ends it."""
    came: list[str] = []
    async with client(port, "gridzero") as ear, client(port, speaker) as mouth:
        for topic in ("gridzero/#", "meterbox/#"):
            await ear.subscribe(topic)
        for topic in ALL:
            await mouth.publish(topic, "1", qos=1)
        await mouth.publish(own, "end", qos=1)
        async with asyncio.timeout(5):
            async for message in ear.messages:
                if message.payload == b"end":
                    return came
                came.append(str(message.topic))
    raise AssertionError("the stream of messages has ended")


ALL = ("gridzero/state", "gridzero/mode/set", "gridzero/event", "gridzero/ask", "meterbox/grid")


@pytest.mark.parametrize(
    ("speaker", "expected"),
    [
        ("gridzero", ["gridzero/state", "gridzero/mode/set", "gridzero/event", "gridzero/ask"]),
        ("faces", ["gridzero/event", "gridzero/ask"]),
        ("meter", ["meterbox/grid"]),
        ("homeassistant", ["gridzero/mode/set"]),
    ],
)
async def test_each_name_can_say_its_own_and_nothing_else(
    tmp_path: Path, speaker: str, expected: list[str]
) -> None:
    async with mosquitto(tmp_path) as port:
        assert await heard(port, speaker, expected[0]) == expected


@pytest.mark.slow
async def test_control_and_companion_need_no_more_than_their_rules(
    tmp_path: Path,
) -> None:
    terminal = Terminal()
    try:
        async with mosquitto(tmp_path) as port:
            for user in ("gridzero", "faces"):
                account = {"username": user, "password": f"of {user}"}
                mqtt = {"host": LOOPBACK, "port": port, **account}
                site_config(tmp_path / user, mqtt, terminal.path)
            async with (
                gridzero(tmp_path / "gridzero", "run", "house.yaml"),
                gridzero(tmp_path / "faces", "companion", "house.yaml") as companion,
                client(port, "reader") as ear,
                client(port, "homeassistant") as home,
            ):
                await ear.subscribe("gridzero/ha/#")  # after it has announced everything
                await home.subscribe("homeassistant/#")
                async with asyncio.timeout(30):
                    await anext(aiter(home.messages))
                    await anext(aiter(ear.messages))
                assert "Traceback" not in companion.err
        assert "Denied PUBLISH" not in (tmp_path / "log").read_text()
    finally:
        terminal.close()


async def test_a_reader_says_nothing_and_strangers_stay_outside(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as port:
        async with client(port, "gridzero") as ear, client(port, "reader") as mouth:
            await ear.subscribe("#")
            for topic in ALL:
                await mouth.publish(topic, "1", qos=1)
            await ear.publish("gridzero/status", "end", qos=1)
            message = await anext(aiter(ear.messages))
            assert (str(message.topic), message.payload) == ("gridzero/status", b"end")
        for user, password in ((None, None), ("faces", "guessed"), ("nobody", "x")):
            with pytest.raises(aiomqtt.MqttError):
                async with client(port, user, password):
                    raise AssertionError("let in")
