"""What a simulated house says, as the dashboard hears it, and somebody who says it at a broker."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aiomqtt
import yaml
from free_ports import free_port

from gridzero.config.faces import HistoryConfig
from gridzero.config.loader import load
from gridzero.demo.scene import Scene
from gridzero.demo.simulated import SimulatedSite
from gridzero.links.embedded_broker import EmbeddedBroker
from gridzero.links.memory import MemoryLinks
from gridzero.links.tasks import cancel_all
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.ear import Ear
from gridzero.outputs.history.recorder import Recorder
from gridzero.plugins import find_plugins
from gridzero.ports.clock import LoopClock
from gridzero.sim.household import Household
from gridzero.sim.loop import run_simulated
from gridzero.sim.sources import Sun

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
LOOPBACK = "127.0.0.1"
DAY_S = 86_400.0
Said = dict[str, Any]

SECRET = "correct horse battery"


def said(seconds: float = 75.0) -> Said:
    """The newest word on each topic after so many simulated seconds; yours to change."""
    return json.loads(_said(seconds))


@cache
def _said(seconds: float) -> str:
    found = find_plugins()
    loaded = load(DEMO, found.plugins)

    async def live() -> dict[str, Any]:
        site = SimulatedSite(loaded, found.plugins, Scene(start_h=11.0, soc=0.62))
        heard: dict[str, Any] = {}

        def hear(message: Any) -> None:
            words = message.payload.decode()
            if words.startswith("{") and not _is_last_word(words):
                heard[message.topic.removeprefix("gridzero/")] = json.loads(words)

        site.links.mqtt().subscribe("gridzero/#", hear)
        await site.run(seconds)
        return heard

    return json.dumps(run_simulated(live()))


def _is_last_word(words: str) -> bool:
    """The state that says goodbye."""
    return '"because":"stopping"' in words


def with_trouble(house: Said) -> Said:
    """A tripped module that waits for a person, a sensor in doubt, cells that are being bled."""
    house["state"]["faults"].append(
        {
            "code": "module_apart",
            "subject": "b3",
            "level": "trip",
            "is_latched": True,
            "text": "module b3 was 0.4 V away from its siblings for 60 s",
            "remedy": "Look at its fuse and its cables, then acknowledge",
        }
    )
    house["cells"]["b3"]["suspect"] = [7]
    house["cells"]["b3"]["cells_v"][6] = 2.581
    house["cells"]["a8"]["bleeding"] = [1, 2, 10]
    house["battery"]["trust"]["cells"] = [
        {
            "cell": "b3.7",
            "oddity": "low",
            "blame": "sensor",
            "text": "reads 2.581 V, its neighbours show 3.788 V",
        }
    ]
    return house


def with_age(house: Said) -> Said:
    """What a battery of some months has learned."""
    house["health"].update(
        capacity_ah={"value": 176.4, "sigma": 3.1},
        health_pct={"value": 78.4, "sigma": 1.4},
        ohm={"value": 0.0101, "sigma": 0.0004},
        weakest_first=["b3", "a7", "b6"],
    )
    house["battery"]["charge"].update(anchored_ago_h=9.4, full_ago_h=190.0)
    house["battery"]["balancing"].update(ah_left=1.7, hours_left=6.2)
    house["health"]["modules"] = {
        name: {
            "capacity_ah": {"value": 19.6 - 0.2 * place, "sigma": 0.4},
            "ohm": {"value": 0.0909 + 0.002 * place, "sigma": 0.003},
        }
        for place, name in enumerate(house["cells"])
    }
    house["health"].update(cycles=214.3, out_kwh=1673.0, maintenance=[_WEAK])
    return with_week(house)


_WEAK = {
    "code": "weak_module",
    "subject": "b3",
    "urgency": "watch",
    "what": "has less capacity than its siblings",
    "why": "18.6 Ah where the others have 19.4 Ah",
    "sure_pct": 88,
    "remedy": "Balance it; if that does not help, look for a better one",
}


def with_week(house: Said) -> Said:
    """Counters of a week with sun, the day before yesterday excepted."""
    energy, dice = house["energy"], random.Random(11)
    today = date.fromisoformat(energy["today"]["date"])
    energy["days"] = [
        {"date": (today - timedelta(days=ago)).isoformat(), **_counted(dice.uniform(0.5, 1.1))}
        for ago in (1, 3, 4, 5, 6, 7)
    ]
    energy["today"].update(_counted(0.6), autarky_pct=84.0, surplus_used_pct=91.0, savings_ct=143)
    energy["today"].update(import_cost_ct=31.0, export_income_ct=2.4, self_consumption_pct=96.0)
    energy.update({key: 212.0 * value for key, value in _counted(0.9).items()})
    energy.update(savings_ct=36_830.0, import_cost_ct=9_216.0, export_income_ct=911.0)
    return house


def _counted(sun: float) -> dict[str, float]:
    """A day's counters, kWh. sun: 1 = a clear day in spring."""
    produced, used = 9.4 * sun, 7.9
    straight = min(3.1, 0.4 * produced)
    surplus = produced - straight
    stored = min(5.2, 0.9 * surplus)
    from_battery = min(0.8 * stored, used - straight)
    return {
        "produced_kwh": produced,
        "consumed_kwh": used,
        "house_kwh": used - straight,
        "house_from_battery_kwh": from_battery,
        "surplus_kwh": surplus,
        "grid_import_kwh": used - straight - from_battery,
        "grid_export_kwh": surplus - stored,
        "battery_charged_kwh": stored,
        "battery_discharged_kwh": from_battery,
    }


