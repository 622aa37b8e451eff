"""What tells a second control from a reconnect, from last words and from junk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gridzero.links.memory import MemoryBroker, MemoryMqtt
from gridzero.outputs.presence import Presence
from gridzero.ports.clock import LoopClock
from gridzero.runtime.fault_book import FaultBook

TOPIC = "gridzero/control"


class Control:
    """One that is there until it is ended."""

    def __init__(self, broker: MemoryBroker, prefix: str = "gridzero") -> None:
        clock = LoopClock()
        self.told: list[str] = []
        self.link: MemoryMqtt = broker.attach()
        faults = FaultBook(clock)
        faults.on_event(lambda event: self.told.append(event.text) if event.active else None)
        self._presence = Presence(faults, self.link, clock, prefix, "Test")

    @asynccontextmanager
    async def there(self) -> AsyncIterator[Control]:
        task = asyncio.create_task(self._presence.run())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.link.leave()


async def test_both_notice_each_other() -> None:
    broker = MemoryBroker()
    async with Control(broker).there() as one, Control(broker).there() as two:
        await asyncio.sleep(38.0)
        assert not (one.told)
        assert not (two.told)
        await asyncio.sleep(10.0)
        assert len(one.told) == len(two.told) == 1


async def test_those_that_end_beside_their_successors_are_no_second_control() -> None:
    """An ordered end takes 30 s at most; after kill -9 last words may come late."""
    broker = MemoryBroker()
    async with Control(broker).there() as one:
        for _ in range(4):
            async with Control(broker).there():
                await asyncio.sleep(32.0)
    assert not one.told


async def test_another_prefix_is_another_house() -> None:
    broker = MemoryBroker()
    async with Control(broker).there() as one, Control(broker, "shed").there() as two:
        await asyncio.sleep(90.0)
    assert not (one.told)
    assert not (two.told)


async def test_a_connection_that_comes_and_goes_is_still_our_own() -> None:
    async with Control(MemoryBroker()).there() as one:
        for _ in range(10):
            one.link.plugged = not one.link.plugged
            await asyncio.sleep(12.0)
    assert not one.told


@pytest.mark.parametrize("retain", [True, False])
async def test_what_was_said_once_is_nobody_who_speaks(retain: bool) -> None:
    """Retained it is delivered again, but only with a connect."""
    broker = MemoryBroker()
    word = json.dumps({"id": "old", "host": "x", "site": "y"})
    broker.attach().publish(TOPIC, word, retain=retain)
    async with Control(broker).there() as one:
        await asyncio.sleep(90.0)
    assert not one.told


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xff\x00",
        b"[" * 400,
        b"[]",
        b'{"id": 7}',
        b'{"id": "' + b"9" * 600 + b'"}',
        b'{"host": "x"}',
        b"1" * 450,
    ],
)
async def test_junk_tells_nothing_and_stops_nothing(junk: bytes) -> None:
    broker = MemoryBroker()
    person = broker.attach()
    async with Control(broker).there() as one:
        for _ in range(15):
            person.publish(TOPIC, junk)
            await asyncio.sleep(5.0)
    assert not one.told


async def test_a_crowd_of_made_up_names_is_bounded_and_its_letters_are_harmless() -> None:
    broker = MemoryBroker()
    person = broker.attach()
    async with Control(broker).there() as one:
        for _ in range(12):
            for number in range(50):
                made_up = {"id": f"n{number}", "host": "\x1b[2J" + "h" * 99, "site": None}
                person.publish(TOPIC, json.dumps(made_up))
            await asyncio.sleep(5.0)
    (text,) = one.told
    assert "\x1b" not in text
    assert "site unknown and 15 more" in text
    assert len(text) < 200
