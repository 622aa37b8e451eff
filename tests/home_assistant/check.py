"""``make ha``: a simulated gridzero in front of a real Home Assistant, and a look at what it makes of it.

Fails on entities that do not come or show nothing, on anything Home Assistant complains about, on
settings that do not change the running system, and on what does not come back or go away.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiomqtt
import yaml
from real_home_assistant import ROOT, HomeAssistant, Talk, free_port, install

PATIENCE_S: Final = 90.0
MODULE: Final = "module_b7"


DOCS: Final = ROOT / "docs" / "home-assistant"
AUTOMATIONS: Final = """
input_number:
  car: {min: 0, max: 11000}
automation:
  - alias: Faults
    use_blueprint: {path: gridzero/fault_notification.yaml, input: {}}
  - alias: Car
    use_blueprint:
      path: gridzero/ev_hold.yaml
      input: {charging_power: input_number.car}
"""


class House:
    """``gridzero demo`` and its companion, with a folder and a broker port that stay."""

    def __init__(self, folder: Path, form: str, *options: str) -> None:
        """options: more for ``gridzero demo``."""
        self.folder, self.port, self._form, self._options = folder, free_port(), form, options
        self.file = folder / "house.yaml"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *, without_a_module: bool = False) -> None:
        values = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text())
        values["mqtt"] = {"embedded": {"port": self.port}}
        values["site"]["state_dir"] = str(self.folder / "state")
        values["home_assistant"] = {"discovery": self._form}
        values["console"] = {"enabled": False}
        values["history"] = {"enabled": False}
        values["prices"] = {"import_ct": 30, "export_ct": 8}
        if without_a_module:
            values["devices"]["battery"]["buses"]["b"]["modules"].remove(7)
        self.file.write_text(yaml.safe_dump(values))
        self._run("demo", "--alone", "--config", str(self.file), *self._options)
        self._run("companion", str(self.file), "--with-parent")

    def install(self, version: str) -> None:
        """As pip leaves it: the next gridzero that starts from this disk would be that one."""
        info = self.folder / "disk" / f"gridzero-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: gridzero\nVersion: {version}\n"
        )

    def take_back(self) -> None:
        """It has no drivers: a gridzero that is started now must not take it for itself."""
        shutil.rmtree(self.folder / "disk")

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(30)
        self._processes.clear()

    def _run(self, *arguments: str) -> None:
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "gridzero.cli", *arguments],
                    cwd=self.folder,
                    stdin=subprocess.PIPE,  # the companion ends when it does
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(self._path())},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )

    def _path(self) -> list[str]:
        return [str(self.folder / "disk"), *filter(None, [os.environ.get("PYTHONPATH")])]

    async def has_broker(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    async def said(self, key: str) -> Any:
        """The next value of a key of ``gridzero/state``; None without one."""
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            await client.subscribe("gridzero/state")
            async for message in client.messages:
                if str(message.topic) != "gridzero/state":
                    continue  # the embedded broker sends retained messages unasked
                return json.loads(bytes(message.payload))[key]
        return None


async def until(what: str, holds: Callable[[], Awaitable[Any]]) -> Any:
    """What holds() returns once that is true. Raises SystemExit when it never is."""
    end_s = time.monotonic() + PATIENCE_S
    while not (result := await holds()):
        if time.monotonic() > end_s:
            raise SystemExit(f"FAILED: {what}")
        await asyncio.sleep(0.5)
    print(f"ok: {what}")
    return result


def unclear(entities: dict[str, dict[str, Any]]) -> list[str]:
    """Entities that should show something and do not."""
    return [
        entity_id
        for entity_id, entity in entities.items()
        if not entity["disabled_by"]
        and (entity["state"] in {None, "unavailable"} or _is_unclear(entity_id, entity["state"]))
    ]


def _is_unclear(entity_id: str, state: str) -> bool:
    if state != "unknown" or entity_id.startswith(("button.", "event.", "text.")):
        return False
    return not any(part in entity_id for part in MAY_BE_UNKNOWN)


OURS: Final = (
    "The connection was lost",  # the broker went with the house, as it should here
    "Failed to connect to MQTT server",
    "Disconnected from MQTT server",
    # when a device goes, Home Assistant clears its topic once more for each entity of it that is
    # switched off, and wonders then about its own messages (components/mqtt/entity.py)
    f"No device components to cleanup for gridzero_{MODULE}",
)
"""What Home Assistant says of what is done to it here."""

MAY_BE_UNKNOWN: Final = (
    "_health",  # told every ten minutes
    "_cycles",
    "_resistance",
    "_capacity",
    "_maintenance_due",
    "_rests_because",  # none while it works
    "_time_to_",  # only where it leads there
    "_settling_time",  # none before a step of the load
    "_dc",  # not every converter measures; counters begin with the first sample
    "_temperature",
    "_today",  # none before the first figure of the day
    "_spread_of_the_avoidable_error",
    "_fan",  # none configured
    "_heating",
    "_balancing_left",
    "inverter_power",
    "_outlook",  # a word of its own there
    "_production",
    "_consumption",  # only with production
    "_savings",
)


async def check(house: House, hass: HomeAssistant, version: str, form: str) -> None:
    house.start()
    await until("the broker is there", house.has_broker)
    print(f"Home Assistant {version} starts in {await hass.start():.0f} s")
    async with hass.talk() as talk:
        await until("entities come", lambda: _settled(talk))
        await until("every entity shows something", lambda: _all_clear(talk))
        await show(talk)
        await the_dashboard_names_what_there_is(talk)
        if form == "device":
            await blueprints_work(talk)
        await changes_the_running_system(house, talk)
        await offers_an_update(house, talk)
    await hass.stop()
    await hass.start()
    async with hass.talk() as talk:
        await until("everything is back after a restart", lambda: _all_clear(talk))
        house.stop()
        await until("all is unavailable without gridzero", lambda: _all_gone(talk))
        house.start(without_a_module=True)
        await until("a removed module's device goes", lambda: _has_no_module(talk))
        await until("everything else is back", lambda: _all_clear(talk))
    complaints = [each for each in hass.complaints() if not any(map(each.count, OURS))]
    for complaint in complaints:
        print(complaint)
    if complaints:
        raise SystemExit(f"FAILED: Home Assistant complains {len(complaints)} times")
    print("ok: Home Assistant has not complained")


async def the_dashboard_names_what_there_is(talk: Talk) -> None:
    named = set(
        re.findall(r"\b[a-z_]+\.gridzero_[a-z0-9_]+", (DOCS / "dashboard.yaml").read_text())
    )
    named = {entity_id for entity_id in named if not entity_id.endswith("_")}
    missing = named - set(await talk.entities())
    if missing:
        raise SystemExit(f"FAILED: the dashboard names {sorted(missing)}")
    print(f"ok: all {len(named)} entities of the dashboard are there")


async def blueprints_work(talk: Talk) -> None:
    states = {row["entity_id"]: row["state"] for row in await talk.ask("get_states")}
    automations = {k: v for k, v in states.items() if k.startswith("automation.")}
    if automations != {"automation.faults": "on", "automation.car": "on"}:
        raise SystemExit(f"FAILED: the blueprints became {automations}")
    print("ok: both blueprints are automations that wait")


async def _settled(talk: Talk) -> bool:
    entities = await talk.entities()
    return len(entities) > 100 and "event.gridzero_event" in entities


async def _all_clear(talk: Talk) -> bool:
    entities = await talk.entities()
    left = unclear(entities)
    if left:
        _all_clear_left[:] = left
    return bool(entities) and not left


_all_clear_left: list[str] = []


async def _all_gone(talk: Talk) -> bool:
    entities = await talk.entities()
    return all(row["state"] in {"unavailable", None} for row in entities.values())


async def _has_no_module(talk: Talk) -> bool:
    return not any(MODULE in identifier for identifier in await talk.devices())


async def changes_the_running_system(house: House, talk: Talk) -> None:
    await talk.call("number.set_value", "number.gridzero_target", value=50)
    await until("a number changes the running system", lambda: _says(house, "target_w", 50.0))
    await until("and is echoed", lambda: _shows(talk, "number.gridzero_target", "50"))
    await talk.call("select.select_option", "select.gridzero_mode", option="hold")
    await until("a select changes the running system", lambda: _says(house, "mode", "hold"))
    await until("and is echoed, too", lambda: _shows(talk, "select.gridzero_mode", "hold"))
    await talk.call("button.press", "button.gridzero_acknowledge_faults")
    await until("a refusal is an event", lambda: _shows_event(talk, "refused"))
    await talk.call("select.select_option", "select.gridzero_mode", option="auto")
    await talk.call("number.set_value", "number.gridzero_target", value=0)
    await until("and back", lambda: _says(house, "mode", "auto"))


async def offers_an_update(house: House, talk: Talk) -> None:
    """Installing is the ordered restart, which the demo would refuse: the order itself is heard."""
    entity_id = "update.gridzero_update"
    await until("nothing newer is installed", lambda: _shows(talk, entity_id, "off"))
    house.install("99.1.0")
    await until("a newer one on the disk is offered", lambda: _shows(talk, entity_id, "on"))
    attributes = (await talk.entities())[entity_id]["attributes"]
    print({k: attributes[k] for k in ("installed_version", "latest_version", "release_summary")})
    await until("and can be installed", lambda: _can_install(talk, entity_id))
    async with aiomqtt.Client("127.0.0.1", house.port) as client, asyncio.timeout(PATIENCE_S):
        await client.subscribe("gridzero/restart/set")
        await talk.call("update.install", entity_id)
        async for message in client.messages:
            if str(message.topic) == "gridzero/restart/set":
                print(f"ok: installing orders the restart with {bytes(message.payload).decode()!r}")
                break
    house.take_back()


async def _can_install(talk: Talk, entity_id: str) -> bool:
    entity = (await talk.entities())[entity_id]
    return bool(entity["attributes"].get("supported_features", 0) & 1)


async def _says(house: House, key: str, value: Any) -> bool:
    return bool(await house.said(key) == value)


async def _shows(talk: Talk, entity_id: str, state: str) -> bool:
    return str((await talk.entities())[entity_id]["state"]).removesuffix(".0") == state


async def _shows_event(talk: Talk, kind: str) -> bool:
    event = (await talk.entities())["event.gridzero_event"]
    return bool(event["attributes"].get("event_type") == kind)


async def show(talk: Talk) -> None:
    entities, devices = await talk.entities(), await talk.devices()
    for device in devices.values():
        print(f"{device['name']} ({device['model']})")
        for entity_id, row in sorted(entities.items()):
            if row["device_id"] == device["id"] and not row["disabled_by"]:
                unit = row.get("attributes", {}).get("unit_of_measurement", "")
                print(f"  {entity_id:60} {row['state']} {unit}")
    hidden = sum(row["disabled_by"] is not None for row in entities.values())
    print(f"{len(devices)} devices, {len(entities)} entities, {hidden} of them switched off")


async def run(python: str, form: str, *, is_kept: bool) -> None:
    venv = install(python)
    folder = Path(tempfile.mkdtemp(prefix="gridzero-ha-"))
    house = House(folder, form)
    automations = AUTOMATIONS if form == "device" else ""  # the older one has other words for them
    shutil.copytree(DOCS / "blueprints", folder / "hass" / "blueprints" / "automation" / "gridzero")
    hass = HomeAssistant(venv, folder / "hass", house.port, automations)
    try:
        await check(house, hass, venv.name, form)
    except SystemExit:
        print("unclear:", *_all_clear_left, sep="\n  ")
        print(*hass.complaints(), sep="\n")
        raise
    finally:
        await hass.stop()
        house.stop()
        if is_kept:
            print(folder)
        else:
            shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="python3.13", help="3.13 or 3.11; for Home Assistant")
    parser.add_argument("--form", choices=("device", "single"), default="device")
    parser.add_argument("--keep", action="store_true", help="leave the folders for a look")
    arguments = parser.parse_args()
    begun_s = time.monotonic()
    asyncio.run(run(arguments.python, arguments.form, is_kept=arguments.keep))
    print(f"passed in {time.monotonic() - begun_s:.0f} s")


if __name__ == "__main__":
    main()
