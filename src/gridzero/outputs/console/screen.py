"""The live screen: one page of lines for a window of any size; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gridzero.outputs.console.dig import Heard, Tree, items, number, word
from gridzero.outputs.console.freshness import freshness
from gridzero.outputs.console.paint import (
    QUIET_W,
    UNKNOWN,
    Fragment,
    Line,
    figure,
    grid,
    labelled,
    line,
    wrapped,
)
from gridzero.outputs.console.say_battery import cells
from gridzero.outputs.console.say_state import (
    battery_power,
    cell_words,
    charge_words,
    converter_lines,
    fault_summary,
    limit_words,
    mode_words,
    pack_words,
)
from gridzero.outputs.console.telnet import Window

KEY_ROW = "q quit  space pause  p cells  b battery  c charge  i discharge  ? more keys"
MORE_KEYS = "l balance  d debug log  r not full  C B trace  R restart  - shunt  % volt  ! full"
_BAR = 30
_FLOW_COLUMNS = 62
_FULL_BAR_W = 1500.0

Page = Callable[[Heard], list[Line]]


class Shown(NamedTuple):
    """What the screen shows besides what was heard. note: the last answer, or a question.

    page: shown instead of the overview.
    """

    clock: str
    note: str = ""
    is_paused: bool = False
    is_question: bool = False
    has_more_keys: bool = False
    page: Page | None = None


def screen(heard: Heard, window: Window, shown: Shown) -> list[Line]:
    """Exactly so many rows as the window has; what matters less gives way."""
    room = max(window.rows - 3, 1)
    body = (shown.page or _overview(window, room))(heard)
    rows = [row for one in body for row in wrapped(one, window.columns, 10)][:room]
    rows += [[] for _ in range(room - len(rows))]
    return [_title(heard, window, shown), *rows, _note(shown), _keys(window, shown)][: window.rows]


def _title(heard: Heard, window: Window, shown: Shown) -> Line:
    state = heard.latest("state")
    is_good = heard.is_online is True and heard.age_s("state") < 5.0
    word_now = "PAUSED" if shown.is_paused else "online" if is_good else "NO NEWS"
    left = f" gridzero  {mode_words(state) if state else ''}"
    right = f"{word_now}  {shown.clock} "
    room = max(window.columns - len(right), 0)
    return line(("bar", f"{left:<{room}.{room}}{right}"))


def _note(shown: Shown) -> Line:
    return line(("alarm" if shown.is_question else "warn", shown.note))


def _keys(window: Window, shown: Shown) -> Line:
    text = MORE_KEYS if shown.has_more_keys else KEY_ROW
    return line(("bar", f" {text}".ljust(window.columns)))


def _overview(window: Window, room: int) -> Page:
    """What is known, in the order of its weight; the cells last, where they fit."""

    def page(heard: Heard) -> list[Line]:
        state = heard.latest("state")
        if state is None:
            return [[], *freshness(heard, "state")]
        rows = [*freshness(heard, "state"), *_flow(state, window.columns), *_figures(state)]
        told = cells(heard)
        height = sum(len(wrapped(one, window.columns, 10)) for one in rows)
        fits = height + len(told) < room and len(told) > 2 and window.columns >= 76
        return [*rows, [], *told] if fits else rows

    return page


def _flow(state: Tree, width: int) -> Iterator[Line]:
    """Grid, house and battery side by side, the arrows pointing where power goes."""
    grid_w, set_w = number(state, "grid_w"), number(state, "setpoint_w")
    if width < _FLOW_COLUMNS:
        net_load = f"   net load {figure(number(state, 'net_load_w'), 0, 'W')}"
        yield labelled("grid", grid(grid_w), net_load)
        return
    style, text = grid(grid_w)
    house = figure(number(state, "net_load_w"), 0, "W")
    yield []
    yield line(("label", f"{'grid':^14}{'':10}{'house less sun':^14}{'':10}{'battery':^14}"))
    yield line(
        (style or "head", f"{text:^14}"),
        _arrow(grid_w, style, to_left="<-- sells ", to_right=" buys --> "),
        ("head", f"{house:^14}"),
        _battery_arrow(set_w),
        ("head", f"{_soc(state):^14}"),
    )
    yield labelled("sells", _meter(grid_w), ("label", "  buys"))
    yield []


def _arrow(power_w: float | None, style: str, *, to_left: str, to_right: str) -> Fragment:
    if power_w is None:
        return "warn", "    ??    "
    if abs(power_w) <= QUIET_W:
        return "good", "  -----   "
    return style, to_right if power_w > 0 else to_left


def _battery_arrow(set_w: float | None) -> Fragment:
    if set_w is None:
        return "warn", "    ??    "
    text = f"{abs(set_w):.0f} W"
    if abs(set_w) < 1.0:
        return "label", "  -----   "
    return ("gives", f"<- {text:<7}") if set_w > 0 else ("stores", f" {text:>6} ->")


def _soc(state: Tree) -> str:
    soc = number(state, "battery", "soc_pct")
    return UNKNOWN if soc is None else f"{figure(soc)} %"


def _meter(grid_w: float | None) -> Fragment:
    """A bar from the middle: left sells, right buys; roots, so that small powers show."""
    half = _BAR // 2
    if grid_w is None:
        return "warn", f"[{'?':^{2 * half + 1}}]"
    length = round(half * min(abs(grid_w) / _FULL_BAR_W, 1.0) ** 0.5)
    bar = "#" * length
    left, right = (bar, "") if grid_w < 0 else ("", bar)
    return grid(grid_w)[0], f"[{left:>{half}}|{right:<{half}}]"


def _figures(state: Tree) -> Iterator[Line]:
    because = word(state, "because_text") or word(state, "because") or UNKNOWN
    yield labelled("because", ("head", because))
    yield labelled("battery", battery_power(state), "   ", charge_words(state))
    yield labelled("", pack_words(state))
    yield labelled("cells", cell_words(state))
    yield labelled("limits", limit_words(state))
    yield from converter_lines(state)
    if items(state, "faults"):
        yield []
    yield from fault_summary(state)
