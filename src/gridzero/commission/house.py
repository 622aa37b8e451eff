"""A running gridzero seen over MQTT: what it says, and what it is asked."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from gridzero.errors import GridzeroError
from gridzero.outputs.values import at, number_of
from gridzero.ports.links import MqttLink, MqttMessage

Json = dict[str, Any]

ANSWER_S = 5.0
SILENT_S = 5.0
LEASE_S = 10.0
_RENEW_S = 3.0
LONGEST_S = 300.0
"""A trial ends after so long although nobody has stopped it: the person has gone."""


class NotThere(GridzeroError):
    """No gridzero speaks, or it has stopped to speak."""


class Refused(GridzeroError):
    """gridzero does not do what it is asked."""


class Answer(NamedTuple):
    """What became of a question."""

    ok: bool
    text: str


class House:
    """Hears from its making on."""

    def __init__(self, link: MqttLink, prefix: str) -> None:
        self._link, self._prefix = link, prefix
        self._said: dict[str, Json] = {}
        self._states: list[asyncio.Queue[Json]] = []
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        for topic in ("state", "cells", "battery", "settings", "answer"):
            link.subscribe(f"{prefix}/{topic}", self._on_message)

    def said(self, topic: str) -> Json:
        """The newest message of a topic, {} before the first."""
        return self._said.get(topic, {})

    async def state(self) -> Json:
        """The next state. Raises NotThere."""
        return (await self.states(1))[0]

    async def states(self, count: int) -> list[Json]:
        """So many states, about one a second. Raises NotThere when they stop."""
        news: asyncio.Queue[Json] = asyncio.Queue()
        self._states.append(news)
        try:
            return [await self._next(news) for _ in range(count)]
        finally:
            self._states.remove(news)

    async def cells(self, limit_s: float = 15.0) -> Json:
        """Cells by module, which are told every ten seconds. Raises NotThere."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + limit_s
        while "cells" not in self._said and loop.time() < end_s:
            await self.state()
        return self.said("cells")

    async def ask(self, what: str, value: str) -> str:
        """Carry out a setting or an action; returns its words. Raises Refused, NotThere."""
        number = secrets.token_hex(8)
        self._asked[number] = asyncio.get_running_loop().create_future()
        question = {"id": number, "what": what, "value": value, "by": "commission"}
        try:
            self._link.publish(f"{self._prefix}/ask", json.dumps(question))
            async with asyncio.timeout(ANSWER_S):
                answer = await self._asked[number]
        except (TimeoutError, GridzeroError):
            raise self._not_there() from None
        finally:
            del self._asked[number]
        if not answer.ok:
            raise Refused(answer.text, where=what, remedy="Nothing was changed")
        return answer.text

    @asynccontextmanager
    async def trial(self, direction: str, power_w: float) -> AsyncIterator[None]:
        """Charge or discharge with so much within, at rest again behind.

        gridzero itself ends it LEASE_S after the last renewal, whatever becomes of this process.
        Raises Refused, NotThere.
        """
        order = f"{direction} {power_w:g} {LEASE_S:g}"
        await self.ask("trial", order)
        renewal = asyncio.create_task(self._renew(order), name="trial")
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)
            with suppress(GridzeroError):  # then it ends by itself
                await self.ask("trial", "stop")

    async def _renew(self, order: str) -> None:
        for _ in range(int(LONGEST_S / _RENEW_S)):
            await asyncio.sleep(_RENEW_S)
            with suppress(NotThere):
                await self.ask("trial", order)

    async def _next(self, news: asyncio.Queue[Json]) -> Json:
        try:
            async with asyncio.timeout(SILENT_S):
                return await news.get()
        except TimeoutError:
            raise self._not_there() from None

    def _not_there(self) -> NotThere:
        return NotThere(
            "no gridzero speaks there",
            where=f"{self._prefix}/state",
            remedy="Start gridzero, or give the broker with --config or --mqtt",
        )

    def _on_message(self, message: MqttMessage) -> None:
        topic = message.topic.removeprefix(f"{self._prefix}/")
        with suppress(ValueError, RecursionError):
            told = json.loads(message.payload)
            if isinstance(told, dict) and not (message.retained and topic != "settings"):
                self._take(topic, told)

    def _take(self, topic: str, told: Json) -> None:
        self._said[topic] = told
        if topic == "state":
            for news in self._states:
                news.put_nowait(told)
        elif topic == "answer":
            waiting = self._asked.get(str(told.get("id")))
            if waiting is not None and not waiting.done():
                waiting.set_result(Answer(told.get("ok") is True, str(told.get("text"))[:500]))


def mean(states: list[Json], *path: str) -> float | None:
    """Mean of a figure over states; None where one of them does not hold it."""
    values = [number_of(at(state, *path)) for state in states]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def unit_names(state: Json, kind: str) -> list[str]:
    """Names of ``chargers`` or ``inverters``."""
    units = at(state, kind)
    return sorted(units) if isinstance(units, dict) else []


def fault_codes(state: Json) -> dict[str, str]:
    """Text by code of the faults that stand."""
    faults = at(state, "faults")
    rows = faults if isinstance(faults, list) else []
    return {str(at(row, "code")): f"{at(row, 'subject')}: {at(row, 'text')}" for row in rows}
