"""What is wrong now, and what was a moment ago: the facts that every address is told in its turn.

Pure: times are UTC, s since 1970, and come from outside. So a restart does not forget when
something began.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

MOST_CASES = 100
FORGET_S = 3600.0
_DAY_S = 86400.0
_LONGEST = 300


@dataclass(slots=True, kw_only=True)
class Case:
    """One thing that a person may be told.

    comings: how often it came. is_urgent: quiet hours do not hold it back. is_news: told once,
    never ended and never repeated. seen_s: when it was last known to stand.
    """

    title: str
    text: str
    power: str
    remedy: str
    since_s: float
    seen_s: float
    stands: bool = True
    comings: int = 1
    is_urgent: bool = False
    is_news: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a topic says of one thing. The words are those of Case."""

    key: str
    title: str
    text: str = ""
    power: str = ""
    remedy: str = ""
    is_urgent: bool = False


class Book:
    """All cases by key. lost: how many had no room. is_changed: something is to be stored."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.lost = 0
        self.is_changed = False

    def stand(self, sighting: Sighting, now_s: float) -> None:
        """It is there; it may have been there before."""
        case = self._case(sighting, now_s)
        if case is None:
            return
        case.seen_s = now_s
        if not case.stands:
            case.stands, case.since_s = True, now_s
            case.comings += 1
            self.is_changed = True
        case.is_urgent = sighting.is_urgent
        case.text, case.remedy = _short(sighting.text), _short(sighting.remedy)

    def news(self, sighting: Sighting, now_s: float) -> None:
        """It happened, or is there still; a person is told once."""
        case = self._case(sighting, now_s)
        if case is not None:
            case.is_news, case.seen_s = True, now_s

    def end(self, key: str) -> None:
        """It is over, if it stood."""
        case = self.cases.get(key)
        if case is not None and case.stands and not case.is_news:
            case.stands = False
            self.is_changed = True

    def end_others(self, group: str, standing: Collection[str]) -> None:
        """Of the cases whose keys begin with group, only these stand still."""
        for key in [key for key in self.cases if key.startswith(group) and key not in standing]:
            self.end(key)

    def forget(self, now_s: float, kept: Collection[str]) -> None:
        """Drop what is over and nobody waits to hear of. kept: keys that somebody does."""
        for key, case in list(self.cases.items()):
            limit_s = 7 * _DAY_S if case.is_news else FORGET_S
            is_over = case.is_news or (not case.stands and key not in kept)
            if is_over and not 0.0 <= now_s - case.seen_s <= limit_s:
                del self.cases[key]
                self.is_changed = True

    def to_dict(self) -> dict[str, Any]:
        """For json.dumps."""
        return {key: asdict(case) for key, case in self.cases.items()}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what to_dict() gave. Raises ValueError for anything else."""
        self.cases = {str(key): _restored(case) for key, case in values.items()}

    def _case(self, sighting: Sighting, now_s: float) -> Case | None:
        case = self.cases.get(sighting.key)
        if case is None and len(self.cases) >= MOST_CASES:
            self.lost += 1
            return None
        if case is None:
            self.is_changed = True
            case = self.cases[sighting.key] = Case(
                title=_short(sighting.title),
                text=_short(sighting.text),
                power=_short(sighting.power),
                remedy=_short(sighting.remedy),
                since_s=now_s,
                seen_s=now_s,
                is_urgent=sighting.is_urgent,
            )
        return case


def _restored(values: Any) -> Case:
    if not isinstance(values, Mapping) or values.keys() != {field.name for field in fields(Case)}:
        raise ValueError("not a case")
    wrong = [name for name, kind in _KINDS.items() if not isinstance(values[name], kind)]
    if wrong:
        raise ValueError(f"a case with a strange {wrong[0]}")
    return Case(**values)


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("title", "text", "power", "remedy"), str),
    **dict.fromkeys(("since_s", "seen_s"), (int, float)),
    **dict.fromkeys(("stands", "is_urgent", "is_news"), bool),
    "comings": int,
}


def _short(text: str) -> str:
    """One line of a bearable length: it comes over MQTT and goes into messages."""
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."
    return "".join(letter if letter.isprintable() else " " for letter in shown).strip()
