"""Curves of the past, made ready to draw: read seldom, in a thread, once for all browsers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gridzero.errors import GridzeroError
from gridzero.outputs.history.reader import Column, HistoryReader

DAY_S: Final = 86400.0
SPANS: Final = {"day": DAY_S, "week": 7 * DAY_S}
MOST_POINTS: Final = 720
MOST_EVENTS: Final = 12
KEEP_S: Final = 30.0
CURVES: Final = {
    "grid": "grid_w",
    "battery": "setpoint_w",
    "house": "net_load_w",
    "soc": "soc_pct",
    "low": "min_cell_v",
    "high": "max_cell_v",
}
"""Names on the page, and of the series in the history."""


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
            if kept is None or self._wall_s() - kept.at_s > KEEP_S:
                answer = await asyncio.to_thread(self._read, self._reader, span)
                kept = _Kept(self._wall_s(), answer)
                self._kept[span] = kept
        return kept.answer

    def _read(self, reader: HistoryReader, span: str) -> dict[str, Any]:
        to_s = self._wall_s()
        from_s = to_s - SPANS[span]
        try:
            series = reader.series(list(CURVES.values()), from_s, to_s, MOST_POINTS)
        except GridzeroError as error:
            return {"why_not": f"The history cannot be read: {error.what}"}
        curves = {name: _drawn(series.columns[key], name) for name, key in CURVES.items()}
        return {
            "from_s": from_s,
            "to_s": to_s,
            "step_s": series.step_s,
            "at_s": [round(at_s) for at_s in series.at_s],
            **curves,
        }


_DIGITS: Final = {"low": 3, "high": 3, "soc": 1}


def _drawn(column: Column, name: str) -> list[float | None]:
    values: Sequence[float | None] = {"low": column.low, "high": column.high}.get(name, column.mean)
    digits = _DIGITS.get(name)
    return [None if value is None else round(value, digits) for value in values]
