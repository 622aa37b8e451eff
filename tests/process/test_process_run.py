"""``gridzero run`` as a process: it lives with what is missing, and dies without leaving harm."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from process_site import (
    LOOPBACK,
    Process,
    Terminal,
    ear,
    gridzero,
    python,
    site_config,
    until,
    write,
)

from gridzero.links.embedded_broker import EmbeddedBroker
from gridzero_drivers.soyosource.codec import Demand

pytestmark = pytest.mark.real_time

ZERO = Demand(0).to_bytes()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


def downs(process: Process) -> dict[str, dict[str, Any]]:
    """The links that are told to be down, by name."""
    return {entry["subject"]: entry for entry in process.events("link_down.raised")}


async def test_links_that_do_not_exist_are_told_each_and_nothing_is_commanded(
    tmp_path: Path,
) -> None:
    port = free_port()
    values = {
        "site": {"name": "Test", "state_dir": "state", "log": {"format": "json"}},
        "mqtt": {"embedded": {"port": port}},
        "links": {
            "bus": {"type": "can", "channel": f"gz{os.getpid()}a"},
            "psu": {"type": "can", "channel": f"gz{os.getpid()}b"},
            "wire": {"type": "serial", "port": "/dev/gridzero-none"},
            "sensors": {"type": "i2c", "bus_number": 99},
        },
        "devices": {
            "meter": {"driver": "mqtt_meter", "topic": "meterbox/grid"},
            "battery": {"driver": "vw_gte", "buses": {"a": {"link": "bus", "modules": [1]}}},
            "shunt": {"driver": "ads1115_shunt", "link": "sensors"},
            "rectifier": {"driver": "vertiv_r48", "link": "psu"},
            "inverter": {"driver": "soyosource", "link": "wire"},
        },
    }
    async with gridzero(tmp_path, "run", write(tmp_path, values)) as site, ear(port) as listener:
        await until(lambda: len(listener.all("gridzero/state")) >= 2)
        await listener.say("meterbox/grid", "800")
        await until(lambda: listener.state["grid_w"] == 800.0)
        told = downs(site)
        assert {"bus", "psu", "wire", "sensors"} <= set(told)
        for name in ("bus", "psu", "wire", "sensors"):
            assert name in told[name]["text"]
            assert len(told[name]["remedy"]) > 10
        assert {fault["subject"] for fault in listener.state["faults"]} >= set(told)
        for payload in listener.all("gridzero/state"):
            state = json.loads(payload)
            assert state["setpoint_w"] == 0.0
            units = {**state["chargers"], **state["inverters"]}
            assert not any(unit["command_w"] for unit in units.values())
        assert await site.end(signal.SIGTERM) == 0
        assert listener.last("gridzero/status") == b"offline"
    assert site.log()[-1]["event"] == "site.stopped"
    assert "Traceback" not in site.err


@asynccontextmanager
async def broker_at(port: int) -> AsyncIterator[EmbeddedBroker]:
    """A broker of this test."""
    broker = EmbeddedBroker(report=untold, port=port)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """What becomes of the broker of a test is seen by its clients."""


async def test_a_taken_broker_port_is_told_with_a_cure_and_the_site_stays_up(
    tmp_path: Path, terminal: Terminal
) -> None:
    """The usual case: a broker runs there already."""
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    async with broker_at(port), ear(port) as listener, gridzero(tmp_path, "run", config) as site:
        await until(lambda: "broker" in downs(site))
        told = downs(site)["broker"]["text"]
        assert f"port {port}" in told
        assert "another program listens there" in told
        assert "mqtt.host" in told
        await until(terminal.read)  # the inverter is kept at zero meanwhile
        await until(lambda: listener.state)
        assert "broker" in {fault["subject"] for fault in listener.state["faults"]}
        assert site.is_alive
        assert await site.end(signal.SIGTERM) == 0
        assert "Traceback" not in site.err


async def test_an_inverter_hears_zero_at_the_end(tmp_path: Path, terminal: Terminal) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
        await until(lambda: listener.state)
        terminal.read()
        assert await site.end(signal.SIGTERM) == 0
        last_words = terminal.read()
        assert last_words.endswith(5 * ZERO)
        await until(lambda: listener.state["because"] == "stopping")
        assert listener.last("gridzero/status") == b"offline"
        assert "Traceback" not in site.err


async def test_kill_9_does_not_damage_the_settings_and_they_are_there_again(
    tmp_path: Path, terminal: Terminal
) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    stored = tmp_path / "state" / "settings.json"
    async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
        await until(lambda: listener.state)
        assert listener.state["mode"] == "auto"
        await listener.say("gridzero/mode/set", "hold")
        await until(lambda: listener.state["mode"] == "hold")
        await until(
            lambda: stored.exists() and json.loads(stored.read_text())["mode"]["value"] == "hold"
        )
        for number in range(100):
            await listener.say("gridzero/power_w/set", str(number))
        await until(lambda: listener.state["power_w"] > 0.0)
        told_w = listener.state["power_w"]
        assert await site.end(signal.SIGKILL) == -signal.SIGKILL
    values = {key: kept["value"] for key, kept in json.loads(stored.read_text()).items()}
    assert values["mode"] == "hold"
    async with gridzero(tmp_path, "run", config) as again, ear(port) as listener:
        await until(lambda: listener.state)
        assert listener.state["mode"] == "hold"
        assert told_w <= listener.state["power_w"] < 100.0  # each was larger than the one before
        assert again.events("settings_lost.said") == []
        assert await again.end(signal.SIGHUP) == 0


async def test_many_changes_at_once_end_with_the_last_one_in_the_file(
    tmp_path: Path, terminal: Terminal
) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
        await until(lambda: listener.state)
        for number in range(200):
            await listener.say("gridzero/power_w/set", str(number))
        await until(lambda: listener.state["power_w"] == 199.0)
        assert await site.end(signal.SIGTERM) == 0
    assert (
        json.loads((tmp_path / "state" / "settings.json").read_text())["power_w"]["value"] == 199.0
    )
    assert site.events("settings.not_saved") == []


async def test_the_broker_says_offline_for_a_site_that_was_killed(
    tmp_path: Path, terminal: Terminal
) -> None:
    port = free_port()
    config = site_config(tmp_path, {"host": LOOPBACK, "port": port}, terminal.path)
    async with broker_at(port):
        async with ear(port) as listener, gridzero(tmp_path, "run", config) as site:
            await until(lambda: listener.last("gridzero/status") == b"online")
            await until(lambda: listener.state)
            site.send(signal.SIGKILL)
            await until(lambda: listener.last("gridzero/status") == b"offline")
        async with ear(port) as latecomer:
            await until(lambda: latecomer.last("gridzero/status") == b"offline")


async def test_a_site_lives_through_the_end_of_its_broker(
    tmp_path: Path, terminal: Terminal
) -> None:
    port = free_port()
    config = site_config(tmp_path, {"host": LOOPBACK, "port": port}, terminal.path)
    async with broker_at(port) as broker, gridzero(tmp_path, "run", config) as site:
        async with ear(port) as listener:
            await until(lambda: listener.state)
        await broker.stop()
        await until(lambda: "mqtt" in downs(site))
        await broker.start()
        async with ear(port) as listener:
            await until(lambda: listener.state)
            assert listener.last("gridzero/status") == b"online"
            assert await site.end(signal.SIGTERM) == 0
            await until(lambda: listener.state["because"] == "stopping")
            assert listener.last("gridzero/status") == b"offline"
        assert "Traceback" not in site.err


HUNG_SITE = """
import asyncio, functools, sys, time
from gridzero import cli, service
from gridzero.runtime.loop_watch import LoopWatch

