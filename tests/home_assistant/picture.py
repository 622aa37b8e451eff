"""``make ha-picture``: docs/home-assistant/dashboard.yaml in a real Home Assistant, photographed.

The day before is a simulated one: the same house runs through it in simulated time, and what its
face says is written into the recorder's database while Home Assistant rests. A time zone is chosen
in which it is late morning now, and the house goes on from there in real time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from check import House, until
from playwright.async_api import Page, async_playwright
from real_home_assistant import ROOT, HomeAssistant, install

from gridzero.config.faces import HomeAssistantConfig
from gridzero.config.loader import load
from gridzero.demo.command import demo_config
from gridzero.demo.scene import Scene
from gridzero.demo.simulated import SimulatedSite
from gridzero.outputs.feed import Feed
from gridzero.outputs.home_assistant.face import HomeAssistantFace
from gridzero.plugins import find_plugins
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import MqttMessage
from gridzero.sim.loop import run_simulated

FOLDER: Final = ROOT / "docs" / "home-assistant"
HOUR: Final = 11
SAMPLE_S: Final = 60.0
ENTITIES: Final = {
    "grid_power": "sensor.gridzero_grid_power",
    "net_load": "sensor.gridzero_net_load",
    "battery_power": "sensor.gridzero_battery_power",
    "soc": "sensor.gridzero_state_of_charge",
}
Point = tuple[float, str, float]


def a_day(hours: float) -> list[Point]:
    """(seconds since its beginning, entity id, value) of a simulated day that ends at HOUR."""
    return run_simulated(_a_day(hours * 3600.0))


async def _a_day(seconds: float) -> list[Point]:
    plugins = find_plugins().plugins
    scene = Scene(start_h=(HOUR - seconds / 3600.0) % 24, soc=0.45)
    site = SimulatedSite(load(demo_config(), plugins), plugins, scene)
    points: list[Point] = []
    last_s: dict[str, float] = {}

    def take(message: MqttMessage) -> None:
        values: dict[str, Any] = json.loads(message.payload)
        for key, entity_id in ENTITIES.items():
            value, at_s = values.get(key), message.received_at_s
            if value is not None and at_s - last_s.get(key, -SAMPLE_S) >= SAMPLE_S:
                last_s[key] = at_s
                points.append((at_s, entity_id, value))

    ear = site.links.broker.attach()
    for pace in ("power", "readings"):
        ear.subscribe(f"gridzero/ha/main/{pace}", take)
    feed = Feed(site.links.broker.attach(), LoopClock(), "gridzero")
    with tempfile.TemporaryDirectory() as folder:
        face = HomeAssistantFace(feed, LoopClock(), HomeAssistantConfig(), state_dir=Path(folder))
        task = asyncio.create_task(face.run())
        try:
            await site.run(seconds)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return points


def remember(folder: Path, points: list[Point], seconds: float) -> None:
    """Put the day into the database of a Home Assistant that rests."""
    begin_s = time.time() - seconds
    with closing(sqlite3.connect(folder / "home-assistant_v2.db")) as database:
        for entity_id in ENTITIES.values():
            known = database.execute(
                "SELECT m.metadata_id, max(s.attributes_id), min(s.last_updated_ts)"
                " FROM states_meta m JOIN states s USING (metadata_id) WHERE m.entity_id = ?",
                (entity_id,),
            ).fetchone()
            database.executemany(
                "INSERT INTO states (metadata_id, attributes_id, state, last_updated_ts)"
                " VALUES (?, ?, ?, ?)",
                _rows(points, entity_id, known, begin_s),
            )
        database.commit()


def _rows(
    points: list[Point], entity_id: str, known: tuple[int, int, float], begin_s: float
) -> Iterator[tuple[int, int, str, float]]:
    metadata_id, attributes_id, first_s = known
    for at_s, entity, value in points:
        if entity == entity_id and begin_s + at_s < first_s:
            yield metadata_id, attributes_id, str(value), begin_s + at_s


def cells_soc(points: list[Point]) -> float:
    """State of charge of the cells at the day's end: 54.5 % of what may be used is half of them."""
    last_pct = next(value for _, entity, value in reversed(points) if entity == ENTITIES["soc"])
    return 0.5 + (last_pct - 54.5) / 125.0


