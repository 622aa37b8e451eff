"""``gridzero demo`` as a process: it ends by itself, and by a signal it stops the charger first."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

import pytest
from process_site import demo_config, ear, gridzero, until

pytestmark = pytest.mark.real_time

LOG = "state/demo/demo.log"
SUNNY = ("--start", "13", "--sun-peak", "3000")


async def test_it_ends_after_its_time_with_a_summary(tmp_path: Path) -> None:
    async with gridzero(tmp_path, "demo", "--duration", "3") as demo:
        assert await demo.ended() == 0
        assert re.search(r"^mean \|grid\| +[\d.]+ W$", demo.out, re.MULTILINE)
        assert "ended: asked to stop" in demo.err
        log = (tmp_path / LOG).read_text()
        assert "charger.stopped" in log
        assert "Traceback" not in log + demo.out + demo.err
        assert "error" not in log


async def stopped_while_charging(folder: Path, number: signal.Signals) -> None:
    async with gridzero(folder, "demo", "--config", demo_config(folder), *SUNNY) as demo:
        await until(lambda: "mosquitto_sub -p" in demo.err)
        port = re.search(r"mosquitto_sub -p (\d+)", demo.err)
        assert port
        async with ear(int(port[1])) as listener:
            await until(lambda: _charging_w(listener.state) < -150.0)
            assert await demo.end(number) == 0
        events = [entry["event"] for entry in demo.log(LOG)]
        (charger,) = demo.events("charger.stopped", LOG)
        assert charger["device"] == "rectifier"
        assert charger["verified"] is True, "the rectifier itself says that no current flows"
        assert charger["last_a"] < 1.0
        (site,) = demo.events("site.stopped", LOG)
        assert site["exit_code"] == 0
        assert events.index("charger.stopped") < events.index("site.stopped") == len(events) - 1
        assert "ended: asked to stop" in demo.err
        assert "Traceback" not in demo.err + demo.out


def _charging_w(state: dict[str, dict[str, dict[str, float | None]]]) -> float:
    return (state["chargers"]["rectifier"]["ac_w"] or 0.0) if state else 0.0


async def test_a_signal_while_it_charges_stops_the_charger_and_then_the_site(
    tmp_path: Path,
) -> None:
    await asyncio.gather(
        stopped_while_charging(tmp_path / "term", signal.SIGTERM),
        stopped_while_charging(tmp_path / "int", signal.SIGINT),
    )


async def test_a_broken_configuration_ends_with_its_line_and_nothing_is_started(
    tmp_path: Path,
) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("site:\n  name: X\nlinks:\n  a: {type: can, chanel: can0}\n")
    for command in ("run", "demo"):
        named = ("--config", str(file)) if command == "demo" else (str(file),)
        async with gridzero(tmp_path / command, command, *named) as process:
            assert await process.ended() == 2
            assert f"{file}:4: " in process.err
            assert "chanel" in process.err
            assert "Traceback" not in process.err
            assert not (tmp_path / command / "state").exists()


async def test_a_missing_configuration_ends_with_its_name(tmp_path: Path) -> None:
    async with gridzero(tmp_path, "run", "nowhere.yaml") as process:
        assert await process.ended() == 2
        assert "nowhere.yaml" in process.err
        assert "Traceback" not in process.err
