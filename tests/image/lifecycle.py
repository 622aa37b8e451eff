"""What a container goes through in years: killed, started again, stopped, started twice."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from engine import STATE, House, must, podman, rs485

PATIENCE_S = 60.0
GRACE_S = 45  # stop_grace_period of compose.yaml
HOUSE = """
site: {name: Image, state_dir: /var/lib/gridzero, log: {format: json}}
links:
  bus: {type: can, interface: virtual, channel: image}
  inverter: {type: serial, port: /dev/rs485}
devices:
  meter: {driver: mqtt_meter, topic: meterbox/grid}
  battery: {driver: vw_gte, buses: {a: {link: bus, modules: [1]}}}
  inverter: {driver: soyosource, link: inverter}
"""


def folder_of(text: str) -> tempfile.TemporaryDirectory[str]:
    """A configuration folder that user 10001 can read."""
    folder = tempfile.TemporaryDirectory(prefix="gridzero-image-")
    Path(folder.name).chmod(0o755)
    (Path(folder.name) / "house.yaml").write_text(text)
    return folder


def lifecycle(tag: str) -> dict[str, Any]:
    """Everything on one volume; each fact is what was seen."""
    volume = "gridzero-image-test"
    podman("volume", "rm", "--force", volume)
    with folder_of(HOUSE) as folder, rs485() as (_ours, port):
        first = House(tag, "gridzero-image-first", Path(folder), port, volume)
        second = House(tag, "gridzero-image-second", Path(folder), port, volume)
        for house in (first, second):
            house.remove()
            house.create()
        try:
            return {**_killed(first), **_started_twice(second), **_stopped(first)}
        finally:
            second.remove()
            first.remove()
            podman("volume", "rm", "--force", volume)


def _killed(house: House) -> dict[str, Any]:
    """Settings that were there before the kill, and after the next start."""
    must("start", house.name)
    _until_well(house)
    house.inside("set", "max_discharge_w", "321")
    _until(lambda: "321" in house.ask("cat", f"{STATE}/settings.json").stdout)
    must("kill", "--signal", "KILL", house.name)
    code = house.exit_code()
    must("start", house.name)
    _until_well(house)
    settings = json.loads(house.inside("settings"))
    return {"killed_exit": code, "setting_after_kill": settings["max_discharge_w"]}


def _started_twice(second: House) -> dict[str, Any]:
    must("start", second.name)
    code = second.exit_code()
    said = podman("logs", second.name)
    return {"second_exit": code, "second_said": (said.stdout + said.stderr).strip()}


def _stopped(house: House) -> dict[str, Any]:
    """In order: SIGTERM, and the time that compose.yaml grants."""
    well = house.ask("gridzero", "healthcheck").returncode
    began_s = time.monotonic()
    must("stop", "--time", str(GRACE_S), house.name)
    stop_s = time.monotonic() - began_s
    log = podman("logs", house.name)
    return {
        "first_stays_well": well == 0,
        "stop_s": round(stop_s, 1),
        "stop_exit": house.exit_code(),
        "stop_was_orderly": "asked to stop" in log.stderr + log.stdout,
    }


def _until_well(house: House) -> None:
    _until(lambda: house.ask("gridzero", "healthcheck").returncode == 0)


def _until(condition: Any) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until_s:
            raise SystemExit("the container did not become what it should within a minute")
        time.sleep(0.1)
