"""The results of a case as text; 120 columns wide as long as the names of the laws are short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gridzero.bench.control.compare import Case, Result

_NAME = 16
LEGEND = """\
|e|, rms: W of grid power that the converters could have covered; import, export: its Wh per hour
settle, max: s from a step to within 25 W for 10 s (~ = not always); over: overshoot, W; dead: s
still: mean |e| at rest, W; starts/h: of converters; travel: kW/h; regret: ct/h at 30 and 8 ct
with --outlook also sell: share of the time with export, %; dry, wet: ct/h that the errors cost
where the battery will run empty, or will be full anyway
ctl, full: saving as a share of an ideal battery's, %, lost to control alone and to everything
* best in its column; the lines below the rule know too much or do nothing and do not compete"""


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int
    digits: int
    value: Callable[[Result], float | None]
    sign: float = 1.0
    """1: low is good. -1: high is good. 0: no contest."""


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


_COLUMNS = (
    _Column("|e|", 7, 1, lambda r: r.metrics.mean_w),
    _Column("rms", 7, 1, lambda r: r.metrics.rms_w),
    _Column("import", 6, 1, lambda r: r.metrics.import_wh_h),
    _Column("export", 6, 1, lambda r: r.metrics.export_wh_h),
    _Column("settle", 7, 1, lambda r: r.metrics.settle_s),
    _Column("max", 6, 1, lambda r: r.metrics.settle_max_s),
    _Column("over", 6, 0, lambda r: r.metrics.overshoot_w),
    _Column("dead", 5, 1, lambda r: r.metrics.dead_s),
    _Column("still", 6, 1, lambda r: r.metrics.stationary_w),
    _Column("starts", 7, 0, lambda r: r.metrics.starts_h),
    _Column("travel", 7, 1, lambda r: r.metrics.travel_kw_h, 0.0),
    _Column("regret", 7, 2, lambda r: r.metrics.regret_ct_h, 0.0),
    _Column("ctl", 7, 1, lambda r: _percent(r.shares.control), -1.0),
    _Column("full", 6, 1, lambda r: _percent(r.shares.full), -1.0),
)
_VALUED = (
    _Column("sell", 6, 1, lambda r: _percent(r.metrics.exporting), 0.0),
    _Column("dry", 6, 3, lambda r: r.metrics.emptying_ct_h, 0.0),
    _Column("wet", 6, 3, lambda r: r.metrics.filling_ct_h, 0.0),
)


def table(case: Case) -> str:
    """A head and a line per law; yardsticks below a rule."""
    racing = [result for result in case.results if competes(result)]
    beside = [result for result in case.results if not competes(result)]
    valued = _VALUED if any(result.law.valued for result in case.results) else ()
    columns = [
        column
        for column in (*_COLUMNS, *valued)
        if any(column.value(result) is not None for result in case.results)
    ]
    width = max(_NAME, *(len(result.law.name) for result in case.results))
    best = {column.title: _best(column, racing) for column in columns}
    head = " " * width + "".join(f"{column.title:>{column.width}} " for column in columns)
    lines = [case.title, head.rstrip(), *(_line(result, width, columns, best) for result in racing)]
    if beside:
        lines += ["-" * width, *(_line(result, width, columns, {}) for result in beside)]
    return "\n".join(lines)


def competes(result: Result) -> bool:
    """Real laws that do something."""
    return not result.law.knows and result.law.name != "nothing"


def _best(column: _Column, results: Sequence[Result]) -> str | None:
    """The best value as it is shown, so that equals share the mark."""
    known = [value for result in results if (value := column.value(result)) is not None]
    if not known or column.sign == 0.0 or len(results) < 2:
        return None
    return _shown(column, min(known, key=lambda value: column.sign * value))


def _shown(column: _Column, value: float | None) -> str:
    if value is None:
        return "-"
    text = f"{value:.{column.digits}f}"
    return text if float(text) != 0.0 else text.lstrip("-")


def _line(
    result: Result, width: int, columns: Sequence[_Column], best: dict[str, str | None]
) -> str:
    cells = [f"{result.law.name:<{width}}"]
    for column in columns:
        text = _shown(column, column.value(result))
        mark = "*" if text == best.get(column.title) else " "
        if column.title == "settle" and result.metrics.unsettled:
            text, mark = f"~{text}", " "
        cells.append(f"{text:>{column.width}}{mark}")
    return "".join(cells).rstrip()
