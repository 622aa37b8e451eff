"""Samples to minutes, minutes to hours: pure, and the same however often it is done again.

A roll-up is a row of columns: ``held`` (tenths of a second that were recorded), and for each
measured series NAME its mean weighted by time, ``NAME:known`` (tenths of a second in which it was
known), ``NAME:low``, ``NAME:high``, ``NAME:last``; a sum is one column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import ceil

from gridzero.outputs.history.catalogue import Kind, series_of
from gridzero.outputs.history.samples import Sample

HELD = "held"
KNOWN, LOW, HIGH, LAST = ":known", ":low", ":high", ":last"
_P95 = 0.95
_MOST_NAMES = 500
_W_DS_PER_MWH = 36  # 1 W for 0.1 s is 1/36 of a thousandth of a Wh

Row = dict[str, int]

_FLOWS = {
    "import_wh": ("grid_w", 1),
    "export_wh": ("grid_w", -1),
    "pv_wh": ("pv_w", 1),
    "charge_wh": ("setpoint_w", -1),
    "discharge_wh": ("setpoint_w", 1),
}
"""Energies: of which power, and which sign of it."""


def minute_of(samples: Sequence[Sample]) -> Row:
    """The roll-up of samples in the order of their time; there is at least one."""
    row = {HELD: sum(sample.held_ds for sample in samples)}
    for name in dict.fromkeys(name for sample in samples for name in sample.values):
        series = series_of(name)
        if series is not None and series.kind is Kind.MEASURE:
            row |= _measured(name, _numbers(samples, name))
    for name, (power, sign) in _FLOWS.items():
        row |= _energy(name, _numbers(samples, power), sign)
    return row | _reasons(samples) | _meter_age(_numbers(samples, "meter_age_s"))


def hour_of(minutes: Sequence[Mapping[str, int | None]]) -> Row:
    """The roll-up of roll-ups in the order of their time."""
    row: Row = {}
    for name in dict.fromkeys(name for minute in minutes for name in minute):
        if name == HELD or _is_sum(name):
            row[name] = sum(minute.get(name) or 0 for minute in minutes)
        elif ":" not in name:
            row |= _merged(name, minutes)
    return row


def _numbers(samples: Sequence[Sample], name: str) -> list[tuple[int, int]]:
    """(value, held) of the samples that know it."""
    values = ((sample.values.get(name), sample.held_ds) for sample in samples)
    return [(value, held) for value, held in values if isinstance(value, int)]


def _measured(name: str, numbers: Sequence[tuple[int, int]]) -> Row:
    values = [value for value, _ in numbers]
    if not values:
        return {}
    known, low, high, last = _beside(name)
    return {
        name: _mean(numbers),
        known: sum(held for _, held in numbers),
        low: min(values),
        high: max(values),
        last: values[-1],
    }


@lru_cache(maxsize=_MOST_NAMES)
def _beside(name: str) -> tuple[str, str, str, str]:
    """The other columns of a measured series; one string for the rows of two hours."""
    return name + KNOWN, name + LOW, name + HIGH, name + LAST


def _energy(name: str, numbers: Sequence[tuple[int, int]], sign: int) -> Row:
    if not numbers:
        return {}
    return {name: divided(sum(max(sign * w, 0) * held for w, held in numbers), _W_DS_PER_MWH)}


def _reasons(samples: Iterable[Sample]) -> Row:
    row: Row = {}
    for sample in samples:
        because = sample.values.get("because")
        if isinstance(because, str):
            name = f"because.{because}"
            row[name] = row.get(name, 0) + sample.held_ds
    return row


def _meter_age(numbers: Sequence[tuple[int, int]]) -> Row:
    if not numbers:
        return {}
    ages = sorted(age for age, _ in numbers)
    p95 = ages[ceil(_P95 * len(ages)) - 1]
    return _measured("meter_age_p95_s", [(p95, sum(held for _, held in numbers))])


def _merged(name: str, minutes: Iterable[Mapping[str, int | None]]) -> Row:
    known = [minute for minute in minutes if minute.get(name) is not None]
    if not known:
        return {}
    held, low, high, last = _beside(name)
    means = [(_at(minute, name), _at(minute, held)) for minute in known]
    return {
        name: _mean(means),
        held: sum(held_ds for _, held_ds in means),
        low: min(_at(minute, low) for minute in known),
        high: max(_at(minute, high) for minute in known),
        last: _at(known[-1], last),
    }


def _at(minute: Mapping[str, int | None], name: str) -> int:
    """A column that is there wherever the mean is."""
    return minute.get(name) or 0


def _mean(numbers: Sequence[tuple[int, int]]) -> int:
    weight = sum(held for _, held in numbers)
    return divided(sum(value * held for value, held in numbers), weight) if weight else 0


def divided(total: int, by: int) -> int:
    """The nearest whole number; halves go up. Integers only: the same on every machine."""
    return (2 * total + by) // (2 * by)


def _is_sum(name: str) -> bool:
    series = series_of(name)
    return series is not None and series.kind is Kind.SUM
