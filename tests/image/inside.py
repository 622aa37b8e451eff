"""What the image can do, tried from inside of it; prints one JSON object a line.

Run by check.py with the Python of the image.
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiomqtt

PATIENCE_S = 60.0
STATE = Path("/var/lib/gridzero")
HOUSE = """
site: {name: Image, state_dir: state, log: {format: json}}
links:
  bus: {type: can, interface: virtual, channel: image}
  inverter: {type: serial, port: PORT}
devices:
  meter: {driver: mqtt_meter, topic: meterbox/grid}
  battery: {driver: vw_gte, buses: {a: {link: bus, modules: [1]}}}
  inverter: {driver: soyosource, link: inverter}
"""


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def fences() -> dict[str, Any]:
    """Who we are, what we may, and where we can write."""
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    places = ("/", "/etc", "/opt/gridzero", "/usr/bin", str(STATE), "/dev/shm")
    return {
        "uid": os.getuid(),
        "capabilities": status["CapEff"].strip(),
        "no_new_privileges": status["NoNewPrivs"].strip(),
        "writable": [place for place in places if can_write(Path(place))],
    }


def can_write(folder: Path) -> bool:
    probe = folder / ".probe"
    with suppress(OSError):
        probe.touch()
        probe.unlink()
        return True
    return False


def gridzero(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(("gridzero", *arguments), stdout=subprocess.DEVNULL)


async def first_setpoint(began_s: float) -> dict[str, float]:
    """Seconds from the start to the first decision, and to the first that moves power."""
    seen: dict[str, float] = {}
    async with asyncio.timeout(PATIENCE_S):
        while "first_power_s" not in seen:
            with suppress(aiomqtt.MqttError):  # until the broker listens
                await listen(began_s, seen)
            await asyncio.sleep(0.1)
    return seen


async def listen(began_s: float, seen: dict[str, float]) -> None:
    async with aiomqtt.Client("127.0.0.1", 1883) as client:
        await client.subscribe("gridzero/state")
        async for message in client.messages:
            if str(message.topic) != "gridzero/state":
                continue  # the built-in broker hands out retained ones unasked
            setpoint_w = json.loads(bytes(message.payload))["setpoint_w"]
            if setpoint_w is None:
                continue
            seen.setdefault("first_decision_s", round(time.monotonic() - began_s, 2))
            if setpoint_w:
                seen["first_power_s"] = round(time.monotonic() - began_s, 2)
                return


def demo() -> dict[str, float]:
    began_s = time.monotonic()
    site = gridzero("demo", "--alone", "--duration", str(PATIENCE_S))
    try:
        return asyncio.run(first_setpoint(began_s))
    finally:
        site.send_signal(signal.SIGTERM)
        site.wait(PATIENCE_S)


def health() -> dict[str, Any]:
    """The health check before, while and after commands are sent."""
    _keep, end = pty.openpty()
    house = STATE / "house.yaml"
    house.write_text(HOUSE.replace("PORT", os.ttyname(end)))
    before = healthcheck()
    site = gridzero("run", "--alone", str(house))
    became_well = waited_for(lambda: healthcheck() == 0)
    site.send_signal(signal.SIGTERM)
    code = site.wait(PATIENCE_S)
    return {"before": before, "well": became_well, "exit": code, "after": healthcheck()}


def healthcheck() -> int:
    return gridzero("healthcheck").wait(PATIENCE_S)


def waited_for(condition: Callable[[], bool]) -> bool:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        if condition():
            return True
    return False


if __name__ == "__main__":
    say(fences=fences())
    say(demo=demo())
    say(health=health())
    sys.exit(0)
