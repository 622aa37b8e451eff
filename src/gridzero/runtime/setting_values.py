"""What people write becomes a value of its setting, or is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from typing import Any

from gridzero.domain.modes import Mode, Strategy
from gridzero.domain.settings import Kind, Setting
from gridzero.errors import GridzeroError

_STAYS = "The old value stays"
_SWITCH = {
    **dict.fromkeys(("on", "true", "yes", "1"), True),
    **dict.fromkeys(("off", "false", "no", "0"), False),
}
_CHOICES: Mapping[str, type[StrEnum]] = {"mode": Mode, "strategy": Strategy}
_LONGEST_MOMENT = 40


class SettingRefused(GridzeroError):
    """A setting that cannot be taken; the old one stays."""


def value_of(row: Setting, value: object) -> Any:
    """The value in the type that domain.modes.Wanted has. Raises SettingRefused."""
    return _READERS[row.kind](row, value)


def moment_of(text: str) -> datetime | None:
    """A moment as ``override_until`` holds it; None for "". Raises ValueError for no moment.

    One without a zone is UTC.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:  # at the ends of the calendar
        raise ValueError(str(error)) from error


def _number(row: Setting, value: object) -> float:
    low, high = row.low or 0.0, row.high or 0.0
    try:
        number = float("nan") if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # refused below
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not (isfinite(number) and low <= number <= high):
        raise _refused(row, f"{_shown(value)} is not a number from {low:g} to {high:g}")
    return number


def _choice(row: Setting, value: object) -> str:
    word = str(value).strip().lower()
    if word not in row.options:
        remedy = f"Use one of {', '.join(row.options)}"
        raise _refused(row, f"there is no {row.key} {_shown(value)}", remedy)
    kind = _CHOICES.get(row.key)
    return kind(word) if kind else word


def _switch(row: Setting, value: object) -> bool:
    found = _SWITCH.get(str(value).strip().lower())
    if found is None:
        raise _refused(row, f"{_shown(value)} is neither on nor off")
    return found


def _text(row: Setting, value: object) -> str:
    text = str(value).strip()
    most = int(row.high or 0)
    if len(text) > most:
        raise _refused(row, f"a text of {len(text)} characters is too long, {most} are the most")
    if not text.isprintable():
        raise _refused(row, "a text with characters that cannot be shown")
    return text


def _moment(row: Setting, value: object) -> str:
    text = str(value).strip()
    try:
        moment = moment_of(text[:_LONGEST_MOMENT])
    except ValueError:
        what = f"{_shown(value)} is no moment"
        raise _refused(row, what, "Write it as 2027-01-31T18:00:00Z") from None
    return "" if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _shown(value: object) -> str:
    return repr(str(value)[:40])


def _refused(row: Setting, what: str, remedy: str = _STAYS) -> SettingRefused:
    return SettingRefused(what, where=row.key, remedy=remedy)


_READERS: Mapping[Kind, Callable[[Setting, object], Any]] = {
    Kind.NUMBER: _number,
    Kind.CHOICE: _choice,
    Kind.SWITCH: _switch,
    Kind.TEXT: _text,
    Kind.MOMENT: _moment,
}
