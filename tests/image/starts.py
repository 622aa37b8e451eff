"""How long a start takes: from `podman start` to the first command on the wire of the inverter."""

from __future__ import annotations

import os
import select
import statistics
import time
from pathlib import Path
from typing import Any

from engine import FENCES, INSIDE, LIMITS, House, must, podman, rs485
from lifecycle import HOUSE, folder_of

PATIENCE_S = 60.0


def starts(tag: str, times: int) -> dict[str, Any]:
    """Median and extremes of several starts of one container, s.

    The meter is there first: a container beside it holds broker and meter, as a house has them.
    """
    beside = "gridzero-image-meter"
    volume = "gridzero-image-starts"
    text = HOUSE + "mqtt: {host: 127.0.0.1, port: 1884}\n"
    with folder_of(text) as folder, rs485() as (ours, port):
        meter = House(tag, beside, Path(folder), port, volume)
        house = House(
            tag, "gridzero-image-start", Path(folder), port, volume, f"container:{beside}"
        )
        for one in (house, meter):
            one.remove()
        try:
            _serve_meter(meter)
            house.create()
            seen = [_one(house, meter, ours) for _ in range(times)]
        finally:
            house.remove()
            meter.remove()
            podman("volume", "rm", "--force", volume)
    return {
        "first_command_s": [one["command_s"] for one in seen],
        "first_with_meter_s": [one["with_meter_s"] for one in seen],
        "median_command_s": round(statistics.median(one["command_s"] for one in seen), 2),
        "median_with_meter_s": round(statistics.median(one["with_meter_s"] for one in seen), 2),
    }


def _serve_meter(meter: House) -> None:
    must(
        *("run", "--detach", "--name", meter.name, "--network", "none", *LIMITS, *FENCES),
        *("--volume", f"{INSIDE}:/check/inside.py:ro", "--entrypoint", "python"),
        *(meter.tag, "/check/inside.py", "meter"),
    )
    until_s = time.monotonic() + PATIENCE_S
    while "serving" not in podman("logs", meter.name).stdout:
        if time.monotonic() > until_s:
            raise SystemExit(f"no meter: {podman('logs', meter.name).stderr[-2000:]}")
        time.sleep(0.1)


def _one(house: House, meter: House, ours: int) -> dict[str, float]:
    _drain(ours)
    told = len(podman("logs", meter.name).stdout.splitlines())
    began_s = time.monotonic()
    must("start", house.name)
    readable, _, _ = select.select([ours], [], [], PATIENCE_S)
    if not readable:
        raise SystemExit(f"no command in {PATIENCE_S:g} s: {podman('logs', house.name).stderr}")
    command_s = time.monotonic() - began_s
    # the clock of the container is that of this machine (CLOCK_MONOTONIC)
    until_s = time.monotonic() + PATIENCE_S
    while len(lines := podman("logs", meter.name).stdout.splitlines()) <= told:
        if time.monotonic() > until_s:
            raise SystemExit("no decision with a meter")
        _drain(ours)
        time.sleep(0.1)
    must("stop", "--time", "45", house.name)
    return {
        "command_s": round(command_s, 2),
        "with_meter_s": round(float(lines[told].split()[-1]) - began_s, 2),
    }


def _drain(ours: int) -> None:
    while select.select([ours], [], [], 0)[0]:
        os.read(ours, 4096)
