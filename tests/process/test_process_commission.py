"""``gridzero commission`` beside a running gridzero: processes, a real broker, a real keyboard."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from free_ports import free_port
from process_site import Ear, demo_config, ear, gridzero, until

pytestmark = pytest.mark.real_time


@contextmanager
def commission(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Its keyboard is a pipe, its screen a file."""
    with (folder / "screen.txt").open("w") as screen:
        popen = subprocess.Popen(
            [sys.executable, "-m", "gridzero.cli", "commission", *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=screen,
            stderr=subprocess.STDOUT,
        )
    try:
        yield popen
    finally:
        popen.kill()
        popen.communicate()


def type_in(popen: subprocess.Popen[bytes], text: str) -> None:
    assert popen.stdin is not None
    popen.stdin.write(text.encode())
    popen.stdin.flush()


def config_at(folder: Path, port: int) -> str:
    """The demo's house with a broker where no other one is."""
    house = Path(demo_config(folder))
    values = yaml.safe_load(house.read_text())
    values["mqtt"]["embedded"]["port"] = port
    house.write_text(yaml.safe_dump(values))
    return str(house)


def inverter_w(listener: Ear) -> float:
    return float(listener.state.get("inverters", {}).get("inverter", {}).get("command_w") or 0.0)


async def left_in_the_middle(folder: Path, number: signal.Signals) -> float:
    """A discharge that is left by a signal; after how long the house rests again, s."""
    async with gridzero(folder, "demo", "--config", config_at(folder, free_port())) as demo:
        await until(lambda: "mosquitto_sub -p" in demo.err)
        found = re.search(r"mosquitto_sub -p (\d+)", demo.err)
        assert found is not None
        async with ear(int(found[1])) as listener:
            broker = f"127.0.0.1:{found[1]}"
            await until(lambda: listener.state.get("battery", {}).get("soc_pct") is not None)
            with commission(folder, "inverter", "--mqtt", broker) as person:
                type_in(person, "\nmode hold\ndischarge 200 W\n")
                await until(lambda: listener.state["trial_left_s"] and inverter_w(listener) > 100.0)
                person.send_signal(number)
                begun_s = time.monotonic()
                await until(lambda: inverter_w(listener) == 0.0)
                took_s = time.monotonic() - begun_s
                assert await asyncio.to_thread(person.wait) == (130 if number == 2 else -9)
            await until(lambda: listener.state["mode"] == "hold")
            assert listener.state["trial_left_s"] is None
    assert "Traceback" not in (folder / "screen.txt").read_text()
    return took_s


@pytest.mark.slow
async def test_ctrl_c_and_kill_in_the_middle_leave_a_house_at_rest(tmp_path: Path) -> None:
    took_s = await asyncio.gather(
        left_in_the_middle(tmp_path / "int", signal.SIGINT),
        left_in_the_middle(tmp_path / "kill", signal.SIGKILL),
    )
    print("rests after", took_s)
    assert took_s[0] < 8.0, "it said stop itself"
    assert 4.0 < took_s[1] < 30.0, "the seconds of the trial were over"


@pytest.mark.slow
async def test_without_a_gridzero_it_is_one_sentence(tmp_path: Path) -> None:
    with commission(tmp_path, "modules", "--mqtt", "127.0.0.1:9") as person:
        assert await asyncio.to_thread(person.wait) == 2
    said = (tmp_path / "screen.txt").read_text()
    assert "no gridzero speaks there" in said
    assert "Traceback" not in said
