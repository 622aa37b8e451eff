"""The contactor of the whole battery: closed for a reason, opened in the right order.

The order is that of the rectifier's stop sequence (vertiv-r48 protocol notes, section 3.4):
smallest current, off, no current left, open. A contactor breaks direct current badly, so it waits
for the current to fall; when it does not fall, an arc is better than a battery that goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import structlog

from gridzero.domain.decision import Decision
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot
from gridzero.ports.devices import Switch
from gridzero.runtime.fault_book import FaultBook

log = structlog.get_logger()

LEASE_S = 15.0
"""Longer than the stop sequences take (12 s), shorter than a rectifier's memory (30 s)."""

QUIET_A = 2.0
_READY_FOR_S = 1.0
_QUIET_FOR_S = 0.5
_STALLED_FOR_S = 4.0  # a rectifier gives its smallest current for 3 s before it is switched off
_FALLS_BY_A = 1.0
_UNDER_LOAD_AFTER_S = 12.0
_NOT_READY_FOR_S = 30.0
_SHUNT_FRESH_S = 2.0


class ContactorState(StrEnum):
    """What is wanted of it. The value is the word in MQTT."""

    OPEN = "open"
    CLOSED = "closed"
    OPENING = "opening"


class PackContactor:
    """Decides; call update() at every tick.

    After a trip it opens as soon as less than 2 A flow for half a second. A current that does not
    fall for 4 s, or is still there after 12 s, is broken all the same (``contactor_under_load``):
    an inverter may come down with 100 W/s, and that is no reason to wear a contact. Without a
    trip it opens only at rest, when the battery has not been ready for 30 s. It closes after a
    second of readiness with every command at zero.
    """

    def __init__(self, switch: Switch, faults: FaultBook) -> None:
        self._switch, self._faults = switch, faults
        self.state = ContactorState.OPEN
        self._ready_since_s: float | None = None
        self._unready_since_s: float | None = None
        self._quiet_since_s: float | None = None
        self._opening_since_s = self._fell_s = 0.0
        self._lowest_a = float("inf")

    @property
    def carries(self) -> bool:
        """Whether power may be commanded: it is wanted closed, and does not say that it is open."""
        return self.state is ContactorState.CLOSED and self._switch.is_closed() is not False

    def update(
        self,
        now_s: float,
        *,
        trip: bool,
        current_a: float | None,
        ready: bool,
        commands_zero: bool,
    ) -> None:
        """Go on with what is known now.

        trip: something demands that it opens. current_a: what flows, None = not known.
        ready: readings are fresh and the battery is plausible. commands_zero: every converter is
        told to give and take nothing.
        """
        calm = current_a is not None and abs(current_a) < QUIET_A
        self._ready_since_s = _since(self._ready_since_s, now_s, holds=ready and not trip)
        self._unready_since_s = _since(self._unready_since_s, now_s, holds=not ready)
        self._quiet_since_s = _since(self._quiet_since_s, now_s, holds=calm and commands_zero)
        self._go_on(now_s, trip=trip, current_a=current_a, commands_zero=commands_zero)
        if self.state is ContactorState.OPEN:
            self._switch.open()
        else:
            self._switch.close(now_s + LEASE_S)

    def _go_on(
        self, now_s: float, *, trip: bool, current_a: float | None, commands_zero: bool
    ) -> None:
        if self.state is ContactorState.CLOSED:
            if trip or _lasts(self._unready_since_s, now_s, _NOT_READY_FOR_S):
                self._opening_since_s = self._fell_s = now_s
                self._lowest_a = float("inf")
                self._enter(ContactorState.OPENING)
                self._opening(now_s, trip=trip, current_a=current_a)
        elif self.state is ContactorState.OPENING:
            self._opening(now_s, trip=trip, current_a=current_a)
        elif commands_zero and _lasts(self._ready_since_s, now_s, _READY_FOR_S):
            self._enter(ContactorState.CLOSED)

    def _opening(self, now_s: float, *, trip: bool, current_a: float | None) -> None:
        self._note_fall(now_s, current_a)
        if not trip:
            self._opening_since_s = self._fell_s = now_s  # a trip that comes later has its time
        if _lasts(self._quiet_since_s, now_s, _QUIET_FOR_S):
            self._enter(ContactorState.OPEN)
        elif trip and self._does_not_fall(now_s):
            self._break(current_a)
        elif not trip and _lasts(self._ready_since_s, now_s, _READY_FOR_S):
            self._enter(ContactorState.CLOSED)

    def _note_fall(self, now_s: float, current_a: float | None) -> None:
        if current_a is not None and abs(current_a) <= self._lowest_a - _FALLS_BY_A:
            self._lowest_a, self._fell_s = abs(current_a), now_s

    def _does_not_fall(self, now_s: float) -> bool:
        stalled = now_s - self._fell_s >= _STALLED_FOR_S
        return stalled or now_s - self._opening_since_s >= _UNDER_LOAD_AFTER_S

    def _break(self, current_a: float | None) -> None:
        """The last resort; an unknown current is told as one, but not as a worn contact."""
        if current_a is not None:
            words = f"opened while {current_a:.1f} A flowed: commands to stop had no effect"
            self._faults.set("contactor_under_load", "battery", words)
            self._faults.set("contactor_under_load", "battery", None)
        self._enter(ContactorState.OPEN)

    def _enter(self, state: ContactorState) -> None:
        log.info("pack_contactor.changed", state=state.value, was=self.state.value)
        self.state = state


def after_each_tick(
    contactor: PackContactor, faults: FaultBook
) -> Callable[[Snapshot, Decision], None]:
    """Let a site's decisions work the contactor: give this to ``Site.on_decision``."""

    def note(now: Snapshot, decision: Decision) -> None:
        contactor.update(
            now.now_s,
            trip=faults.trips,
            current_a=_current_a(now),
            ready=_is_ready(now),
            commands_zero=not any(decision.units.values()),
        )

    return note


def _current_a(now: Snapshot) -> float | None:
    """None when no shunt says it: then nobody knows."""
    fresh = now.shunt is not None and now.shunt_age_s <= _SHUNT_FRESH_S
    return now.shunt.current_a if now.shunt is not None and fresh else None


def _is_ready(now: Snapshot) -> bool:
    """Every module is heard and plausible, and nothing else than this contactor refuses power."""
    view = now.battery
    if view is None or view.pack_v is None or now.limits is None:
        return False
    heard = not (view.silent or view.implausible)
    return heard and now.blocked in {None, Because.CONTACTOR_OPEN}


def _since(since_s: float | None, now_s: float, *, holds: bool) -> float | None:
    if not holds:
        return None
    return now_s if since_s is None else since_s


def _lasts(since_s: float | None, now_s: float, seconds: float) -> bool:
    return since_s is not None and now_s - since_s >= seconds
