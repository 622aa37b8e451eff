"""What a message says: what, since when, what power is, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum
from typing import Any, NamedTuple

from gridzero.outputs.alerts.book import Case
from gridzero.outputs.values import number_of

MOST_NEWS = 10
_LONGEST = 4000


class Change(Enum):
    """What is new about a case for one address; the value is how a line begins."""

    CAME = ""
    ENDED = "Over: "
    FLICKERED = "Came and went: "
    REMAINS = "Still there: "


class News(NamedTuple):
    """One case and what is new about it. times: how often it came since the last message."""

    key: str
    case: Case
    change: Change
    times: int = 1


class Message(NamedTuple):
    """What is sent. news: what it tells."""

    title: str
    body: str
    news: tuple[News, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Writes messages. site: name of the house. zone: of local times; None = the system's."""

    site: str
    zone: tzinfo | None = None

    def message(
        self, news: Sequence[News], state: Mapping[str, Any] | None, held_s: float | None
    ) -> Message:
        """held_s: since when messages were held back by the limit, UTC; None = they were not."""
        shown = [self._paragraph(each) for each in news[:MOST_NEWS]]
        if len(news) > MOST_NEWS:
            shown.append(f"And {len(news) - MOST_NEWS} more.")
        if held_s is not None:
            shown.append(f"Held back since {self.moment(held_s)}: too many messages in an hour.")
        shown.append(_now(state))
        body = "\n\n".join(filter(None, shown))
        return Message(f"{self.site}: {_headline(news)}", body[:_LONGEST], tuple(news))

    def moment(self, utc_s: float) -> str:
        """A time of day with its date, local."""
        return f"{datetime.fromtimestamp(utc_s, self.zone).astimezone(self.zone):%d %b %H:%M}"

    def _paragraph(self, news: News) -> str:
        return "\n".join(self._lines(news))

    def _lines(self, news: News) -> Iterator[str]:
        case, change = news.case, news.change
        often = f", {news.times} times" if news.times > 1 else ""
        yield f"{change.value}{case.title}, since {self.moment(case.since_s)}{often}"
        if change in {Change.ENDED, Change.FLICKERED}:
            return
        if case.text and case.text != case.title:
            yield case.text
        if case.power:
            yield f"Power: {case.power}"
        if case.remedy:
            yield f"What to do: {case.remedy}"


def _headline(news: Sequence[News]) -> str:
    """The one thing, or how many there are of which kind."""
    if len(news) == 1:
        return f"{news[0].change.value}{news[0].case.title}"
    counts = {change: sum(each.change is change for each in news) for change in Change}
    words = {
        Change.CAME: "new",
        Change.ENDED: "over",
        Change.FLICKERED: "came and went",
        Change.REMAINS: "still there",
    }
    return ", ".join(f"{counts[change]} {word}" for change, word in words.items() if counts[change])


def _now(state: Mapping[str, Any] | None) -> str:
    """What power is at this moment; "" where nobody knows."""
    parts = tuple(_known(state or {}))
    return f"Now: {', '.join(parts)}." if parts else ""


def _known(state: Mapping[str, Any]) -> Iterable[str]:
    battery = state.get("battery")
    figures = (
        ("battery", state.get("setpoint_w"), "W"),
        ("grid", state.get("grid_w"), "W"),
        ("charge", battery.get("soc_pct") if isinstance(battery, Mapping) else None, "%"),
    )
    for name, value, unit in figures:
        if number_of(value) is not None:
            yield f"{name} {value:.0f} {unit}"
    because = state.get("because_text")
    if isinstance(because, str) and because:
        yield because[:200]