def stand_still():
    time.sleep(60)

serve = service._serve
async def serve_and_hang(*arguments, **options):
    asyncio.get_running_loop().call_later(2.0, stand_still)
    return await serve(*arguments, **options)

service._serve = serve_and_hang
service.LoopWatch = functools.partial(LoopWatch, hung_s=1.5)
sys.exit(cli.main(["run", "--alone", sys.argv[1]]))
"""


async def test_a_process_that_stands_still_ends_itself_and_says_where_it_stood(
    tmp_path: Path, terminal: Terminal
) -> None:
    config = site_config(tmp_path, {"embedded": {"port": free_port()}}, terminal.path)
    async with python(tmp_path, "-c", HUNG_SITE, config) as site:
        assert await site.ended() == 75
        assert "the event loop stands still" in site.err
        assert "most recent call first" in site.err
        assert "stand_still" in site.err
        assert site.events("site.started")
        assert not site.events("site.stopped"), "nobody was there to stop it in order"


async def test_two_signals_are_as_good_as_one(tmp_path: Path, terminal: Terminal) -> None:
    """An impatient person, or Docker after systemd: the stop sequence is not cut short."""
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    async with gridzero(tmp_path, "run", config) as site:
        await until(terminal.read)
        site.send(signal.SIGTERM)
        await asyncio.sleep(0.3)
        site.send(signal.SIGINT)
        await asyncio.sleep(0.3)
        assert await site.end(signal.SIGTERM) == 0
        assert terminal.read().endswith(5 * ZERO)
