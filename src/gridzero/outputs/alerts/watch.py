"""Reads what gridzero says into the book: faults, silence, what is told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gridzero.domain.alarms import Level
from gridzero.domain.events import Severity
from gridzero.domain.faults import FAULTS, severity_of
from gridzero.outputs.alerts.book import Book, Sighting
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import Clock

FAULT, SILENCE = "fault ", "silence "
SILENT_S = 120.0
MOST_LISTED = 200
"""Of one list: a house has no more to say."""

_ALONE = "the converters stop by their own time-outs; docs/faults.md says when"


class Watch:
    """Everything it hears goes into the book. least: what is less severe is not looked at.

    wall_s: UTC, s. is_in_maintenance: a person works at it and needs no messages.
    """

    def __init__(
        self,
        feed: Feed,
        book: Book,
        clock: Clock,
        wall_s: Callable[[], float],
        least: Severity,
    ) -> None:
        self.is_in_maintenance = False
        self._feed, self._book, self._clock, self._wall_s = feed, book, clock, wall_s
        self._least = least
        self._begun_s = clock.now_s()
        feed.on("state", self._take_state)
        feed.on("event", self._take_event)
        feed.on("health", self._take_health)
        feed.on("settings", self._take_settings)

    def look(self) -> None:
        """Notice silence; it is heard by nobody, so somebody has to look."""
        if self._is_silent:
            self._book.stand(self._silence(), self._wall_s())
        else:
            self._book.end_others(SILENCE, ())

    @property
    def _is_silent(self) -> bool:
        now_s = self._clock.now_s()
        heard_s = min(self._feed.age_s("state"), now_s - self._begun_s)
        return heard_s > SILENT_S

    def _silence(self) -> Sighting:
        link = self._feed.link.health
        if link.state != "up":
            text = f"no connection to its broker: {link.why}"
        elif self._feed.is_online is False:
            text = "the broker says that it is offline"
        else:
            text = f"it has said nothing for {SILENT_S / 60:g} minutes"
        return Sighting(
            key=f"{SILENCE}gridzero",
            title="gridzero is silent",
            text=text,
            power=_ALONE,
            remedy="See its log, the Pi and the broker; start it again",
        )

    def _take_state(self, values: Mapping[str, Any]) -> None:
        if not isinstance(values.get("faults"), list):
            return
        now_s = self._wall_s()
        standing = {each.key: each for each in self._faults(values["faults"])}
        for sighting in standing.values():
            self._book.stand(sighting, now_s)
        self._book.end_others(FAULT, standing)

    def _faults(self, faults: list[Any]) -> Iterator[Sighting]:
        for fault in faults[:MOST_LISTED]:
            match fault:
                case {"code": str(code), "subject": str(subject)}:
                    level = _level(fault.get("level"))
                    if severity_of(code, level) >= self._least:
                        yield _fault(code, subject, level, fault)

    def _take_event(self, values: Mapping[str, Any]) -> None:
        """What stands is in the state; here is what is only said, such as a full disk."""
        match values:
            case {"code": str(code), "subject": str(subject)} if code not in FAULTS:
                if values.get("severity") == "fault" or values.get("active") is True:
                    title, remedy = str(values.get("text", "")), str(values.get("remedy", ""))
                    key = f"event {code} {subject}"
                    sighting = Sighting(key=key[:120], title=title or code, remedy=remedy)
                    self._book.news(sighting, self._wall_s())

    def _take_health(self, values: Mapping[str, Any]) -> None:
        jobs = values.get("maintenance")
        for job in jobs[:MOST_LISTED] if isinstance(jobs, list) else ():
            match job:
                case {"urgency": "now", "code": str(code), "subject": str(subject)}:
                    self._book.news(_job(code, subject, job), self._wall_s())

    def _take_settings(self, values: Mapping[str, Any]) -> None:
        match values:
            case {"settings": {"maintenance": {"value": value}}}:
                self.is_in_maintenance = value is True or value == "on"


def _level(name: Any) -> Level | None:
    return Level.__members__.get(name.upper()) if isinstance(name, str) else None


def _fault(code: str, subject: str, level: Level | None, fault: Mapping[str, Any]) -> Sighting:
    row = FAULTS.get(code)
    title = row.title if row else code
    return Sighting(
        key=f"{FAULT}{code} {subject}"[:120],
        title=f"{title} ({subject})",
        text=str(fault.get("text") or ""),
        power=row.power if row else "",
        remedy=str(fault.get("remedy") or (row.remedy if row else "")),
        is_urgent=level is Level.TRIP or (row is not None and row.latches),
    )


def _job(code: str, subject: str, job: Mapping[str, Any]) -> Sighting:
    return Sighting(
        key=f"maintenance {code} {subject}"[:120],
        title=f"{job.get('what') or code} ({subject})",
        text=str(job.get("why") or ""),
        remedy=str(job.get("remedy") or ""),
    )
