"""A house whose power really moves: ``gridzero run`` between a module, an inverter and a meter.

The module is the driver's twin behind socketcand on TCP, the inverter a pseudo-terminal, the meter a
client of the broker as any other: it comes back by itself half a second after an outage.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt
from free_ports import free_port
from process_site import LOOPBACK, Process, Terminal, gridzero, site_config, until

from gridzero.links.tasks import cancel_all
from gridzero.ports.links import CanFrame
from gridzero_drivers.soyosource.codec import DEMAND_BYTES, DEMAND_HEAD, Demand, parse_demand
from gridzero_drivers.vw_gte.options import VwGteOptions
from gridzero_drivers.vw_gte.twin import GteBusTwin

LOAD_W = 120.0
GRID_TOPIC = "meterbox/grid"
METER_S = 0.5
STEP_S = 0.02
_LATE_STEPS = 30  # the inverter delivers what it was asked for 0.6 s ago


class Cells:
    """A calm battery; meets ports.twins.World as far as a module looks at it."""

    now_s, grid_w, mains_v, battery_v, battery_a, is_connected = 0.0, 0.0, 230.0, 44.4, 0.0, True

    def cell_v(self, _module: str) -> Sequence[float]:
        return [3.7] * 12

    def temp_c(self, _module: str) -> float:
        return 20.0

    def bleed(self, _module: str, _cells: int) -> None: ...


class CanServer:
    """One module behind socketcand; its protocol is text in angle brackets."""

    def __init__(self) -> None:
        self.port = free_port()
        options = VwGteOptions.model_validate({"buses": {"a": {"link": "bus", "modules": [1]}}})
        self._twin = GteBusTwin(list(options.members()), Cells())
        self._writer: asyncio.StreamWriter | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        task = asyncio.create_task(self._live())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            server.close()
            if self._writer is not None:
                self._writer.transport.abort()
            await asyncio.sleep(STEP_S)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            frames = self._twin.advance(STEP_S)
            if self._writer is not None and not self._writer.is_closing():
                self._writer.write("".join(map(_line, frames)).encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"< hi >")
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                words = (await reader.readuntil(b">")).decode().strip("<> ").split()
                if words[0] == "send":
                    self._twin.receive(_frame(words))
                elif words[0] in {"open", "rawmode"}:
                    writer.write(b"< ok >")
                    self._writer = writer
        writer.close()


def _line(frame: CanFrame) -> str:
    can_id = f"{frame.can_id:08X}" if frame.is_extended else f"{frame.can_id:03X}"
    return f"< frame {can_id} 1.0 {frame.data.hex()} >"


def _frame(words: list[str]) -> CanFrame:
    data = bytes(int(each, 16) for each in words[3:])
    return CanFrame(int(words[1], 16), data, is_extended=len(words[1]) > 3)


class House:
    """What its wires show. inverter_w: the last demand on RS485, None before the first."""

    def __init__(self, site: Process, terminal: Terminal, port: int) -> None:
        self.site, self.port = site, port
        self.inverter_w: int | None = None
        self.load_w = LOAD_W
        self.is_measuring = True
        self.retains = False
        self._terminal = terminal
        self._rest = b""
        self._asked: deque[int] = deque([0] * _LATE_STEPS, maxlen=_LATE_STEPS)

    async def watch_the_inverter(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            self._take(self._terminal.read())
            self._asked.append(self.inverter_w or 0)

    def _take(self, data: bytes) -> None:
        self._rest += data
        while (at := self._rest.find(DEMAND_HEAD)) >= 0 and len(self._rest) >= at + DEMAND_BYTES:
            demand = parse_demand(self._rest[at : at + DEMAND_BYTES])
            if isinstance(demand, Demand):
                self.inverter_w = demand.power_w
            self._rest = self._rest[at + DEMAND_BYTES :]

    async def measure(self, **account: Any) -> None:
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(LOOPBACK, self.port, timeout=2, **account) as client:
                    while True:
                        if self.is_measuring:
                            await client.publish(
                                GRID_TOPIC, f"{self.grid_w:.1f}", qos=1, retain=self.retains
                            )
                        await asyncio.sleep(METER_S)
            await asyncio.sleep(METER_S)

    @property
    def grid_w(self) -> float:
        return self.load_w - self._asked[0] + random.uniform(-2.0, 2.0)

    @property
    def is_held(self) -> bool:
        """The inverter carries most of the load."""
        return (self.inverter_w or 0) > 0.7 * self.load_w

    @property
    def is_at_rest(self) -> bool:
        return self.inverter_w == 0

    async def holds(self) -> None:
        await until(lambda: self.is_held)

    async def rests(self) -> None:
        await until(lambda: self.is_at_rest)

    def told(self, code: str) -> list[dict[str, Any]]:
        return self.site.events(f"{code}.raised")


@asynccontextmanager
async def house(
    folder: Path, port: int, *, beside: bool = False, **mqtt: Any
) -> AsyncIterator[House]:
    """A running house that has not yet begun to move power; its account is the meter's, too."""
    server, terminal = CanServer(), Terminal()
    bus = {
        "type": "can",
        "interface": "socketcand",
        "channel": "can0",
        "options": {"host": LOOPBACK, "port": server.port},
    }
    account = {key: mqtt[key] for key in ("username", "password") if key in mqtt}
    settings = {"host": LOOPBACK, "port": port, **mqtt}
    config = site_config(folder, settings, terminal.path, bus=bus)
    async with server.serving(), gridzero(folder, "run", config, beside=beside) as site:
        made = House(site, terminal, port)
        tasks = [
            asyncio.create_task(made.watch_the_inverter()),
            asyncio.create_task(made.measure(**account)),
        ]
        try:
            yield made
            assert "Traceback" not in site.err
        finally:
            await cancel_all(tasks)
            terminal.close()
