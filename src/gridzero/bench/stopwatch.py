"""From a message of the meter to the first byte for the inverter."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Final

from gridzero.bench import reference
from gridzero.bench.media import FarMedia
from gridzero.links.mqtt_client import RealMqtt
from gridzero.ports.links import MqttMessage
from gridzero.sim.house import House
from gridzero_drivers.soyosource.codec import Demand
from gridzero_drivers.soyosource.stream import DEMAND, FrameStream

LOADS_W = (60, 210, 360, 510, 660)
"""Far enough apart for a jump that the controller follows at once. No load comes back with the
reading after: that would be a spike, and after a few of them each jump must be seen twice."""

Pauses = tuple[float, float]
"""Shortest and longest time from message to message, s; drawn evenly in between."""

FREE_WIRE: Final[Pauses] = (0.27, 0.37)
"""The driver keeps 0.25 s between two demands and repeats one after 0.5 s, so in between a
changed demand may leave at once."""

TWICE_A_SECOND: Final[Pauses] = (0.48, 0.52)
"""As the meter of the reference house speaks: about when the driver repeats a demand."""

_PING_TOPIC = "bench/ping"
_PING_PAUSES_S = (0.03, 0.07)
_SUBSCRIBED_S = 0.3
_CHANGE_W = 25  # a repeated demand has none
MOST_S = 1.0
_WAITED_MS = 0.5
_MOST_RESTS = 4


@dataclass(frozen=True, slots=True)
class Samples:
    """One entry a message, ms. waited_ms: for how long a core was taken by somebody else."""

    took_ms: list[float] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)

    def undisturbed_ms(self) -> list[float]:
        """Those that waited less than half a millisecond; all when each of them waited."""
        pairs = zip(self.took_ms, self.waited_ms, strict=True)
        return [took for took, waited in pairs if waited < _WAITED_MS] or self.took_ms


class Stopwatch:
    """Publishes, and watches the far end of the inverter's wire. Needs a running loop.

    pid: of the service.
    """

    def __init__(
        self, media: FarMedia, mqtt: RealMqtt, house: House, pid: int, seed: int = 1
    ) -> None:
        self.demand_w = 0
        self._used_s = 0.0
        self._give_up_s = MOST_S
        self._meter_line, self._mqtt, self._house, self._pid = media.meter_line, mqtt, house, pid
        self._loop = asyncio.get_running_loop()
        self._random = Random(seed)
        self._stream: FrameStream[Demand] = FrameStream((DEMAND,))
        self._arrived: asyncio.Future[float] = self._loop.create_future()
        media.pty.listen(self._on_bytes)

    async def to_wire(self, seconds: float, pauses_s: Pauses, give_up_s: float = MOST_S) -> Samples:
        """Publish load after load; a sample ends with the first byte of the changed demand.

        give_up_s: what took longer counts as that.
        """
        self._give_up_s = give_up_s
        self._meter_line.is_muted = True
        loads = cycle(LOADS_W)
        try:
            for load_w in LOADS_W[-2:]:  # these may be too near to what was demanded before
                self._publish(load_w)
                await asyncio.sleep(pauses_s[1])
            return await self._repeated(lambda: self._publish(next(loads)), pauses_s, seconds)
        finally:
            self._meter_line.is_muted = False

    async def through_broker(self, seconds: float) -> Samples:
        """Publish to a subscription of the same connection: to the broker and back."""
        self._mqtt.subscribe(_PING_TOPIC, self._on_ping)
        await asyncio.sleep(_SUBSCRIBED_S)
        return await self._repeated(self._ping, _PING_PAUSES_S, seconds)

    async def _repeated(
        self, publish: Callable[[], None], pauses_s: Pauses, seconds: float
    ) -> Samples:
        samples = Samples()
        ends_s = self._loop.time() + seconds
        while (began_s := self._loop.time()) < ends_s:
            waited_s = self._waited_s()
            samples.took_ms.append(1000 * await self._timed(publish))
            samples.waited_ms.append(1000 * (self._waited_s() - waited_s))
            if pauses_s is FREE_WIRE:
                await self._until_free(self._random.uniform(*pauses_s))
            else:
                left_s = began_s + self._random.uniform(*pauses_s) - self._loop.time()
                await asyncio.sleep(left_s)
        return samples

    async def _until_free(self, pause_s: float) -> None:
        """The wire has rested for so long, also from what the controller corrects afterwards."""
        await asyncio.sleep(pause_s)
        for _ in range(_MOST_RESTS):
            left_s = self._used_s + pause_s - self._loop.time()
            if left_s > 0.0:
                await asyncio.sleep(left_s)

    async def _timed(self, publish: Callable[[], None]) -> float:
        """Seconds until something arrives; what does not arrive in time counts as that time."""
        self._arrived = self._loop.create_future()
        began_s = self._loop.time()
        publish()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._give_up_s):
                return await self._arrived - began_s
        return self._give_up_s

    def _publish(self, load_w: float) -> None:
        grid_w = round(load_w - self._house.battery_w)
        self._mqtt.publish(reference.METER_TOPIC, str(grid_w))

    def _ping(self) -> None:
        self._mqtt.publish(_PING_TOPIC, "0")

    def _on_bytes(self, data: bytes) -> None:
        now_s = self._loop.time()
        for demand in self._stream.feed(data):
            self._used_s = now_s
            if abs(demand.power_w - self.demand_w) >= _CHANGE_W:
                self._arrive(now_s)
            self.demand_w = demand.power_w

    def _on_ping(self, message: MqttMessage) -> None:
        self._arrive(message.received_at_s)

    def _arrive(self, at_s: float) -> None:
        if not self._arrived.done():
            self._arrived.set_result(at_s)

    def _waited_s(self) -> float:
        return _waited_s(os.getpid()) + _waited_s(self._pid)


def _waited_s(pid: int) -> float:
    """How long the first thread of a process was ready to run and did not get a core."""
    return int((Path("/proc") / str(pid) / "schedstat").read_text().split()[1]) / 1e9
