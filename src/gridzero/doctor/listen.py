"""Listens at the broker for some seconds, as one more client that says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from gridzero.broker_client import client, running
from gridzero.config.models import Config
from gridzero.doctor.evidence import Heard
from gridzero.outputs.feed import object_of
from gridzero.ports.links import MqttMessage

CONNECT_S = 6.0
LISTEN_S = 3.0
AGAIN_S = 1.0
"""After the first refusal: a broker that is just starting."""

_LOOK_S = 0.05
_MOST_LETTERS = 40
_REMEDY = "Check that the broker runs there, and host, port and network"


class Ear:
    """What came until now."""

    def __init__(self, config: Config) -> None:
        self.heard = Heard()
        self.was_refused = False
        self._remedy = _REMEDY
        self.link = client(config.mqtt, self._report)
        prefix = config.mqtt.topic_prefix
        self.link.subscribe(f"{prefix}/status", self._on_status)
        self.link.subscribe(f"{prefix}/state", self._on_state)
        self.link.subscribe(config.home_assistant.birth_topic, self._on_birth)

    @property
    def is_connected(self) -> bool:
        """Whether the broker has let it in."""
        return self.link.health.state == "up"

    def stay_outside(self) -> None:
        """There was no connection in all the time."""
        self.heard = replace(self.heard, trouble=self.link.health.why, remedy=self._remedy)

    def _report(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        """The link tells what happened, and what to do about it, in one text."""
        if active and (code, subject) == ("link_down", self.link.name):
            _, found, remedy = text.partition(f"{self.link.health.why}. ")
            self.was_refused = True
            self._remedy = remedy if found else _REMEDY

    def _on_status(self, message: MqttMessage) -> None:
        self.heard = replace(self.heard, status=_word(message))

    def _on_birth(self, message: MqttMessage) -> None:
        self.heard = replace(self.heard, home_assistant=_word(message))

    def _on_state(self, message: MqttMessage) -> None:
        state = object_of(message.payload)
        if state is not None and not message.retained:  # how old a retained one is nobody knows
            self.heard = replace(self.heard, state=state)


def _word(message: MqttMessage) -> str:
    return message.payload.decode(errors="replace")[:_MOST_LETTERS]


async def listen(
    config: Config, *, connect_s: float = CONNECT_S, listen_s: float = LISTEN_S
) -> Heard:
    """What is said there; ends early when a state has come and Home Assistant has spoken."""
    ear = Ear(config)
    async with running(ear.link):
        await _within(connect_s, lambda: ear.is_connected or ear.was_refused)
        if await _within(AGAIN_S, lambda: ear.is_connected):
            await _within(listen_s, lambda: ear.heard.state and ear.heard.home_assistant)
        else:
            ear.stay_outside()
    return ear.heard


async def _within(limit_s: float, condition: Callable[[], object]) -> bool:
    """Whether it came true in time."""
    try:
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110 - health is looked at, it does not call back
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        return False
    return True
