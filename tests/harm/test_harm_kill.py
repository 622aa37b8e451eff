"""``gridzero run`` killed by the kernel, at random times, with its devices on real wires.

The harness is the one of the real-time bench: the service is a process of its own, its CAN buses
are socket pairs, its RS485 line a pseudo-terminal, its broker its own; the twins live here.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gridzero.bench import reference
from gridzero.bench.media import FarMedia, ShuntFile
from gridzero.bench.process import ServiceProcess, service_process
from gridzero.demo.live import free_port
from gridzero.demo.scene import build_twins
from gridzero.links.mqtt_client import RealMqtt
from gridzero.plugins import load_plugins
from gridzero.sim.house import House
from gridzero.sim.sources import Constant
from gridzero.sim.twin_bench import STEP_S, TwinBench

pytestmark = pytest.mark.real_time

KILLS = int(os.environ.get("GRIDZERO_HARM_KILLS", "1"))
_PATIENCE_S = 40.0
_LOOK_S = 0.05
_FADES_S = 2.5  # dead time, a step of the twins, and a machine with other work


class Wires:
    """House and twins, that outlive every service on their wires."""

    def __init__(
        self, media: FarMedia, house: House, inverter: Any, config: Path, port: int
    ) -> None:
        """port: that of the broker."""
        self.media, self.house, self.inverter, self.config = media, house, inverter, config
        self.port = port

    async def until_power(self, *, flows: bool, limit_s: float = _PATIENCE_S) -> float:
        """Wait for the true output of the inverter; returns how long it took, s."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with asyncio.timeout(limit_s):
            while (self.inverter.ac_w > 0.0) is not flows:  # noqa: ASYNC110 - a twin does not call back
                await asyncio.sleep(_LOOK_S)
        return loop.time() - began_s

    @asynccontextmanager
    async def service(self) -> AsyncIterator[ServiceProcess]:
        descriptors = self.media.descriptors().values()
        async with service_process("gridzero.bench.service", self.config, descriptors) as service:
            yield service


@asynccontextmanager
async def wires(folder: Path) -> AsyncIterator[Wires]:
    port = free_port(0)
    mqtt = RealMqtt(host="127.0.0.1", port=port, name="twins", report=lambda *_, **__: None)
    media = FarMedia(reference.CAN_LINKS, reference.SERIAL_LINK, mqtt)
    config = folder / "house.yaml"
    yaml = reference.text(
        config.parent, port=port, pty=media.pty.path, descriptors=media.descriptors()
    )
    config.write_text(yaml)
    loaded = reference.loaded(yaml)
    house = reference.house(loaded)
    house.load, house.sun = Constant(500.0), Constant(0.0)
    twins = build_twins(loaded, load_plugins(), house, 1)
    inverter: Any = next(t for device in twins.values() for t in device.serial.values())
    bench, shunt = TwinBench(house, twins, media), ShuntFile(config.with_name("shunt"), house)
    tasks = [asyncio.create_task(each) for each in (bench.run(), shunt.run(), mqtt.run())]
    try:
        inverter.loss_s = 3.5  # the shorter of two that are told: tests have no time
        yield Wires(media, house, inverter, config, port)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        media.close()


@pytest.mark.slow
async def test_a_killed_service_leaves_no_power_and_the_next_one_takes_over(
    tmp_path: Path,
) -> None:
    chance = Random(KILLS)
    async with wires(tmp_path) as there, AsyncExitStack() as services:
        for _ in range(KILLS):
            service = await services.enter_async_context(there.service())
            await there.until_power(flows=True)
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            os.kill(service.pid, signal.SIGKILL)
            stopped_s = await there.until_power(flows=False)
            assert stopped_s <= there.inverter.loss_s + _FADES_S
            await asyncio.sleep(2 * STEP_S)
            assert there.house.battery_w <= 0.0
        await services.enter_async_context(there.service())
        await there.until_power(flows=True)
        assert (there.config.parent / "house.log").read_text().count("Traceback") == 0
