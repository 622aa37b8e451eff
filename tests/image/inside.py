"""What the image can do, tried from inside of it; prints one JSON object a line.

Run by check.py with the Python of the image:

    inside.py                   fences, what is not compiled, the demo's house, the health check
    inside.py set KEY VALUE     a setting, as a person sets it; ends when it holds
    inside.py settings          all that hold
    inside.py meter             a broker and a meter for a gridzero beside it, until it is killed
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
METER_PORT = 1884
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


def not_compiled() -> int:
    """How many files a start would compile, each time anew."""
    command = (sys.executable, "/opt/gridzero/compiled.py", "--check")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stderr:
        sys.exit(done.stderr)
    return len(done.stdout.splitlines())


async def settings_when(wanted: Callable[[dict[str, Any]], bool], *words: str) -> dict[str, Any]:
    """Values of all settings, once they are as wanted; words: key and value to set before."""
    async with asyncio.timeout(PATIENCE_S), aiomqtt.Client("127.0.0.1", 1883) as client:
        await client.subscribe("gridzero/settings")
        if words:
            await client.publish(f"gridzero/{words[0]}/set", words[1], qos=1)
        async for message in client.messages:
            if str(message.topic) != "gridzero/settings":
                continue  # the built-in broker hands out retained ones unasked
            told = json.loads(bytes(message.payload))["settings"]
            values = {key: one["value"] for key, one in told.items()}
            if wanted(values):
                return values
    raise AssertionError("the broker went away")


async def serve_meter() -> None:
    """Says once for each gridzero when it first decided with the meter known, CLOCK_MONOTONIC."""
    from gridzero.links.embedded_broker import EmbeddedBroker  # noqa: PLC0415 - this command's

    broker = EmbeddedBroker(report=lambda *_, **__: None, port=METER_PORT)
    await broker.start()
    async with aiomqtt.Client("127.0.0.1", METER_PORT) as client, asyncio.TaskGroup() as tasks:
        await client.subscribe("gridzero/+")
        tasks.create_task(measure(client))
        print("serving", flush=True)
        is_told = False
        async for message in client.messages:
            topic, text = str(message.topic), bytes(message.payload)
            if topic == "gridzero/status" and text == b"offline":
                is_told = False
            elif topic == "gridzero/state" and not is_told and has_meter(json.loads(text)):
                is_told = True
                print("decided", time.monotonic(), flush=True)


def has_meter(state: dict[str, Any]) -> bool:
    return state["grid_w"] is not None and state["setpoint_w"] is not None


async def measure(client: aiomqtt.Client) -> None:
    while True:
        await client.publish("meterbox/grid", "500")
        await asyncio.sleep(0.5)


def main(words: list[str]) -> None:
    match words:
        case ["set", key, value]:
            values = asyncio.run(
                settings_when(lambda now: float(now[key]) == float(value), key, value)
            )
            say(**values)
        case ["settings"]:
            say(**asyncio.run(settings_when(bool)))
        case ["meter"]:
            asyncio.run(serve_meter())
        case _:
            say(fences=fences(), not_compiled=not_compiled())
            say(demo=demo())
            say(health=health())


if __name__ == "__main__":
    main(sys.argv[1:])
