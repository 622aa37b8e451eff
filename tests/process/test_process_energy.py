"""Counters of energy, seen by a reader of ``gridzero run``, which is stopped and then killed."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from process_site import Ear, ear, gridzero, site_config, until

pytestmark = pytest.mark.real_time

_GRID_W = "20000"


def told(listener: Ear) -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in listener.all("gridzero/energy")]


async def buys(listener: Ear, seconds: float) -> None:
    for _ in range(round(seconds / 0.2)):
        await listener.say("meterbox/grid", _GRID_W)
        await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_no_reader_sees_a_counter_run_backwards_when_it_is_killed(tmp_path: Path) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}})
    seen: list[dict[str, Any]] = []
    bought_s = 0.0
    for ends in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
            await until(lambda: listener.state)
            begin_s = time.monotonic()
            await buys(listener, 3.0)
            await until(lambda: told(listener))
            await site.end(ends)
            bought_s += time.monotonic() - begin_s
            assert "Traceback" not in site.err
        stored = json.loads((tmp_path / "state" / "energy.json").read_text())
        seen += told(listener)
        assert seen[-1]["grid_import_kwh"] <= stored["total"]["grid_import_kwh"]
    counts = [one["grid_import_kwh"] for one in seen]
    assert counts == sorted(counts)
    assert stored["total"]["grid_import_kwh"] <= 20.0 * bought_s / 3600.0, "nothing twice"
    assert counts[-1] > 0.005, "what the first life has counted"
