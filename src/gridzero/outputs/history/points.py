"""Frames to points for a chart: joined, put in order, neighbours merged, in units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from gridzero.outputs.history.blocks import Values
from gridzero.outputs.history.catalogue import Kind, Series, known
from gridzero.outputs.history.roll_up import HIGH, KNOWN, LAST, LOW
from gridzero.outputs.history.samples import DS_PER_S
from gridzero.outputs.history.tables import Frame
from gridzero.outputs.history.words import Words

_DIGITS = 4


class Level(StrEnum):
    """How fine: what was said each second, or roll-ups of minutes and hours."""

    RAW = "raw"
    MINUTE = "minute"
    HOUR = "hour"


class Column(NamedTuple):
    """One series over the points; None = not known then.

    mean, low, high, last: of each point's time. A SUM has its sum in ``mean`` and the rest empty;
    raw values of one second stand in all four. A WORD has words in ``last`` only (raw level).
    """

    mean: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    last: Sequence[float | str | None]


@dataclass(frozen=True, slots=True)
class Points:
    """Columns over common points. at_s: UTC, seconds since 1970, the begin of each point.

    step_s: how long a point is; gaps are left out, so distances may be longer.
    """

    level: Level
    step_s: float
    at_s: Sequence[float]
    columns: dict[str, Column]


Groups = list[tuple[int, int]]
"""Rows from .. to (exclusive) that become one point."""


def columns_of(series: Series, level: Level) -> tuple[str, ...]:
    """Which stored columns a series needs."""
    if level is Level.RAW or series.kind is Kind.SUM:
        return (series.name,)
    return tuple(series.name + ending for ending in ("", KNOWN, LOW, HIGH, LAST))


def joined(frames: Iterable[Frame], names: Sequence[str]) -> Frame:
    """One frame in the order of time with exactly these columns."""
    at_ds: list[int] = []
    columns: dict[str, Values] = {name: [] for name in names}
    for frame in frames:
        at_ds += frame.at_ds
        unknown: Values = [None] * len(frame.at_ds)
        for name, values in columns.items():
            values.extend(frame.columns.get(name, unknown))
    return _in_order(Frame(at_ds, columns))


def _in_order(frame: Frame) -> Frame:
    """After a clock was set back, blocks overlap."""
    if all(before <= after for before, after in pairwise(frame.at_ds)):
        return frame
    order = sorted(range(len(frame.at_ds)), key=frame.at_ds.__getitem__)
    columns = {name: [values[i] for i in order] for name, values in frame.columns.items()}
    return Frame([frame.at_ds[i] for i in order], columns)


def groups_of(at_ds: Sequence[int], step_ds: int) -> Groups:
    """Rows that fall into the same step, counted from 1970."""
    starts = [i for i, at in enumerate(at_ds) if i == 0 or at // step_ds != at_ds[i - 1] // step_ds]
    return list(pairwise([*starts, len(at_ds)]))


def points(frame: Frame, names: Sequence[str], level: Level, step_ds: int, words: Words) -> Points:
    """Merge the rows of each step. names: of the catalogue."""
    groups = groups_of(frame.at_ds, step_ds)
    columns = {name: _column(frame, known(name), level, groups, words) for name in names}
    at_s = [(at - at % step_ds) / DS_PER_S for at in (frame.at_ds[begin] for begin, _ in groups)]
    return Points(level, step_ds / DS_PER_S, at_s, columns)


def _column(frame: Frame, series: Series, level: Level, groups: Groups, words: Words) -> Column:
    values = frame.columns[series.name]
    nothing: list[float | None] = [None] * len(groups)
    if series.kind is Kind.WORD:
        coded = (_last(values[a:b]) for a, b in groups)
        texts = [None if code is None else words.text(code) for code in coded]
        return Column(nothing, nothing, nothing, texts)
    if series.kind is Kind.SUM:
        sums = [_sum(values[a:b]) for a, b in groups]
        return Column(_scaled(sums, series), nothing, nothing, nothing)
    low, high, last, weights = (
        (values, values, values, [1] * len(values))
        if level is Level.RAW
        else (frame.columns[series.name + ending] for ending in (LOW, HIGH, LAST, KNOWN))
    )
    return Column(
        _scaled([_mean(values[a:b], weights[a:b]) for a, b in groups], series),
        _scaled([_least(low[a:b]) for a, b in groups], series),
        _scaled([_most(high[a:b]) for a, b in groups], series),
        _scaled([_last(last[a:b]) for a, b in groups], series),
    )


def _scaled(values: Sequence[float | None], series: Series) -> list[float | None]:
    return [scaled(value, series) for value in values]


def scaled(value: float | None, series: Series) -> float | None:
    """Steps to units."""
    return None if value is None else round(value * series.step, _DIGITS)


def _mean(values: Sequence[int | None], weights: Sequence[int | None]) -> float | None:
    if len(values) == 1:
        return values[0]
    pairs = zip(values, weights, strict=True)
    known_ones = [(value, weight or 0) for value, weight in pairs if value is not None]
    weight = sum(weight for _, weight in known_ones)
    return sum(value * w for value, w in known_ones) / weight if weight else None


def _sum(values: Sequence[int | None]) -> int | None:
    known_ones = [value for value in values if value is not None]
    return sum(known_ones) if known_ones else None


def _least(values: Sequence[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _most(values: Sequence[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _last(values: Sequence[int | None]) -> int | None:
    return next((value for value in reversed(values) if value is not None), None)
