"""What one address was told, and so what it is to be told next.

Nothing is queued: a message is made, when one may be sent, of the difference between what is and
what was told. So nothing grows while an address cannot be reached, and what comes back to what it
was in the meantime needs no message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, tzinfo
from math import isfinite
from typing import Any, NamedTuple

from gridzero.outputs.alerts.book import Book, Case
from gridzero.outputs.alerts.words import Change, News

_HOUR_S = 3600.0
_FLICKERS = 3
"""What comes and goes within the time of grouping is told from so many times on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """When to speak. quiet: local times from, to; None = never quiet. remind_s: inf = never."""

    group_s: float = 60.0
    remind_s: float = 24 * _HOUR_S
    at_most_per_hour: int = 6
    quiet: tuple[time, time] | None = None
    zone: tzinfo | None = None

    def is_quiet(self, now_s: float) -> bool:
        """Whether it is a time at which only what is urgent may disturb."""
        if self.quiet is None:
            return False
        begin, end = self.quiet
        now = datetime.fromtimestamp(now_s, self.zone).astimezone(self.zone).time()
        return begin <= now < end if begin <= end else now >= begin or now < end


class Told(NamedTuple):
    """The last word on a case. at_s: UTC."""

    stands: bool
    comings: int
    at_s: float


@dataclass(slots=True)
class Channel:
    """One address. behind_s: since when what is differs from what was told, by key.

    held_s: since when the limit has held messages back, None = it has not.
    """

    manners: Manners
    told: dict[str, Told] = field(default_factory=dict)
    sent_s: list[float] = field(default_factory=list)
    behind_s: dict[str, float] = field(default_factory=dict)
    held_s: float | None = None

    def due(self, book: Book, now_s: float) -> tuple[News, ...]:
        """What to tell now; nothing while something holds it back."""
        news = tuple(self._news(book, now_s))
        self._note_behind(news, now_s)
        if not any(self._is_ripe(each, now_s) for each in news):
            return ()
        if self.manners.is_quiet(now_s) and not any(each.case.is_urgent for each in news):
            return ()
        if self._is_full(now_s):
            self.held_s = now_s if self.held_s is None else self.held_s
            return ()
        return news

    def has_told(self, news: tuple[News, ...], now_s: float) -> None:
        """It has been delivered."""
        self.sent_s.append(now_s)
        self.held_s = None
        for key, case, change, _ in news:
            self.behind_s.pop(key, None)
            stands = change not in {Change.ENDED, Change.FLICKERED}
            self.told[key] = Told(stands, case.comings, now_s)

    def forget(self, book: Book) -> None:
        """Drop what the book does not know any more."""
        self.told = {key: told for key, told in self.told.items() if key in book.cases}

    @property
    def waiting(self) -> frozenset[str]:
        """Cases of which the end is still to be told."""
        return frozenset(key for key, told in self.told.items() if told.stands)

    def to_dict(self) -> dict[str, Any]:
        """For json.dumps."""
        return {"told": {key: list(told) for key, told in self.told.items()}, "sent_s": self.sent_s}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what to_dict() gave. Raises ValueError, TypeError, KeyError for others."""
        told = {key: Told(*row) for key, row in values["told"].items()}
        for each in told.values():
            _check(each.stands, each.comings)
        sent_s = [float(s) for s in values["sent_s"]]
        self.told = {key: each._replace(at_s=float(each.at_s)) for key, each in told.items()}
        self.sent_s = sent_s

    def _news(self, book: Book, now_s: float) -> Iterator[News]:
        for key, case in book.cases.items():
            told = self.told.get(key)
            change = self._change(case, told, now_s)
            if change is not None:
                times = case.comings - (told.comings if told else 0)
                yield News(key, case, change, times)

    def _change(self, case: Case, told: Told | None, now_s: float) -> Change | None:
        if case.is_news:
            return None if told else Change.CAME
        if told is not None and told.stands:
            return self._of_known(case, told, now_s)
        if case.stands:
            return Change.CAME
        times = case.comings - (told.comings if told else 0)
        is_told = times >= _FLICKERS or (case.is_urgent and times > 0)
        return Change.FLICKERED if is_told else None

    def _of_known(self, case: Case, told: Told, now_s: float) -> Change | None:
        """What is new about a case that the person believes to stand."""
        if not case.stands:
            return Change.ENDED
        return Change.REMAINS if self._is_to_remind(told, now_s) else None

    def _is_to_remind(self, told: Told, now_s: float) -> bool:
        remind_s = self.manners.remind_s
        return isfinite(remind_s) and _passed(told.at_s, now_s) >= remind_s

    def _note_behind(self, news: tuple[News, ...], now_s: float) -> None:
        self.behind_s = {each.key: self.behind_s.get(each.key, now_s) for each in news}

    def _is_ripe(self, news: News, now_s: float) -> bool:
        """Whether it has waited for what may come with it."""
        waited_s = _passed(self.behind_s[news.key], now_s)
        return news.change is Change.REMAINS or waited_s >= self.manners.group_s

    def _is_full(self, now_s: float) -> bool:
        self.sent_s = [s for s in self.sent_s if _passed(s, now_s) < _HOUR_S]
        return len(self.sent_s) >= self.manners.at_most_per_hour


def _passed(from_s: float, now_s: float) -> float:
    """Seconds since; a time to come is one of a clock that was wrong, and long ago."""
    return now_s - from_s if from_s <= now_s else float("inf")


def _check(stands: object, comings: object) -> None:
    """A file may hold anything. Raises TypeError."""
    if not (isinstance(stands, bool) and isinstance(comings, int)):
        raise TypeError("not what was told")
