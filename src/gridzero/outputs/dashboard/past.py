"""Curves of the past, made ready to draw: read seldom, in a thread, once for all browsers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gridzero.errors import GridzeroError
from gridzero.outputs.dashboard.reasons import runs_of
from gridzero.outputs.history.points import Column, Level, Points
from gridzero.outputs.history.reader import HistoryReader, Record

DAY_S: Final = 86400.0
SPANS: Final = {"day": DAY_S, "week": 7 * DAY_S, "month": 31 * DAY_S, "year": 366 * DAY_S}
MOST_POINTS: Final = 720
MOST_EVENTS: Final = 12
MOST_MARKS: Final = 40
BAND_POINTS: Final = 240
KEEP_S: Final = 30.0
KEEP_NOTHING_S: Final = 5.0
CURVES: Final = {
    "sun": "pv_w",
    "grid": "grid_w",
    "battery": "setpoint_w",
    "house": "net_load_w",
    "soc": "soc_pct",
    "low": "min_cell_v",
    "high": "max_cell_v",
    "heat": "temp_high_c",
}
"""Names on the page, and of the series in the history."""
_BECAUSE: Final = "because."
_NOTHING_YET: Final = "Nothing is written yet: the first values appear within a minute."
_BAND_BY_MINUTES_S: Final = 3 * DAY_S  # a week by minutes would be read for 240 points
_GAP = 1.5  # steps


@dataclass(frozen=True, slots=True)
class _Kept:
    at_s: float
    answer: dict[str, Any]


class Past:
    """Answers for a span are kept for KEEP_S, and made once however many ask at the same time."""

    def __init__(
        self, reader: HistoryReader | None, wall_s: Callable[[], float] = time.time
    ) -> None:
        self._reader, self._wall_s = reader, wall_s
        self._kept: dict[str, _Kept] = {}
        self._busy = asyncio.Lock()

    async def happened(self) -> list[tuple[float, dict[str, Any]]]:
        """The last events of a week with their age in s, oldest first; [] where none is known."""
        if self._reader is None:
            return []
        return await asyncio.to_thread(self._happened, self._reader)

    def _happened(self, reader: HistoryReader) -> list[tuple[float, dict[str, Any]]]:
        now_s = self._wall_s()
        try:
            found = reader.events(now_s - SPANS["week"], now_s, most=MOST_EVENTS)
        except GridzeroError:
            return []  # the chart says it in words
        return [(now_s - one.at_s, one._asdict()) for one in reversed(found)]

    async def answer(self, span: str) -> dict[str, Any]:
        """JSON-ready: times in UTC seconds and a list per curve, or why there is none."""
        if self._reader is None:
            return {"why_not": "No history is kept: add the section history to the configuration"}
        async with self._busy:
            kept = self._kept.get(span)
            if kept is None or self._wall_s() - kept.at_s > _worth_s(kept.answer):
                answer = await asyncio.to_thread(self._read, self._reader, span)
                kept = _Kept(self._wall_s(), answer)
                self._kept[span] = kept
        return kept.answer

    def _read(self, reader: HistoryReader, span: str) -> dict[str, Any]:
        to_s = self._wall_s()
        from_s = to_s - SPANS[span]
        try:
            series = reader.series(list(CURVES.values()), from_s, to_s, MOST_POINTS)
            return _answer(series, from_s, to_s) | _more(reader, from_s, to_s)
        except GridzeroError as error:
            return {"why_not": _why_not(error)}


def _why_not(error: GridzeroError) -> str:
    is_missing = isinstance(error.__cause__, FileNotFoundError)
    return _NOTHING_YET if is_missing else f"The history cannot be read: {error.what}"


def _worth_s(answer: dict[str, Any]) -> float:
    """How long an answer is good; that there is none yet is soon no longer true."""
    return KEEP_NOTHING_S if "why_not" in answer else KEEP_S


def _answer(series: Points, from_s: float, to_s: float) -> dict[str, Any]:
    if not series.at_s:
        return {"why_not": _NOTHING_YET}
    found = list(places(series.at_s, series.step_s))
    curves = {
        name: _drawn(series.columns[key], name, [index for _, index in found])
        for name, key in CURVES.items()
    }
    span = {"from_s": from_s, "to_s": to_s, "step_s": series.step_s}
    return {**span, "at_s": [round(at_s) for at_s, _ in found], **curves}


def places(at_s: Sequence[float], step_s: float) -> Iterator[tuple[float, int | None]]:
    """Points by their index; where time is missing, a point without values: no line is drawn."""
    before_s = at_s[0]
    for index, begin_s in enumerate(at_s):
        if begin_s - before_s > _GAP * step_s:
            yield before_s + step_s, None
        yield begin_s, index
        before_s = begin_s


def _more(reader: HistoryReader, from_s: float, to_s: float) -> dict[str, Any]:
    """Which reason prevailed when, and what happened."""
    names = [name for name in reader.names() if name.startswith(_BECAUSE)]
    level = Level.HOUR if to_s - from_s > _BAND_BY_MINUTES_S else None
    band = reader.series(names, from_s, to_s, BAND_POINTS, level)
    seconds = {name.removeprefix(_BECAUSE): band.columns[name].mean for name in names}
    told = reader.events(from_s, to_s, most=MOST_MARKS)
    return {
        "band": list(runs_of(band.at_s, band.step_s, seconds)),
        "marks": [_mark(one) for one in reversed(told)],
    }


def _mark(one: Record) -> dict[str, Any]:
    title = one.code.replace("_", " ")
    words = " ".join(part for part in (title, one.subject) if part)
    return {
        "at_s": round(one.at_s),
        "severity": one.severity,
        "text": f"{words}: {one.text}" if one.text else words,
    }


_DIGITS: Final = {"low": 3, "high": 3, "soc": 1, "heat": 1}


def _drawn(column: Column, name: str, places: Sequence[int | None]) -> list[float | int | None]:
    """Curves of power in whole watts."""
    values: Sequence[float | None] = {"low": column.low, "high": column.high}.get(name, column.mean)
    digits = _DIGITS.get(name)
    found = (None if place is None else values[place] for place in places)
    return [None if value is None else round(value, digits) for value in found]
