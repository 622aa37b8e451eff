"""Power and error over time, laws side by side. Needs matplotlib (extra ``plot``).

One block per case: above, the net load and what each law makes of it, the names at the ends of the
lines; below, the error of each law in a field of its own, all on the same scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any

from gridzero.bench.control.compare import Case, Course, Result
from gridzero.bench.control.converters import STEP_S
from gridzero.control.settling import BAND_W
from gridzero.errors import ConfigError

_WIDTH, _POWER_HEIGHT, _ERROR_HEIGHT = 12.0, 3.6, 1.7
_ACROSS = 3
_NAME_GAP = 0.075  # between two names, as a part of the height of the field
_LOAD_COLOUR = "0.35"
# Okabe and Ito's palette, which stays apart for the colour-blind; black is left to the text
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B", "#7F7F7F")
_STYLES = ("-", "--", ":")


def draw(cases: Sequence[Case], path: Path, window_s: tuple[float, float]) -> None:
    """A block per case; window_s: from and to.

    Needs results with courses. Raises ConfigError without matplotlib or when the file cannot be
    written.
    """
    heights = [_POWER_HEIGHT + _ERROR_HEIGHT * _rows(case) for case in cases]
    figure = matplotlib().Figure(figsize=(_WIDTH, sum(heights)), layout="constrained")
    blocks = figure.subfigures(len(cases), 1, height_ratios=heights, squeeze=False)
    for (block,), case in zip(blocks, cases, strict=True):
        _draw_case(block, case, window_s)
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


def _rows(case: Case) -> int:
    """Rows of error fields."""
    return ceil(len(case.results) / _across(case))


def _across(case: Case) -> int:
    return min(_ACROSS, len(case.results))


def _draw_case(block: Any, case: Case, window_s: tuple[float, float]) -> None:
    across, rows = _across(case), _rows(case)
    grid = block.add_gridspec(
        1 + rows, across, height_ratios=[_POWER_HEIGHT, *([_ERROR_HEIGHT] * rows)]
    )
    drawn = [(result, course) for result in case.results if (course := result.course)]
    power = block.add_subplot(grid[0, :])
    _draw_powers(power, drawn, window_s)
    first = None
    for at, (result, course) in enumerate(drawn):
        place = grid[1 + at // across, at % across]
        field = block.add_subplot(place, sharex=first, sharey=first)
        first = first or field
        _draw_error(field, at, result, course, window_s)
        field.label_outer()
    plant, meter = case.plant, case.meter
    block.suptitle(
        f"{case.trace} on {plant.name} ({plant.summary})\nmeter {meter.name} ({meter.summary})",
        fontsize=11,
    )


def _draw_powers(
    field: Any, drawn: Sequence[tuple[Result, Course]], window_s: tuple[float, float]
) -> None:
    """The load as an area behind, the laws as lines before it."""
    load_w = _cut(drawn[0][1].trace.net_load_w, window_s)
    times_s = _times_s(window_s, len(load_w))
    field.fill_between(times_s, load_w, step="post", color="0.9", linewidth=0.0)
    field.step(times_s, load_w, where="post", color=_LOAD_COLOUR, linewidth=1.0, label="net load")
    ends_w = []
    for at, (result, course) in enumerate(drawn):
        battery_w = _cut(course.battery_w, window_s)
        field.plot(times_s, battery_w, label=f"battery, {result.law.name}", **_style(at, result))
        ends_w.append(battery_w[-1])
    field.axhline(0.0, color="0.5", linewidth=0.6)
    field.set_ylabel("W, > 0 discharge")
    _dress(field, times_s)
    low_w, high_w = field.get_ylim()
    field.set_ylim(low_w, high_w + 0.22 * (high_w - low_w))  # room for the legend
    field.legend(loc="upper left", fontsize=8, ncols=4, framealpha=0.85)
    _name_ends(field, [result for result, _ in drawn], ends_w)


def _draw_error(
    field: Any, at: int, result: Result, course: Course, window_s: tuple[float, float]
) -> None:
    error_w = _cut(course.error_w, window_s)
    times_s = _times_s(window_s, len(error_w))
    colour = _style(at, result)["color"]
    field.axhspan(-BAND_W, BAND_W, color="0.88", linewidth=0.0)
    field.fill_between(times_s, error_w, color=colour, alpha=0.35, linewidth=0.0)
    field.plot(times_s, error_w, color=colour, linewidth=0.9)
    mean_w = result.metrics.mean_w
    field.set_title(
        f"{result.law.name}: mean {mean_w:.1f} W", fontsize=9, color=colour, loc="left", pad=3
    )
    field.set_ylabel("grid error, W", fontsize=8)
    field.set_xlabel("s", fontsize=8)
    _dress(field, times_s)


def _dress(field: Any, times_s: Sequence[float]) -> None:
    field.set_xlim(times_s[0], times_s[-1])
    field.grid(visible=True, linewidth=0.3)
    field.tick_params(labelsize=8)
    for side in ("top", "right"):
        field.spines[side].set_visible(False)


def _style(at: int, result: Result) -> dict[str, Any]:
    """A colour for each of eight laws, then the same with other dashes; ours is drawn thicker."""
    dashes, colour = divmod(at, len(_COLOURS))
    return {
        "color": _COLOURS[colour],
        "linestyle": _STYLES[dashes % len(_STYLES)],
        "linewidth": 2.0 if result.law.ours else 1.1,
        "zorder": 3.0 if result.law.ours else 2.0,
    }


def _name_ends(field: Any, results: Sequence[Result], ends_w: Sequence[float]) -> None:
    """Each name beside the end of its line, moved apart where lines end together."""
    low_w, high_w = field.get_ylim()
    heights = [(end_w - low_w) / (high_w - low_w) for end_w in ends_w]
    places = spread_out(heights, min(_NAME_GAP, 1.0 / len(heights)))
    for at, (result, end_w, place) in enumerate(zip(results, ends_w, places, strict=True)):
        colour = _style(at, result)["color"]
        field.annotate(
            result.law.name,
            xy=(1.0, end_w),
            xycoords=("axes fraction", "data"),
            xytext=(1.015, place),
            textcoords="axes fraction",
            fontsize=8.5,
            fontweight="bold" if result.law.ours else "normal",
            color=colour,
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.6,
                "relpos": (0.0, 0.5),
                "shrinkA": 1.0,
            },
        )


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """The same order, at least gap apart, around the same middle, within 0..1 if there is room."""
    moved = list(places)
    last = float("-inf")
    for index in sorted(range(len(places)), key=places.__getitem__):
        moved[index] = last = max(places[index], last + gap)
    shift = (sum(places) - sum(moved)) / len(places)
    shift = max(min(shift, 1.0 - max(moved)), -min(moved))
    return [place + shift for place in moved]


def _cut(values: Sequence[float], window_s: tuple[float, float]) -> Sequence[float]:
    first, last = (round(at_s / STEP_S) for at_s in window_s)
    return values[first:last]


def _times_s(window_s: tuple[float, float], count: int) -> list[float]:
    first = round(window_s[0] / STEP_S)
    return [(first + step) * STEP_S for step in range(count)]
