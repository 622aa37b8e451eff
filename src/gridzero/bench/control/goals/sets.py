"""On which loads the goals are judged: measured ones where there are files, else built-in ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridzero.bench.control.records import Recorded
from gridzero.bench.control.traces import TRACES, TraceRow
from gridzero.errors import ConfigError

_UK = "load/uk_house_gjw_1s_days.parquet"
_UK_DAYS = (
    *("2013-12-20", "2013-12-27", "2014-01-03", "2014-03-17"),
    *("2015-05-18", "2015-06-01", "2016-08-12", "2016-08-21"),
)
_SUNNY_DAYS = ("2013-12-20", "2014-03-17", "2015-05-18", "2015-06-01")
_BUSY_DAY = "2013-12-20"
_TRACEBASE = {f"tracebase-{x}": f"load/de_tracebase_composite_{x}_1s.parquet" for x in "ab"}
_MIXED, _CLOUDS = "pv/pv_1s_day_mixed.parquet", "pv/pv_1s_48min_variable.parquet"
_STRESS_W = 1000.0
_DAY_S, _CLOUDS_S = 86_400.0, 2_900.0
_QUICK_S, _QUICK_BUILT_IN_S = 5_400.0, 3_600.0


@dataclass(frozen=True, slots=True)
class TraceSet:
    """real: what the error goals mean. stress: load less 1 kW, crossing zero again and again."""

    summary: str
    real: tuple[TraceRow, ...]
    stress: tuple[TraceRow, ...]


def trace_set(data: Path | None, *, quick: bool) -> TraceSet:
    """The loads of a run. data: a folder with load/ and pv/. Raises ConfigError."""
    if data is None:
        return _built_in(quick=quick)
    _check(data)
    return _quick(data) if quick else _full(data)


def _built_in(*, quick: bool) -> TraceSet:
    names = ("evening", "midday", "washing")
    rows = [TRACES[name] for name in (*names, "stress")]
    if quick:
        rows = [TraceRow(row.name, row.summary, row.make, _QUICK_BUILT_IN_S) for row in rows]
    return TraceSet("built-in loads, for want of --data", tuple(rows[:-1]), tuple(rows[-1:]))


def _full(data: Path) -> TraceSet:
    days = [_uk(data, day) for day in _UK_DAYS]
    sunny = [_uk(data, day, sun=True) for day in _SUNNY_DAYS]
    composites = [_row(name, Recorded(load=data / file)) for name, file in _TRACEBASE.items()]
    clouds = Recorded(load=data / _UK, day=_BUSY_DAY, sun=data / _CLOUDS, start_h=11.0)
    real = [*days, *sunny, *composites, _row("uk-clouds", clouds, _CLOUDS_S)]
    return TraceSet(
        "8 days of a UK home, 4 of them with 3 kW of sun on a mixed day too, two composites of "
        "German appliances, 48 min of broken clouds",
        tuple(real),
        tuple(_stress(data, _DAY_S)),
    )


def _quick(data: Path) -> TraceSet:
    evening = Recorded(load=data / _UK, day=_BUSY_DAY, start_h=17.0)
    noon = Recorded(load=data / _UK, day=_BUSY_DAY, sun=data / _MIXED, start_h=11.5)
    composite = Recorded(load=data / _TRACEBASE["tracebase-a"], start_h=17.0)
    real = [
        _row("uk-evening", evening, _QUICK_S),
        _row("uk-noon-sun", noon, _QUICK_S),
        _row("tracebase-a", composite, _QUICK_S),
    ]
    return TraceSet(
        "90 minutes each of a UK home, evening and noon with sun, and of a composite of German "
        "appliances",
        tuple(real),
        tuple(_stress(data, _QUICK_S, start_h=17.0)),
    )


def _stress(data: Path, seconds: float, start_h: float = 0.0) -> Iterator[TraceRow]:
    uk = Recorded(load=data / _UK, day=_BUSY_DAY, constant_w=_STRESS_W, start_h=start_h)
    german = Recorded(load=data / _TRACEBASE["tracebase-a"], constant_w=_STRESS_W, start_h=start_h)
    yield _row("uk-less-1kW", uk, seconds)
    yield _row("tracebase-a-less-1kW", german, seconds)
    yield TRACES["stress"]


def _uk(data: Path, day: str, *, sun: bool = False) -> TraceRow:
    recorded = Recorded(load=data / _UK, day=day, sun=data / _MIXED if sun else None)
    return _row(f"uk-{day[2:]}{'-sun' if sun else ''}", recorded)


def _row(name: str, recorded: Recorded, seconds: float = _DAY_S) -> TraceRow:
    return TraceRow(name, "from files", recorded, seconds)


def _check(data: Path) -> None:
    wanted = (_UK, *_TRACEBASE.values(), _MIXED, _CLOUDS)
    missing = [name for name in wanted if not (data / name).is_file()]
    if missing:
        remedy = "Name a folder that holds them, or leave the option out for built-in loads"
        raise ConfigError(f"there is no {missing[0]}", where=f"--data {data}", remedy=remedy)
