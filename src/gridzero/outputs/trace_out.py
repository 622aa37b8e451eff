"""``gridzero/trace/LINK``: what passes on a link, several times a second while somebody asks."""

from __future__ import annotations

import json

from gridzero.ports.clock import Clock
from gridzero.ports.links import MqttLink
from gridzero.runtime.trace import Passed, Traced, Tracer

PERIOD_S = 0.25


class TraceOut:
    """Publishes what the tracer has kept."""

    def __init__(self, tracer: Tracer, link: MqttLink, clock: Clock, prefix: str) -> None:
        self._tracer, self._link, self._clock, self._prefix = tracer, link, clock, prefix

    async def run(self) -> None:
        """Publish until cancelled; asleep while nobody looks."""
        while True:
            await self._tracer.wanted()
            await self._clock.sleep_s(PERIOD_S)
            for traced in self._tracer.take():
                self._link.publish(f"{self._prefix}/trace/{traced.link}", _text(traced))


def _text(traced: Traced) -> str:
    values = {
        "link": traced.link,
        "kind": traced.kind,
        "dropped": traced.dropped,
        "frames": [_frame(passed) for passed in traced.frames],
    }
    return json.dumps(values, separators=(",", ":"))


def _frame(passed: Passed) -> list[object]:
    """[monotonic s, rx or tx, id, is extended, data as hex]; id null for serial bytes."""
    return [
        round(passed.at_s, 4),
        passed.direction,
        passed.can_id,
        passed.is_extended,
        passed.data.hex(),
    ]
