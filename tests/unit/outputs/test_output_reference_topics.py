"""The topics of the battery monitor before, beside a simulated house."""

from __future__ import annotations

import asyncio
import json

from home_site import Ear, demo

from gridzero.links.memory import MemoryBroker
from gridzero.outputs.feed import Feed
from gridzero.outputs.reference_topics import ReferenceTopics, battery_topics, cells_topic
from gridzero.ports.clock import LoopClock


def face_at(broker: MemoryBroker, prefix: str = "") -> ReferenceTopics:
    return ReferenceTopics(Feed(broker.attach(), LoopClock(), "gridzero"), LoopClock(), prefix)


async def test_what_the_monitor_said_is_said_in_its_forms() -> None:
    site = demo()
    ear = Ear(site.links.broker)
    face_at(site.links.broker)
    await site.run(60)
    state = json.loads(ear.last("gridzero/state") or "{}")
    assert float(ear.last("battery/volt") or "nan") == state["battery"]["pack_v"]
    assert (ear.last("battery/soc") or "").isdigit()
    assert ear.last("battery/balancing") in {"0", "1"}
    cells = json.loads(ear.last("battery/cells") or "{}")
    assert set(cells) == {"A3", "A7", "A8", "B1", "B2", "B3", "B4", "B6", "B7"}
    assert all(len(module["cells"]) == 12 for module in cells.values())
    assert "START CHARGING" in [text for _, topic, text in ear.heard if topic == "goatshed/status"]


async def test_turns_of_the_power_are_event_texts() -> None:
    broker = MemoryBroker()
    ear, _ = Ear(broker), face_at(broker, "shed/")
    for power_w in (0, -500, 300, 320, 500, 0, -500, 0):
        ear.link.publish("gridzero/state", json.dumps({"setpoint_w": power_w}))
    await asyncio.sleep(1)
    assert [text for _, topic, text in ear.heard if topic == "shed/goatshed/status"] == [
        "START CHARGING",
        "STOP CHARGING to invert",
        "Demand: 300",
        "Demand: 500",
        "START CHARGING",
        "STOP CHARGING too small",
    ]


async def test_what_is_not_known_is_not_said() -> None:
    broker = MemoryBroker()
    ear, _ = Ear(broker), face_at(broker)
    ear.link.publish("gridzero/state", '{"battery": {"soc_pct": null, "pack_v": "44"}}')
    ear.link.publish("gridzero/state", '{"battery": 5, "faults": [1, {"code": "x"}]}')
    await asyncio.sleep(1)
    said = {topic: text for _, topic, text in ear.heard if topic.startswith("battery/")}
    assert said == {"battery/error": "?; x"}


def test_numbers_that_are_none_are_left_out() -> None:
    assert dict(battery_topics({"battery": {"current_a": float("nan")}})) == {}
    assert cells_topic({"b3": {"cells_v": [3.7, None, float("inf")]}, "b4": 1}) == {
        "B3": {"cells": [3.7, None, None]}
    }
