"""What each part of the law is worth: gridzero without it, on the same traces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from gridzero.bench.control.compare import Case, Result
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.law import LawRow
from gridzero.bench.control.laws.ours import Ours
from gridzero.bench.control.markdown import grid
from gridzero.control.switches import ALL_ON, PARTS
from gridzero.domain.value import REFERENCE, Outlook
from gridzero.errors import ConfigError

OURS = "gridzero"


def without(words: str) -> LawRow:
    """Gridzero without the parts that are named, comma between them. Raises ConfigError."""
    parts = [word.strip() for word in words.split(",") if word.strip()]
    try:
        switches = ALL_ON.without(*parts)
    except ValueError as error:
        remedy = f"There are: {', '.join(PARTS)}"
        raise ConfigError(str(error), where="--without", remedy=remedy) from None
    if not parts:
        raise ConfigError("nothing is named", where="--without", remedy=f"There are: {PARTS}")
    name = " ".join([OURS, *(f"-{part}" for part in parts)])
    made = partial(Ours, switches=switches)
    return LawRow(name, f"ours without {', '.join(parts)}", LAWS[OURS].source, made, ours=True)


def leaning(outlook: Outlook) -> LawRow:
    """Gridzero that knows the prices of the bench, and where its battery is heading."""
    made = partial(Ours, prices=REFERENCE, outlook=outlook)
    summary = f"ours with prices, battery {outlook.value}"
    name, source = f"{OURS} {outlook.value}", LAWS[OURS].source
    return LawRow(name, summary, source, made, ours=True, valued=True)


def ablated() -> list[LawRow]:
    """A row for each part."""
    return [without(part) for part in PARTS]


def ablation_tables(cases: Sequence[Case], *, markdown: bool = False) -> str:
    """Two tables, parts x traces: what the error becomes without each part, and the starts."""
    titles = [_title(case, cases) for case in cases]
    error = [[_name(r), *(_error(case, r) for case in cases)] for r in _rows(cases)]
    starts = [[_name(r), *(_starts(case, r) for case in cases)] for r in _rows(cases)]
    return "\n\n".join(
        (
            grid(
                ["mean avoidable error, W (change without it)", *titles], error, markdown=markdown
            ),
            grid(["starts of converters per hour", *titles], starts, markdown=markdown),
        )
    )


def _rows(cases: Sequence[Case]) -> Sequence[str]:
    return [result.law.name for result in cases[0].results]


def _title(case: Case, cases: Sequence[Case]) -> str:
    words = [case.trace]
    if len({other.plant.name for other in cases}) > 1:
        words.append(case.plant.name)
    if len({other.meter.name for other in cases}) > 1:
        words.append(case.meter.name)
    return ", ".join(words)


def _name(law: str) -> str:
    return law.removeprefix(f"{OURS} ")


def _found(case: Case, law: str) -> Result:
    return next(result for result in case.results if result.law.name == law)


def _change(case: Case, law: str, figure: Callable[[Result], float], digits: int) -> str:
    value, whole = figure(_found(case, law)), figure(_found(case, OURS))
    if law == OURS:
        return f"{value:.{digits}f}"
    if f"{value:.{digits}f}" == f"{whole:.{digits}f}":
        return "="
    if not whole:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({100.0 * (value / whole - 1.0):+.0f} %)"


def _error(case: Case, law: str) -> str:
    return _change(case, law, lambda result: result.metrics.mean_w, 1)


def _starts(case: Case, law: str) -> str:
    return _change(case, law, lambda result: result.metrics.starts_h, 0)