class Talker:
    """Says a house at a broker each second, and answers what is asked."""

    def __init__(self, client: aiomqtt.Client, house: Said, *, lively: bool) -> None:
        self._client, self.house, self._lively = client, house, lively
        self.asked: list[dict[str, Any]] = []
        self.is_silent = False
        self._dice = random.Random(3)

    async def talk(self) -> None:
        await self._client.publish("gridzero/status", "online", retain=True)
        turn = 0
        while True:
            if not self.is_silent:
                await self._say(turn)
            turn += 1
            await asyncio.sleep(1.0 if self._lively else 0.25)

    async def _say(self, turn: int) -> None:
        state = self.house["state"]
        if self._lively:
            state["grid_w"] = round(self._dice.gauss(0.0, 5.0), 1)
        await self.say("state", state)
        if turn % 4 == 0:
            for topic in ("cells", "battery", "health", "energy", "score", "settings"):
                if topic in self.house:
                    await self.say(topic, self.house[topic], retain=topic == "settings")

    async def say(self, topic: str, values: Any, *, retain: bool = False) -> None:
        await self._client.publish(f"gridzero/{topic}", json.dumps(values), retain=retain)

    async def offline(self) -> None:
        self.is_silent = True
        await self._client.publish("gridzero/status", "offline", retain=True)

    async def online(self) -> None:
        await self._client.publish("gridzero/status", "online", retain=True)
        self.is_silent = False

    async def answer(self) -> None:
        await self._client.subscribe("gridzero/ask")
        async for message in self._client.messages:
            ask = json.loads(bytes(message.payload))
            self.asked.append(ask)
            ok = ask["what"] != "target_w"
            text = (
                f"{ask['what']}: done"
                if ok
                else f"target_w takes -2000 to 2000, not {ask['value']}"
            )
            await self.say("answer", {"id": ask["id"], "ok": ok, "text": text})


@asynccontextmanager
async def talking(port: int, house: Said, *, lively: bool = False) -> AsyncIterator[Talker]:
    async with aiomqtt.Client(LOOPBACK, port) as client:
        talker = Talker(client, house, lively=lively)
        tasks = [asyncio.create_task(talker.talk()), asyncio.create_task(talker.answer())]
        try:
            yield talker
        finally:
            await cancel_all(tasks)


def record_days(file: Path, days: float, state: Said, *, step_s: float = 10.0) -> None:
    """Fill a history by the real recorder with days of a simple household that end now."""
    file.parent.mkdir(parents=True, exist_ok=True)
    run_simulated(_record(file, days * DAY_S, state, step_s))


