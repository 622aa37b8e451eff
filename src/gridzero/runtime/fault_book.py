"""Which faults stand now, which wait for a person, and who is told when one comes or goes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import structlog

from gridzero.domain.alarms import Level
from gridzero.domain.events import Event, Severity
from gridzero.domain.faults import FAULTS, severity_of
from gridzero.ports.clock import Clock
from gridzero.runtime.flood_gate import FloodGate
from gridzero.runtime.latches import Key, Latches
from gridzero.runtime.stores import Store

__all__ = ["ActiveFault", "FaultBook", "Key"]

log = structlog.get_logger()

ALL = "all"
_REFUSED = "_refused"
_REFUSALS_AT_ONCE, _REFUSALS_PER_S = 20.0, 0.1
_LEVEL = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.FAULT: "error"}


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that stands. since_s: monotonic; text: this case in words.

    latches: it stays after its cause is gone. is_latched: its cause is gone and it waits to be
    acknowledged. level: how far its protection has gone, None where it has no levels.
    """

    code: str
    subject: str
    since_s: float
    text: str
    latches: bool = False
    is_latched: bool = False
    level: Level | None = None

    @property
    def remedy(self) -> str:
        """What the person should do."""
        return FAULTS[self.code].remedy


class FaultBook:
    """Told by drivers and by the site; says each change once."""

    def __init__(self, clock: Clock, store: Store | None = None) -> None:
        """store: where faults that latch survive a restart; None = nowhere, until ``keep_in``."""
        self._clock = clock
        self._active: dict[Key, ActiveFault] = {}
        self._listeners: list[Callable[[Event], None]] = []
        self._when_acknowledged: list[Callable[[Key], None]] = []
        self._latches: Latches | None = None
        self._refusals = FloodGate(
            clock, self._say_left_out, burst=_REFUSALS_AT_ONCE, per_s=_REFUSALS_PER_S
        )
        if store is not None:
            self.keep_in(store)

    def keep_in(self, store: Store) -> None:
        """Take over the faults that an earlier life left latched, and store those to come.

        A store that cannot be read is put aside and itself becomes a fault that latches: what
        it held may have been a trip.
        """
        self._latches = Latches(store)
        left, lost = self._latches.load()
        now_s = self._clock.now_s()
        for (code, subject), text in left.items():
            fault = ActiveFault(code, subject, now_s, text, latches=True, is_latched=True)
            self._active.setdefault((code, subject), fault)
        if lost:
            self.set("latches_lost", "gridzero", lost)
            self.set("latches_lost", "gridzero", None)
        else:
            self._remember()

    def on_event(self, listener: Callable[[Event], None]) -> None:
        """Tell listener every event from now on."""
        self._listeners.append(listener)

    def on_acknowledge(self, listener: Callable[[Key], None]) -> None:
        """Tell listener each latched fault that a person has acknowledged."""
        self._when_acknowledged.append(listener)

    def reporter(self, device: str) -> Callable[..., None]:
        """A ports.plugin.Report for one device."""

        def report(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
            where = f"{device}.{subject}" if subject and subject != device else device
            self.set(code, where, text if active else None)

        return report

    def set(
        self,
        code: str,
        subject: str,
        text: str | None,
        *,
        level: Level | None = None,
        latches: bool | None = None,
    ) -> None:
        """Raise a fault (text: this case in words, "" = the row's title) or end it (None).

        latches: whether it stays until acknowledged; default: what its row says. A fault whose
        cause comes back, or whose level rises, is told again.

        Raises KeyError for a code that has no row in domain.faults.
        """
        row, key = FAULTS[code], (code, subject)
        if text is None:
            self._end(key)
            return
        stays = row.latches if latches is None else latches
        fault = ActiveFault(
            code, subject, self._clock.now_s(), text or row.title, latches=stays, level=level
        )
        old = self._active.get(key)
        if old is None or old.is_latched:
            self._raise(key, replace(fault, latches=stays or (old is not None and old.latches)))
        elif (level or 0) != (old.level or 0) or (stays and not old.latches):
            worse = (level or 0) > (old.level or 0)
            self._change(key, replace(fault, since_s=old.since_s, latches=stays or old.latches))
            if worse:
                self._say(
                    code, subject, severity_of(fault.code, fault.level), fault.text, active=True
                )

    def sync(
        self,
        codes: frozenset[str],
        present: Mapping[Key, str],
        levels: Mapping[Key, Level] | None = None,
        latched: Collection[Key] = (),
    ) -> None:
        """Make the standing faults of these codes exactly those that are present.

        levels: of those that have one. latched: those that stay until acknowledged although
        their row does not say so.
        """
        for key in [key for key in self._active if key[0] in codes and key not in present]:
            self.set(*key, None)
        for (code, subject), text in present.items():
            key = code, subject
            level = levels.get(key) if levels else None
            self.set(code, subject, text, level=level, latches=key in latched or None)

    def acknowledge(self, code: str = ALL, subject: str | None = None) -> tuple[Key, ...]:
        """End latched faults whose cause is gone; returns which.

        code: a fault's code, or ``all``. subject: None = every subject. One whose cause is still
        there is told and stays: power must not come back because somebody pressed a button.
        """
        meant = [
            fault
            for (its_code, its_subject), fault in self._active.items()
            if fault.latches and code in {ALL, its_code} and subject in {None, its_subject}
        ]
        ended = tuple((fault.code, fault.subject) for fault in meant if fault.is_latched)
        for fault in meant:
            if not fault.is_latched:
                words = f"not acknowledged, it is still there: {fault.text}"
                self.tell("acknowledge_refused", fault.subject, words, Severity.WARNING)
        for key in ended:
            gone = self._active.pop(key)
            self._say(*key, Severity.INFO, f"acknowledged: {gone.text}", active=False)
        if ended:
            self._remember()
            self._tell_acknowledged(ended)
        return ended

    def tell(self, code: str, subject: str, text: str, severity: Severity = Severity.INFO) -> None:
        """Something a person should know that is not a standing fault.

        Refusals are answers to what anybody may send as often as he likes: of each kind a few are
        told one by one, of the rest once a minute how many there were.
        """
        if code.endswith(_REFUSED) and not self._refusals.passes(code):
            return
        self._say(code, subject, severity, text, active=False)

    def stands(self, code: str) -> bool:
        """Whether a fault of this code stands for any subject, latched or not."""
        return any(key[0] == code for key in self._active)

    @property
    def needs_a_person(self) -> bool:
        """Whether a fault stands that only a person can end: no power until then."""
        return any(fault.latches for fault in self._active.values())

    def needs_a_person_for(self, codes: Collection[str]) -> bool:
        """The same for faults of these codes only."""
        return any(fault.latches and fault.code in codes for fault in self._active.values())

    @property
    def trips(self) -> bool:
        """Whether a fault stands that asks for the battery to be cut off."""
        return any(f.latches or f.level is Level.TRIP for f in self._active.values())

    @property
    def active(self) -> tuple[ActiveFault, ...]:
        """All standing faults, oldest first."""
        return tuple(self._active.values())

    def _raise(self, key: Key, fault: ActiveFault) -> None:
        self._change(key, fault)
        self._say(*key, severity_of(fault.code, fault.level), fault.text, active=True)

    def _end(self, key: Key) -> None:
        old = self._active.get(key)
        if old is None or old.is_latched:
            return
        if old.latches:
            self._change(key, replace(old, is_latched=True))
            words = f"over, and waits to be acknowledged: {old.text}"
            self._say(*key, Severity.WARNING, words, active=True)
        else:
            del self._active[key]
            self._say(*key, Severity.INFO, f"over: {old.text}", active=False)

    def _change(self, key: Key, fault: ActiveFault) -> None:
        """Stored from the moment it is raised: the process may be killed while the cause lasts."""
        old = self._active.get(key)
        self._active[key] = fault
        if fault.latches and (old is None or not old.latches or old.text != fault.text):
            self._remember()

    def _remember(self) -> None:
        if self._latches is not None:
            self._latches.save(
                {key: fault.text for key, fault in self._active.items() if fault.latches}
            )

    def _tell_acknowledged(self, keys: tuple[Key, ...]) -> None:
        for listener in self._when_acknowledged:
            for key in keys:
                listener(key)

    def _say_left_out(self, code: str, count: int) -> None:
        text = f"{count} more were refused since the last one that was told"
        self._say(code, "gridzero", Severity.WARNING, text, active=False)

    def _say(self, code: str, subject: str, severity: Severity, text: str, *, active: bool) -> None:
        remedy = FAULTS[code].remedy if active and code in FAULTS else ""
        event = Event(self._clock.now_s(), code, subject, severity, text, remedy, active)
        name = f"{code}.{'raised' if active else 'cleared' if code in FAULTS else 'said'}"
        getattr(log, _LEVEL[severity])(
            name, subject=subject, text=text, **({"remedy": remedy} if remedy else {})
        )
        for listener in self._listeners:
            listener(event)
