"""What a face hears and asks, over a broker in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gridzero.links.memory import MemoryBroker
from gridzero.outputs.feed import Answer, Feed
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import MqttMessage
from gridzero.sim.loop import run_simulated


class Ears:
    """A feed, and who speaks to it."""

    def __init__(self) -> None:
        broker = MemoryBroker()
        self.feed = Feed(broker.attach(), LoopClock(), "gridzero")
        self.gridzero = broker.attach()

    async def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        self.gridzero.publish(f"gridzero/{topic}", payload, retain=retain)
        await asyncio.sleep(0.01)


async def test_the_newest_word_is_kept_with_its_age() -> None:
    ears = Ears()
    assert ears.feed.latest("state") is None
    assert ears.feed.age_s("state") == float("inf")
    await ears.say("state", '{"grid_w": 12}')
    await asyncio.sleep(3.0)
    assert ears.feed.latest("state") == {"grid_w": 12}
    assert ears.feed.age_s("state") == pytest.approx(3.0, abs=0.1)


async def test_listeners_hear_each_word_and_the_status() -> None:
    ears = Ears()
    events: list[Mapping[str, Any]] = []
    status: list[bool] = []
    ears.feed.on("event", events.append)
    ears.feed.on_status(status.append)
    await ears.say("event", '{"code": "x"}')
    await ears.say("status", "online", retain=True)
    await ears.say("status", "offline", retain=True)
    await ears.say("status", "perhaps")
    assert events == [{"code": "x"}]
    assert status == [True, False]
    assert ears.feed.is_online is False
    assert ears.feed.garbage == 1


async def test_old_states_of_the_broker_do_not_count_but_retained_settings_do() -> None:
    broker = MemoryBroker()
    speaker = broker.attach()
    speaker.publish("gridzero/state", '{"grid_w": 1}', retain=True)
    speaker.publish("gridzero/settings", '{"settings": {}}', retain=True)
    await asyncio.sleep(0.1)
    feed = Feed(broker.attach(), LoopClock(), "gridzero")
    await asyncio.sleep(0.1)
    assert feed.latest("state") is None
    assert feed.latest("settings") == {"settings": {}}


@given(st.binary(max_size=200))
def test_no_payload_whatever_is_more_than_garbage(payload: bytes) -> None:
    async def heard() -> tuple[Any, int]:
        ears = Ears()
        for topic in ("state", "answer", "status"):
            await ears.say(topic, payload)
        return ears.feed.latest("state"), ears.feed.garbage

    latest, garbage = run_simulated(heard())
    assert latest is not None or garbage >= 2


async def test_a_question_is_answered() -> None:
    ears = Ears()

    def answer(message: MqttMessage) -> None:
        asked = json.loads(message.payload)
        words = f"{asked['what']} {asked['value']} {asked['by']}"
        values = {"id": asked["id"], "ok": True, "text": words}
        ears.gridzero.publish("gridzero/answer", json.dumps(values))

    ears.gridzero.subscribe("gridzero/ask", answer)
    assert await ears.feed.ask("mode", "hold", by="test") == Answer(True, "mode hold test")


async def test_a_question_without_an_answer_ends() -> None:
    ears = Ears()
    ok, text = await ears.feed.ask("mode", "hold", by="test")
    assert not ok
    assert "no answer" in text
    await ears.say("answer", '{"id": "other", "ok": true}')


async def test_a_bug_in_one_listener_harms_no_other_and_is_told_once() -> None:
    ears = Ears()
    heard: list[Any] = []
    ears.feed.on("state", lambda values: values["nonsense"])
    ears.feed.on("state", heard.append)
    with structlog.testing.capture_logs() as logs:
        for _ in range(20):
            await ears.say("state", '{"grid_w": 1}')
    assert len(heard) == 20
    assert ears.feed.crashes == 20
    assert [entry["event"] for entry in logs] == ["feed.listener_crashed"]


async def test_a_listener_of_the_status_that_breaks_keeps_it_from_nobody() -> None:
    ears = Ears()
    status: list[bool] = []

    def broken(_is_online: bool) -> None:
        raise ZeroDivisionError

    ears.feed.on_status(broken)
    ears.feed.on_status(status.append)
    with structlog.testing.capture_logs() as logs:
        await ears.say("status", "online", retain=True)
    assert status == [True]
    assert [entry["event"] for entry in logs] == ["feed.listener_crashed"]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "-1e400", "1" * 400, "1" * 5000])
async def test_what_no_float_can_hold_is_not_passed_on(number: str) -> None:
    ears = Ears()
    await ears.say("state", f'{{"grid_w": {number}}}')
    assert ears.feed.latest("state") is None
    assert ears.feed.garbage == 1
