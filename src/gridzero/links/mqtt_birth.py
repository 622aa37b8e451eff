"""The first word after each connect, and whether the broker passes on what we say.

A broker drops what its access list forbids without a word, and so is a house that nobody sees: the
link looks well and nothing of it arrives. Our own birth message is therefore heard by ourselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from math import inf

from gridzero.links.mqtt_outbox import Outgoing
from gridzero.ports.links import MqttMessage
from gridzero.ports.plugin import Report

ECHO_LIMIT_S = 5.0
_CONTRADICT_AFTER_S = 1.0
_CODE = "broker_refuses"
_MOST_NAMED = 3


class Birth:
    """A retained message that must be true and must be heard.

    say: publishes it, if there is a connection. Told as broker_refuses when it does not come back
    within ECHO_LIMIT_S.
    """

    def __init__(self, message: Outgoing, say: Callable[[], None], report: Report) -> None:
        self.message = message
        self._say, self._report = say, report
        self._contradicts_at_s = -inf
        self._waiting: asyncio.TimerHandle | None = None
        self._is_told = False

    def said(self) -> None:
        """It leaves; from now on it is expected back."""
        self.forget()
        self._waiting = asyncio.get_running_loop().call_later(ECHO_LIMIT_S, self._unheard)

    def forget(self) -> None:
        """The connection has ended: nothing comes back from there."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def hear(self, message: MqttMessage) -> None:
        """Somebody, usually we ourselves, said something on its topic."""
        if message.retained:
            return
        if message.payload.decode(errors="replace") == self.message.payload:
            self.forget()
            self._is_heard()
        else:
            self._contradict()

    def _is_heard(self) -> None:
        if self._is_told:
            self._is_told = False
            self._report(_CODE, active=False, subject="echo")

    def _unheard(self) -> None:
        self._waiting, self._is_told = None, True
        self._report(
            _CODE,
            active=True,
            text=f"what gridzero says on {self.message.topic} does not come back: the broker"
            " drops what it says, or what it should hear",
            subject="echo",
        )

    def _contradict(self) -> None:
        """Say again that we are there, when somebody says otherwise.

        Usually the broker, of our own last connection: it notices only after a while that the
        network took it away, and by then we may be connected again.
        """
        loop = asyncio.get_running_loop()
        if self._contradicts_at_s <= loop.time():
            self._contradicts_at_s = loop.time() + _CONTRADICT_AFTER_S
            loop.call_later(_CONTRADICT_AFTER_S, self._say)


class Refusals:
    """Subscriptions that the broker refuses, told as one fault with the first few by name."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._topics: set[str] = set()

    def update(self, accepted: Collection[str], refused: Collection[str]) -> None:
        """What the broker said to these subscriptions."""
        before = bool(self._topics)
        self._topics = (self._topics - set(accepted)) | set(refused)
        if self._topics:
            text = f"the broker refuses to let gridzero hear {_named(sorted(self._topics))}"
            self._report(_CODE, active=True, text=text, subject="subscriptions")
        elif before:
            self._report(_CODE, active=False, subject="subscriptions")


def _named(topics: list[str]) -> str:
    more = len(topics) - _MOST_NAMED
    return ", ".join(topics[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
