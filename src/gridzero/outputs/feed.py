"""What one gridzero says over MQTT, as it came; and a way to ask it something.

Every face and the dashboard hold one Feed. It trusts nothing: what is no JSON object, is too large
or comes under another prefix is counted and dropped. Retained messages count only where gridzero
itself retains (``status``, ``settings``): the age of all others would be unknown.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple, Never, TypeVar

import structlog

from gridzero.ports.clock import Clock
from gridzero.ports.links import MqttLink, MqttMessage

log = structlog.get_logger()

TOPICS = ("state", "cells", "battery", "health", "score", "energy", "settings", "config")
"""Topics of which the newest word is kept."""

ANSWER_S = 3.0
_CRASH_TOLD_S = 600.0
_MOST_DIGITS = 300
_RETAINED = frozenset({"settings"})

T = TypeVar("T")
Listener = Callable[[Mapping[str, Any]], None]


class Answer(NamedTuple):
    """What became of a request, in words. ok: it was carried out."""

    ok: bool
    text: str


class Feed:
    """The ear of a face at the broker. Must be made before the link runs."""

    def __init__(self, link: MqttLink, clock: Clock, prefix: str) -> None:
        self.link, self.prefix = link, prefix
        self.is_online: bool | None = None
        self.garbage = 0
        self.crashes = 0
        self._crash_told_s = float("-inf")
        self._clock = clock
        self._latest: dict[str, tuple[Mapping[str, Any], float]] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self._on_status: list[Callable[[bool], None]] = []
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        for topic in TOPICS:
            self._subscribe(topic)
        self.on("answer", self._on_answer)
        link.subscribe(f"{prefix}/status", self._take_status)

    def latest(self, topic: str) -> Mapping[str, Any] | None:
        """The newest word on one of TOPICS; None = never heard."""
        kept = self._latest.get(topic)
        return kept[0] if kept else None

    def age_s(self, topic: str) -> float:
        """How long ago that was, s; inf before the first."""
        kept = self._latest.get(topic)
        return self._clock.now_s() - kept[1] if kept else float("inf")

    def on(self, topic: str, listener: Listener) -> None:
        """Call listener with each object on a topic below the prefix, such as ``event``."""
        if topic not in TOPICS and topic not in self._listeners:
            self._subscribe(topic)
        self._listeners.setdefault(topic, []).append(listener)

    def on_status(self, listener: Callable[[bool], None]) -> None:
        """Call listener with each word on whether gridzero is online."""
        self._on_status.append(listener)

    def publish(self, topic: str, values: Mapping[str, Any] | str, *, retain: bool = False) -> None:
        """Say something on a topic below the prefix; never waits, never raises."""
        text = values if isinstance(values, str) else json.dumps(values)
        self.link.publish(f"{self.prefix}/{topic}", text, retain=retain)

    async def ask(
        self, what: str, value: str = "", *, by: str, within_s: float = ANSWER_S
    ) -> Answer:
        """Change a setting or give an order, by its key in domain.settings; never raises.

        by: which face asks. An answer that does not come within_s is one: not ok.
        """
        number = secrets.token_hex(8)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self.publish("ask", {"id": number, "what": what, "value": value, "by": by})
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            return Answer(False, "no answer: gridzero or its broker cannot be reached")
        finally:
            del self._asked[number]

    def _subscribe(self, topic: str) -> None:
        self.link.subscribe(f"{self.prefix}/{topic}", lambda message: self._take(topic, message))

    def _take(self, topic: str, message: MqttMessage) -> None:
        if message.retained and topic not in _RETAINED:
            return
        values = object_of(message.payload)
        if values is None:
            self.garbage += 1
            return
        if topic in TOPICS:
            self._latest[topic] = values, self._clock.now_s()
        for listener in self._listeners.get(topic, ()):
            self._tell(topic, listener, values)

    def _tell(self, topic: str, listener: Callable[[T], None], values: T) -> None:
        """A bug in one face must not take the connection from the others."""
        try:
            listener(values)
        except Exception:
            self.crashes += 1
            if self._clock.now_s() - self._crash_told_s >= _CRASH_TOLD_S:
                self._crash_told_s = self._clock.now_s()
                log.exception("feed.listener_crashed", topic=topic, crashes=self.crashes)

    def _take_status(self, message: MqttMessage) -> None:
        if message.payload not in {b"online", b"offline"}:
            self.garbage += 1
            return
        self.is_online = message.payload == b"online"
        for listener in self._on_status:
            self._tell("status", listener, self.is_online)

    def _on_answer(self, values: Mapping[str, Any]) -> None:
        answer = self._asked.get(str(values.get("id")))
        if answer is not None and not answer.done():
            answer.set_result(Answer(values.get("ok") is True, str(values.get("text", ""))))


def object_of(payload: bytes) -> dict[str, Any] | None:
    """The JSON object that a payload is; None for anything else.

    Also for one with a number in it that no float can hold: whoever reckons with that, or repeats
    it, would stumble.
    """
    try:
        values = json.loads(
            payload, parse_constant=_no_number, parse_float=_float, parse_int=_whole
        )
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _no_number(word: str) -> Never:
    raise ValueError(word)


def _float(digits: str) -> float:
    number = float(digits)
    return number if isfinite(number) else _no_number(digits)


def _whole(digits: str) -> int:
    return int(digits) if len(digits) <= _MOST_DIGITS else _no_number(digits)
