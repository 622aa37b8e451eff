"""What people send: ``gridzero/KEY/set`` for every setting and action, and ``gridzero/ask``.

gridzero/ask      {"id": "7f3a", "what": "mode", "value": "hold", "by": "console"}
gridzero/answer   {"id": "7f3a", "ok": true, "text": "Mode is hold"}

A question is answered once what it changed would survive the end of the process.

Retained messages count for nothing: they would be old wishes that come back with each reconnect.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import structlog

from gridzero.domain.settings import ACTION_OF, SETTING_OF
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import MqttLink, MqttMessage
from gridzero.runtime.flood_gate import log_gate
from gridzero.runtime.orders import Orders, TooFast
from gridzero.runtime.settings import SettingRefused

log = structlog.get_logger()

LONGEST_VALUE = 200
_LONGEST_ASK = 1000
_LONGEST_ID = 64
_LATE_S = 0.25
_KEPT_LIMIT_S = 2.0
_NOT_KEPT = "; it cannot be stored (is the disk full?): a restart would forget it"

WhenKept = Callable[[Callable[[], None]], None]
"""Calls its argument once every change until now survives the end of the process."""


def _at_once(then: Callable[[], None]) -> None:
    then()


class MqttIn:
    """Takes wishes from the broker to the desk that carries them out.

    after: called when something may have changed, to say so at once. when_kept: what delays
    answers until they are true for good.
    """

    def __init__(
        self,
        orders: Orders,
        link: MqttLink,
        prefix: str,
        after: Callable[[], None],
        when_kept: WhenKept = _at_once,
    ) -> None:
        self._when_kept = when_kept
        self._orders, self._link, self._prefix, self._after = orders, link, prefix, after
        self._may_log = log_gate("asked", LoopClock())
        self._late: dict[str, str] = {}
        self._is_late = asyncio.Event()
        for key in (*SETTING_OF, *ACTION_OF):  # also those that are only refused here
            link.subscribe(f"{prefix}/{key}/set", self._setter(key))
        link.subscribe(f"{prefix}/ask", self._on_ask)

    async def run(self) -> None:
        """Carry out late what came too fast, until cancelled: a slider's last value counts."""
        while True:
            await self._is_late.wait()
            await asyncio.sleep(_LATE_S)
            late, self._late = self._late, {}
            self._is_late.clear()
            for key, value in late.items():
                self._set(key, value)

    def _setter(self, key: str) -> Callable[[MqttMessage], None]:
        def take(message: MqttMessage) -> None:
            if not message.retained:
                self._set(key, text_of(message.payload))

        return take

    def _set(self, key: str, value: str) -> None:
        try:
            done = self._orders.carry_out(key, value, is_sure=False)
        except TooFast:
            if key in SETTING_OF:
                self._late[key] = value
                self._is_late.set()
        except SettingRefused:
            self._after()  # shows the old value to whoever believed in the new one
        else:
            self._late.pop(key, None)
            self._when_done(done, lambda _ok, _text: None)

    def _on_ask(self, message: MqttMessage) -> None:
        if message.retained:
            return
        asked = _asked(message.payload)
        if asked is None:
            self._orders.refuse_question()
            return
        number, what, value, by = asked

        def answer(ok: bool, text: str) -> None:
            # what is refused is an event; a trace changes nothing, and is asked for all the time
            if ok and what != "trace" and self._may_log():
                log.info("asked", by=by, what=what[:40], value=value[:40])
            if ok:
                self._say_when_kept(number, text)
            else:
                self._say(number, text, ok=False)

        try:
            self._when_done(self._orders.carry_out(what, value), answer)
        except TooFast:
            return  # neither logged nor answered: each would be a flood of its own
        except SettingRefused as error:
            answer(False, str(error))

    def _say_when_kept(self, number: str, text: str) -> None:
        """Say it once it is kept, or after a while that it is not."""
        loop, waits = asyncio.get_running_loop(), [True]

        def say(more: str = "") -> None:
            if waits:
                waits.clear()
                late.cancel()
                self._say(number, text + more, ok=True)

        late = loop.call_later(_KEPT_LIMIT_S, say, _NOT_KEPT)
        self._when_kept(say)

    def _say(self, number: str, text: str, *, ok: bool) -> None:
        answer = {"id": number, "ok": ok, "text": text}
        self._link.publish(f"{self._prefix}/answer", json.dumps(answer))

    def _when_done(
        self, done: str | asyncio.Task[str], answer: Callable[[bool, str], None]
    ) -> None:
        """Say that something may have changed, and answer; of a slow order when it has ended."""
        if isinstance(done, asyncio.Task):
            done.add_done_callback(lambda task: self._when_done_slowly(task, answer))
        else:
            self._after()
            answer(True, done)

    def _when_done_slowly(
        self, task: asyncio.Task[str], answer: Callable[[bool, str], None]
    ) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._when_done(task.result(), answer)
        elif isinstance(error, SettingRefused):
            answer(False, str(error))
        else:
            log.error("order.crashed", order=task.get_name(), exc_info=error)
            answer(False, "this failed with a bug: see the log")


def _asked(payload: bytes) -> tuple[str, str, str, str] | None:
    """id, what, value and by whom; None for what is no question."""
    if len(payload) > _LONGEST_ASK:
        return None
    try:
        values: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not isinstance(values.get("what"), str):
        return None
    number, value, by = (values.get(key, "") for key in ("id", "value", "by"))
    return str(number)[:_LONGEST_ID], values["what"], _value(value), str(by)[:_LONGEST_ID]


def _value(value: Any) -> str:
    """Switches may be true and false, numbers numbers."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return text_of(str(value).encode(errors="replace"))


def text_of(payload: bytes) -> str:
    """What a person sent; of what is too long, only so much that it shows: it is no setting."""
    text = payload[:LONGEST_VALUE].decode(errors="replace").strip()
    return text if len(payload) <= LONGEST_VALUE else f"{text[:20]} ..."
