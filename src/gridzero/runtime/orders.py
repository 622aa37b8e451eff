"""One desk for everything that people change or order, whatever way it came.

Keys are those of domain.settings. What cannot be done is refused with a reason. A flood is not
worked off: each key takes a few messages a second, the rest is counted and told once a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from gridzero.domain.events import Severity
from gridzero.domain.faults import FAULTS
from gridzero.domain.settings import ACTION_OF, SETTING_OF
from gridzero.ports.clock import Clock
from gridzero.runtime.fault_book import ALL, FaultBook
from gridzero.runtime.flood_gate import FloodGate
from gridzero.runtime.settings import SettingRefused, Settings

log = structlog.get_logger()

SURE = frozenset({"yes", "press"})
"""What a message of a dangerous action says. press: what Home Assistant's buttons send."""

Do = Callable[[str], str]
"""Carries out one order: takes its argument, returns what was done in words."""

DoSlowly = Callable[[str], Awaitable[str]]
"""The same for what takes longer than a tick may wait."""


class TooFast(SettingRefused):
    """One of a flood: it was not looked at, and nothing was told of it alone."""


class Orders:
    """Carries out settings and actions."""

    def __init__(self, settings: Settings, faults: FaultBook, clock: Clock) -> None:
        self._settings, self._faults = settings, faults
        self._gate = FloodGate(clock, self._tell_flood)
        self._do: dict[str, Do] = {"acknowledge": self._acknowledge}
        self._do_slowly: dict[str, DoSlowly] = {}
        self._begun: set[asyncio.Task[str]] = set()

    def can(self, key: str, do: Do) -> None:
        """Let do carry out the action with this key; it raises SettingRefused with the reason."""
        self._do[key] = do

    def can_slowly(self, key: str, do: DoSlowly) -> None:
        """The same for an order whose answer comes later."""
        self._do_slowly[key] = do

    @property
    def keys(self) -> tuple[str, ...]:
        """Every setting and every action that somebody carries out here."""
        can = self._do.keys() | self._do_slowly.keys()
        return (*SETTING_OF, *(key for key in ACTION_OF if key in can))

    @property
    def actions(self) -> Mapping[str, Do]:
        """What carries out each action."""
        return self._do

    def carry_out(self, key: str, value: str, *, is_sure: bool = True) -> str | asyncio.Task[str]:
        """Change a setting or do an action; returns what was done, in words, or who will say it.

        is_sure: whoever sends this has asked the person where it is dangerous; if not, the value
        must say so. Raises SettingRefused, which has been told as an event, with the reason;
        TooFast when it should be tried again later.
        """
        if not self._gate.passes(key if key in self.keys else "unknown"):
            raise TooFast(
                "too many messages", where=key[:40], remedy="Send a few per second at most"
            )
        try:
            if not is_sure:
                _check_sure(key, value)
            if key in self._do_slowly:
                return self._begin(key, value)
            return self._carry_out(key, value)
        except SettingRefused as error:
            self._tell_refused(key, error)
            raise

    def _begin(self, key: str, value: str) -> asyncio.Task[str]:
        task = asyncio.create_task(self._slowly(key, value), name=key)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return task

    async def _slowly(self, key: str, value: str) -> str:
        try:
            return await self._do_slowly[key](value)
        except SettingRefused as error:
            self._tell_refused(key, error)
            raise

    def _tell_refused(self, key: str, error: SettingRefused) -> None:
        code = "acknowledge_refused" if key == "acknowledge" else "setting_refused"
        self._faults.tell(code, key[:40], str(error), Severity.WARNING)

    def refuse_question(self) -> None:
        """Tell that something came as a question that is none."""
        if self._gate.passes("ask"):
            text = 'this is no question: send {"id": "1", "what": "mode", "value": "hold"}'
            self._faults.tell("setting_refused", "ask", text, Severity.WARNING)

    def _carry_out(self, key: str, value: str) -> str:
        if key in SETTING_OF:
            self._settings.change(**{key: value})
            return f"{SETTING_OF[key].title} is {_words(self._settings.shown(key), key)}"
        if key in self._do:
            return self._do[key](value)
        if key in ACTION_OF:
            raise SettingRefused(
                "this gridzero cannot do that",
                where=key,
                remedy="What `gridzero run` does with its file, a demo does not",
            )
        known = ", ".join(self.keys)
        raise SettingRefused(
            f"there is no setting or action {key[:40]!r}", where="ask", remedy=f"There are {known}"
        )

    def _acknowledge(self, value: str) -> str:
        code, _, subject = value.strip().partition(" ")
        if code != ALL and code not in FAULTS:
            raise SettingRefused(
                f"there is no fault {code[:40]!r}",
                where="acknowledge",
                remedy="Send its code, code and subject, or all",
            )
        ended = self._faults.acknowledge(code, subject or None)
        if not ended:
            raise SettingRefused(
                "nothing that is over waits for you to say so",
                where="acknowledge",
                remedy="A fault whose cause is still there stays",
            )
        return "acknowledged: " + ", ".join(f"{code} {subject}" for code, subject in ended)

    def _tell_flood(self, key: str, dropped: int) -> None:
        text = f"{dropped} messages for {key} came too fast; of settings the last one counts"
        self._faults.tell("setting_refused", key[:40], text, Severity.WARNING)


def _check_sure(key: str, value: str) -> None:
    """Programs that tidy up a broker send empty messages to every topic that they have seen."""
    action = ACTION_OF.get(key)
    if action is not None and action.is_dangerous and value.strip().lower() not in SURE:
        raise SettingRefused(
            f"{key} is not done for the message {value[:40]!r}", where=key, remedy="Send yes"
        )


def _words(value: object, key: str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g} {SETTING_OF[key].unit}".strip()
    return str(value) or "empty"
