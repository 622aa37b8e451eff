"""Tables for documents, and for a terminal where a table has no fixed columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from gridzero.bench.control.compare import Case, Result
from gridzero.bench.control.table import competes


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool = False) -> str:
    """First column to the left, the others to the right. With lines between if markdown."""
    if markdown:
        head, *rows = [[cell.replace("|", "\\|") for cell in cells] for cells in (head, *rows)]
    least = 3 if markdown else 1  # a rule needs room for a dash beside its colon
    widths = [max(least, *map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [_line(cells, widths, markdown=markdown) for cells in (head, *rows)]
    if markdown:
        dashes = ["-" * width for width in widths]
        rule = [dashes[0], *(f"{dash[:-1]}:" for dash in dashes[1:])]
        lines.insert(1, _line(rule, widths, markdown=True))
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int], *, markdown: bool) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in others)]
    return f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip()


def matrices(cases: Sequence[Case]) -> str:
    """For each plant and meter: laws x traces, then how steps settle, then the starts."""
    parts: list[str] = []
    for (plant, meter), group in groupby(cases, key=lambda c: (c.plant.name, c.meter.name)):
        together = list(group)
        parts += [f"Plant `{plant}`, meter `{meter}`: mean avoidable error, W", _errors(together)]
        parts += ["Starts of converters per hour", _starts(together)]
        parts += [part for case in together for part in _settling(case)]
    return "\n\n".join(parts)


def _errors(cases: Sequence[Case]) -> str:
    best = [min((_mean(r) for r in case.results if competes(r)), default=None) for case in cases]
    rows = [
        [_named(column[0]), *(_marked(r, top) for r, top in zip(column, best, strict=True))]
        for column in _by_law(cases)
    ]
    return grid([cases[0].plant.name, *(case.trace for case in cases)], rows, markdown=True)


def _starts(cases: Sequence[Case]) -> str:
    rows = [
        [_named(column[0]), *(f"{r.metrics.starts_h:.0f}" for r in column)]
        for column in _by_law(cases)
    ]
    return grid([cases[0].plant.name, *(case.trace for case in cases)], rows, markdown=True)


def _settling(case: Case) -> list[str]:
    known = [result for result in case.results if result.metrics.settle_s is not None]
    if not known:
        return []
    head = ["law", "settles s", "at most", "never", "overshoot W", "dead s", "at rest W"]
    rows = [[_named(result), *_steps(result)] for result in known]
    return [f"After the steps of `{case.trace}`", grid(head, rows, markdown=True)]


def _steps(result: Result) -> list[str]:
    m = result.metrics
    figures = (m.settle_s, m.settle_max_s, m.unsettled, m.overshoot_w, m.dead_s, m.stationary_w)
    settle, most, never, over, dead, rest = (0.0 if f is None else f for f in figures)
    times = [f"{settle:.1f}", f"{most:.1f}", f"{100 * never:.0f} %"]
    return [*times, f"{over:.0f}", f"{dead:.1f}", f"{rest:.1f}"]


def _by_law(cases: Sequence[Case]) -> list[tuple[Result, ...]]:
    return list(zip(*(case.results for case in cases), strict=True))


def _mean(result: Result) -> float:
    return round(result.metrics.mean_w, 1)


def _named(result: Result) -> str:
    if result.law.ours:
        return f"**{result.law.name}**"
    return result.law.name if competes(result) else f"*{result.law.name}*"


def _marked(result: Result, best: float | None) -> str:
    text = f"{_mean(result):.1f}"
    if not competes(result):
        return f"*{text}*"
    return f"**{text}**" if _mean(result) == best else text