def time_zone() -> str:
    """One in which it is HOUR o'clock now; in these names plus is west."""
    west = (datetime.now(UTC).hour - HOUR) % 24
    return f"Etc/GMT+{west}" if west <= 12 else f"Etc/GMT-{24 - west}"


async def photograph(hass: HomeAssistant, chromium: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--force-color-profile=srgb"]
        )
        for name, scheme, width, height in SHOTS:
            context = await browser.new_context(
                color_scheme=scheme,
                viewport={"width": width, "height": height},
                device_scale_factor=1.5 if width > 1000 else 2,
                locale="en-GB",
                timezone_id=time_zone(),
            )
            await context.add_init_script(_let_in(hass))
            page = await context.new_page()
            await _shoot(page, hass, FOLDER / f"{name}.png")
            await context.close()
        await browser.close()


SHOTS: Final = (
    ("cockpit", "dark", 1680, 1120),
    ("cockpit-light", "light", 1680, 1120),
    ("cockpit-phone", "dark", 430, 930),
)


def _let_in(hass: HomeAssistant) -> str:
    tokens = {
        "access_token": hass.token,
        "token_type": "Bearer",
        "expires_in": 86400,
        "expires": int((time.time() + 86400) * 1000),
        "hassUrl": hass.url,
        "clientId": f"{hass.url}/",
        "refresh_token": "",
    }
    return (
        f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))});"
        "localStorage.setItem('dockedSidebar', '\"always_hidden\"');"
    )


async def _shoot(page: Page, hass: HomeAssistant, file: Path) -> None:
    await page.goto(f"{hass.url}/lovelace/cockpit?kiosk", wait_until="load")
    await page.wait_for_timeout(9000)
    await page.screenshot(path=file)
    print(file)


async def run(python: str, chromium: str, hours: float, *, points: list[Point]) -> None:
    venv = install(python)
    folder = Path(tempfile.mkdtemp(prefix="gridzero-ha-"))
    (folder / "hass").mkdir()
    house = House(folder, "device", "--start", str(HOUR), "--soc", f"{cells_soc(points):.3f}")
    hass = HomeAssistant(venv, folder / "hass", house.port, "lovelace:\n  mode: yaml\n")
    yaml_file = folder / "hass" / "configuration.yaml"
    text = yaml_file.read_text().replace("time_zone: UTC", f"time_zone: {time_zone()}")
    yaml_file.write_text(text)
    screen = (FOLDER / "dashboard.yaml").read_text()
    screen = screen.replace("hours_to_show: 12", f"hours_to_show: {hours:g}")
    (folder / "hass" / "ui-lovelace.yaml").write_text(screen)
    try:
        house.start()
        await until("the broker is there", house.has_broker)
        await hass.start()
        async with hass.talk() as talk:
            await until("the grid is seen", lambda: _sees_grid(talk))
        await asyncio.sleep(20)
        await hass.stop()
        remember(folder / "hass", points, hours * 3600.0)
        await hass.start()
        async with hass.talk() as talk:
            await until("the grid is seen again", lambda: _sees_grid(talk))
        await asyncio.sleep(65)
        await photograph(hass, chromium)
    finally:
        await hass.stop()
        house.stop()
        shutil.rmtree(folder)


async def _sees_grid(talk: Any) -> bool:
    entities = await talk.entities()
    state = entities.get("sensor.gridzero_state_of_charge", {}).get("state")
    return state not in {None, "unknown", "unavailable"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="python3.13", help="for Home Assistant")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    parser.add_argument("--hours", type=float, default=9.0, help="of the simulated day before")
    parser.add_argument("--day", type=Path, help="file that keeps that day for the next picture")
    arguments = parser.parse_args()
    if arguments.day and arguments.day.exists():
        points = [tuple(point) for point in json.loads(arguments.day.read_text())]
    else:
        points = a_day(arguments.hours)
    if arguments.day:
        arguments.day.write_text(json.dumps(points))
    points = [point for point in points if point[0] <= arguments.hours * 3600.0]
    asyncio.run(run(arguments.python, arguments.chromium, arguments.hours, points=points))


if __name__ == "__main__":
    main()