async def _record(file: Path, seconds: float, state: Said, step_s: float) -> None:
    clock, links = LoopClock(), MemoryLinks()
    feed = Feed(links.mqtt(), clock, "gridzero")
    begin_s = time.time() - seconds
    settings = HistoryConfig(batch_s=300)
    recorder = Recorder(
        feed, clock, file, settings, Ear(feed, clock, lambda: begin_s + clock.now_s()), _at_once
    )
    recording = asyncio.create_task(recorder.run())
    here = time.localtime(begin_s)
    speaker = links.mqtt()
    day = Day(here.tm_hour * 3600.0 + here.tm_min * 60.0, state)
    for _ in range(int(seconds / step_s)):
        speaker.publish("gridzero/state", json.dumps(day.pass_s(step_s)))
        await clock.sleep_s(step_s)
    recording.cancel()
    await asyncio.gather(recording, return_exceptions=True)


async def _at_once(function: Callable[[], Any], *, limit_s: float) -> Any:
    assert limit_s > 0
    return function()


class Day:
    """A house in which the battery covers what it can: arithmetic in the place of devices."""

    def __init__(self, at_s: float, state: Said) -> None:
        self._at_s, self._state = at_s, state
        self._load, self._sun = Household(5), Sun(peak_w=1500.0, seed=4)
        self._dice = random.Random(7)
        self.wh = 4200.0

    def pass_s(self, step_s: float) -> Said:
        sun_w = self._sun.power_w(self._at_s)
        net_w = self._load.power_w(self._at_s) - sun_w
        battery_w = max(-2400.0, min(900.0, net_w))
        if (battery_w < 0 and self.wh > 7500) or (battery_w > 0 and self.wh < 900):
            battery_w = 0.0
        self.wh -= battery_w * step_s / 3600.0 * (1.06 if battery_w > 0 else 0.94)
        self._at_s += step_s
        soc = self.wh / 7800.0
        middle_v = 3.45 + 0.55 * soc - battery_w * 1.5e-5
        spread_v = 0.022 + 0.03 * abs(soc - 0.5) ** 2 + 4e-6 * abs(battery_w)
        battery = {
            **self._state["battery"],
            "soc_pct": round(100 * soc, 1),
            "min_cell_v": round(middle_v - spread_v / 2, 3),
            "max_cell_v": round(middle_v + spread_v / 2, 3),
        }
        return {
            **self._state,
            "grid_w": round(net_w - battery_w + self._dice.gauss(0, 6), 1),
            "pv_w": round(sun_w, 1),
            "because": _because(net_w, battery_w),
            "net_load_w": round(net_w, 1),
            "setpoint_w": round(battery_w, 1),
            "battery": battery,
        }


def _because(net_w: float, battery_w: float) -> str:
    if battery_w == 0.0 and abs(net_w) > 20.0:
        return "soc_high" if net_w < 0 else "soc_low"
    if abs(battery_w - net_w) > 20.0:
        return "charger_maximum" if net_w < 0 else "inverter_maximum"
    return "storing_surplus" if net_w < 0 else "covering_load"


@asynccontextmanager
async def broker() -> AsyncIterator[int]:
    """The built-in one; yields its port."""
    port = free_port()
    served = EmbeddedBroker(report=_untold, port=port)
    await served.start()
    try:
        yield port
    finally:
        await served.stop()


def _untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """Nobody listens."""


@asynccontextmanager
async def dashboard(folder: Path, mqtt_port: int, **options: Any) -> AsyncIterator[str]:
    """``gridzero dashboard`` as people start it; yields its address when it answers."""
    values = yaml.safe_load(DEMO.read_text())
    port = options.pop("port", None) or free_port()
    values["mqtt"] = {"host": LOOPBACK, "port": mqtt_port}
    values["site"] = {"name": "Demo house", "state_dir": str(folder / "state")}
    values["dashboard"] = {"port": port, **options}
    file = folder / "house.yaml"
    file.write_text(yaml.safe_dump(values))
    with (folder / "dashboard.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gridzero.cli", "dashboard", str(file)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"},
        )
    try:
        await _answers(port, process)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60.0):
        while True:
            assert process.returncode is None, "the dashboard ended"
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return
