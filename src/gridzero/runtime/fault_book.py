"""Which faults stand now, and who is told when one comes or goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from gridzero.domain.events import Event, Severity
from gridzero.domain.faults import FAULTS
from gridzero.ports.clock import Clock

log = structlog.get_logger()

Key = tuple[str, str]
_LEVEL = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.FAULT: "error"}


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that stands. since_s: monotonic; text: this case in words."""

    code: str
    subject: str
    since_s: float
    text: str

    @property
    def remedy(self) -> str:
        """What the person should do."""
        return FAULTS[self.code].remedy


class FaultBook:
    """Told by drivers and by the site; says each change once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._active: dict[Key, ActiveFault] = {}
        self._listeners: list[Callable[[Event], None]] = []

    def on_event(self, listener: Callable[[Event], None]) -> None:
        """Tell listener every event from now on."""
        self._listeners.append(listener)

    def reporter(self, device: str) -> Callable[..., None]:
        """A ports.plugin.Report for one device."""

        def report(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
            where = f"{device}.{subject}" if subject and subject != device else device
            self.set(code, where, text if active else None)

        return report

    def set(self, code: str, subject: str, text: str | None) -> None:
        """Raise a fault (text: this case in words, "" = the row's title) or clear it (None).

        Raises KeyError for a code that has no row in domain.faults.
        """
        row, key = FAULTS[code], (code, subject)
        if text is None:
            gone = self._active.pop(key, None)
            if gone is not None:
                self._say(code, subject, Severity.INFO, f"over: {gone.text}", active=False)
        elif key not in self._active:
            words = text or row.title
            self._active[key] = ActiveFault(code, subject, self._clock.now_s(), words)
            self._say(code, subject, row.severity, words, active=True)

    def sync(self, codes: frozenset[str], present: Mapping[Key, str]) -> None:
        """Make the standing faults of these codes exactly those that are present."""
        for key in [key for key in self._active if key[0] in codes and key not in present]:
            self.set(*key, None)
        for (code, subject), text in present.items():
            self.set(code, subject, text)

    def tell(self, code: str, subject: str, text: str, severity: Severity = Severity.INFO) -> None:
        """Something a person should know that is not a standing fault."""
        self._say(code, subject, severity, text, active=False)

    def stands(self, code: str) -> bool:
        """Whether a fault of this code stands for any subject."""
        return any(key[0] == code for key in self._active)

    @property
    def active(self) -> tuple[ActiveFault, ...]:
        """All standing faults, oldest first."""
        return tuple(self._active.values())

    def _say(self, code: str, subject: str, severity: Severity, text: str, *, active: bool) -> None:
        remedy = FAULTS[code].remedy if active and code in FAULTS else ""
        event = Event(self._clock.now_s(), code, subject, severity, text, remedy, active)
        name = f"{code}.{'raised' if active else 'cleared' if code in FAULTS else 'said'}"
        getattr(log, _LEVEL[severity])(
            name, subject=subject, text=text, **({"remedy": remedy} if remedy else {})
        )
        for listener in self._listeners:
            listener(event)
