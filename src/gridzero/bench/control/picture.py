"""Power and error over time, laws side by side. Needs matplotlib (extra ``plot``)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from gridzero.bench.control.compare import Case, Result
from gridzero.bench.control.converters import STEP_S
from gridzero.errors import ConfigError

_WIDTH, _HEIGHT = 3.2, 2.0


def draw(cases: Sequence[Case], path: Path, window_s: tuple[float, float]) -> None:
    """Two rows per case (power, error), a column per law; window_s: from and to.

    Needs results with courses. Raises ConfigError without matplotlib or when the file cannot be
    written.
    """
    figures = matplotlib()
    laws = max(len(case.results) for case in cases)
    size = (_WIDTH * laws + 0.8, 2 * _HEIGHT * len(cases) + 0.6)
    figure = figures.Figure(figsize=size, layout="constrained")
    grid = figure.subplots(2 * len(cases), laws, squeeze=False, sharex=True)
    for row, case in enumerate(cases):
        _draw_case(grid[2 * row], grid[2 * row + 1], case, window_s)
    for axes in grid[-1]:
        axes.set_xlabel("s")
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        remedy = "Give a path ending in .png in a folder that exists"
        raise ConfigError(str(error), where=str(path), remedy=remedy) from error


def matplotlib() -> Any:
    """The part of matplotlib that draws. Raises ConfigError when it is not installed."""
    try:
        return import_module("matplotlib.figure")
    except ImportError:
        remedy = "Install the extra: pip install 'gridzero[plot]'"
        raise ConfigError("drawing needs matplotlib", where="--plot", remedy=remedy) from None


def _draw_case(
    powers: Sequence[Any], errors: Sequence[Any], case: Case, window_s: tuple[float, float]
) -> None:
    for result, upper, lower in zip(case.results, powers, errors, strict=False):
        _draw_law(upper, lower, result, window_s)
    for row in (powers, errors):
        low, high = _range(row[: len(case.results)])
        for axes in row:
            axes.set_ylim(low, high)
            axes.grid(visible=True, linewidth=0.3)
    powers[0].set_ylabel(f"{case.trace}, {case.plant.name}\npower, W")
    errors[0].set_ylabel("grid error, W")


def _draw_law(upper: Any, lower: Any, result: Result, window_s: tuple[float, float]) -> None:
    course = result.course
    if course is None:
        return
    first, last = (round(at_s / STEP_S) for at_s in window_s)
    load_w = course.trace.net_load_w[first:last]
    times_s = [(first + step) * STEP_S for step in range(len(load_w))]
    upper.plot(times_s, load_w, linewidth=0.8, color="0.5", label="net load")
    upper.plot(times_s, course.battery_w[first:last], linewidth=1.0, label="battery")
    lower.axhspan(-25.0, 25.0, color="0.9")
    lower.plot(times_s, course.error_w[first:last], linewidth=0.8, color="tab:red")
    upper.set_title(f"{result.law.name}: |e| {result.metrics.mean_w:.1f} W", fontsize=9)
    upper.legend(fontsize=6, loc="upper right")


def _range(axes_of_row: Sequence[Any]) -> tuple[float, float]:
    limits = [axes.get_ylim() for axes in axes_of_row]
    return min(low for low, _ in limits), max(high for _, high in limits)
