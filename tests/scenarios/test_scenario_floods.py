"""A thousand messages a second, garbage and good ones: refused, counted, and the grid is held."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import structlog
from scenario import Story, house

from gridzero.domain.settings import ACTION_OF, SETTING_OF
from gridzero.links.memory import MemoryMqtt

PER_S = 1000
FLOOD_S = 20.0
SETTLED_S = 40.0
MOST_EVENTS = 60
MOST_LOGS = 60
GARBAGE = (
    b"",
    b"\xff\xfe\x00",
    b"nan",
    b"1e999",
    b"-99999",
    b"[" * 500,
    b"{}",
    b"x" * 5000,
    b"1e5",
    b"off!",
)

UNFIT = {"log", "restart", "override_note", "override_until"}
"""What changes the test itself, and texts and moments: "" is a good one."""

Send = Callable[[MemoryMqtt, int], None]


def garbage_to(key: str) -> Send:
    return lambda person, number: person.publish(
        f"gridzero/{key}/set", GARBAGE[number % len(GARBAGE)]
    )


def questions(person: MemoryMqtt, number: int) -> None:
    asked = {"id": number, "what": f"key{number % 7}", "value": "x" * (number % 300)}
    payload = json.dumps(asked) if number % 3 else GARBAGE[number % len(GARBAGE)]
    person.publish("gridzero/ask", payload)


def good_targets(person: MemoryMqtt, number: int) -> None:
    person.publish("gridzero/target_w/set", str(number % 5))


def everywhere(person: MemoryMqtt, number: int) -> None:
    keys = [key for key in (*SETTING_OF, *ACTION_OF) if key not in UNFIT]
    garbage_to(random.Random(number).choice(keys))(person, number)


async def flood(story: Story, send: Send) -> Counter[str]:
    """What is heard on each topic while somebody sends; prefixes are left out."""
    heard: Counter[str] = Counter()
    person = story.site.links.broker.attach()
    listener = story.site.links.broker.attach()
    listener.subscribe("gridzero/#", lambda m: heard.update([m.topic.removeprefix("gridzero/")]))
    for tenth in range(round(10 * FLOOD_S)):
        for number in range(PER_S // 10):
            send(person, tenth * PER_S // 10 + number)
        await asyncio.sleep(0.1)
    return heard


@pytest.mark.parametrize(
    "send",
    [garbage_to("mode"), garbage_to("target_w"), questions, good_targets, everywhere],
    ids=["mode", "target_w", "ask", "good", "everywhere"],
)
async def test_a_flood_is_counted_and_nothing_else_changes(send: Send) -> None:
    async with house(load_w=300.0) as story:
        await story.until(SETTLED_S)
        before = story.site.app.site.settings.wanted
        with structlog.testing.capture_logs() as logs:
            heard = await flood(story, send)
        after = story.site.app.site.settings.wanted
        moments = story.between(SETTLED_S, SETTLED_S + FLOOD_S)
    if send is not good_targets:
        assert replace(after, override_note="") == before, "nothing but a note was taken"
    assert all(abs(moment.grid_w) < 30.0 for moment in moments), "the grid is held all the time"
    assert heard["event"] <= MOST_EVENTS
    assert heard["answer"] <= MOST_EVENTS * 10
    assert heard["state"] <= 10 * FLOOD_S, "not a state for each message"
    many = send in (good_targets, everywhere)  # wishes that are taken, and of every kind
    assert len(logs) <= MOST_LOGS * (3 if many else 1)
    refused = [event for event in story.events if event.code == "setting_refused"]
    assert any("too fast" in event.text or "more were refused" in event.text for event in refused)


async def test_what_a_person_asks_after_a_flood_is_done_and_answered() -> None:
    answers: list[dict[str, object]] = []
    async with house(load_w=300.0) as story:
        await story.until(SETTLED_S)
        await flood(story, questions)
        person = story.site.links.broker.attach()
        person.subscribe("gridzero/answer", lambda m: answers.append(json.loads(m.payload)))
        await asyncio.sleep(1.0)
        person.publish("gridzero/ask", '{"id": "7", "what": "mode", "value": "hold", "by": "me"}')
        await asyncio.sleep(1.0)
        assert story.site.app.site.settings.wanted.mode == "hold"
    assert [answer["ok"] for answer in answers if answer["id"] == "7"] == [True]
