"""Whether the broker passes on what we say, and what it refuses, on simulated time."""

from __future__ import annotations

import asyncio

from link_fakes import Reports

from gridzero.links.mqtt_birth import ECHO_LIMIT_S, Birth, Refusals
from gridzero.links.mqtt_outbox import Outgoing
from gridzero.ports.links import MqttMessage

TOPIC = "gridzero/status"


class Voice:
    """A Birth, what it was told to say again, and what people are told."""

    def __init__(self) -> None:
        self.again = 0
        self.reports = Reports()
        self.birth = Birth(Outgoing(TOPIC, "online", True), self._say, self.reports)

    def _say(self) -> None:
        self.again += 1

    def hear(self, payload: bytes, *, retained: bool = False) -> None:
        self.birth.hear(MqttMessage(TOPIC, payload, retained, 0.0))


async def test_a_word_that_does_not_come_back_is_told() -> None:
    voice = Voice()
    voice.birth.said()
    await asyncio.sleep(ECHO_LIMIT_S - 0.1)
    assert voice.reports.told == []
    await asyncio.sleep(0.2)
    assert voice.reports.told == [("broker_refuses", True, "echo")]
    assert TOPIC in voice.reports.texts[0]
    voice.birth.said()
    voice.hear(b"online")
    assert voice.reports.told[1:] == [("broker_refuses", False, "echo")]


async def test_a_word_that_comes_back_is_not_missed() -> None:
    voice = Voice()
    voice.birth.said()
    voice.hear(b"online")
    await asyncio.sleep(2 * ECHO_LIMIT_S)
    assert voice.reports.told == []


async def test_what_the_broker_had_stored_is_no_echo() -> None:
    voice = Voice()
    voice.birth.said()
    voice.hear(b"online", retained=True)
    await asyncio.sleep(2 * ECHO_LIMIT_S)
    assert ("broker_refuses", True, "echo") in voice.reports.told


async def test_nothing_is_expected_of_a_connection_that_has_ended() -> None:
    voice = Voice()
    voice.birth.said()
    voice.birth.forget()
    await asyncio.sleep(2 * ECHO_LIMIT_S)
    assert voice.reports.told == []


async def test_who_says_otherwise_is_contradicted_once_a_second() -> None:
    voice = Voice()
    for _ in range(50):
        voice.hear(b"offline")
    voice.hear(b"\xff", retained=True)
    await asyncio.sleep(3)
    assert voice.again == 1


def test_refused_topics_are_one_fault_that_names_the_first_few() -> None:
    reports = Reports()
    refusals = Refusals(reports)
    refusals.update(["a"], [])
    assert reports.told == []
    refusals.update([], [f"t/{i}" for i in range(9)])
    assert reports.told == [("broker_refuses", True, "subscriptions")]
    assert "t/0, t/1, t/2 and 6 more" in reports.texts[0]
    refusals.update([f"t/{i}" for i in range(9)], [])
    assert reports.told[-1] == ("broker_refuses", False, "subscriptions")
