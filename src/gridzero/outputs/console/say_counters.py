"""The score as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gridzero.domain.causes import CAUSES
from gridzero.outputs.console.dig import Heard, Tree, branch, number
from gridzero.outputs.console.freshness import freshness
from gridzero.outputs.console.paint import Line, figure, line, said

_SHOWN_WS = 180.0


class Row(NamedTuple):
    """How a figure of the score is said. scale: from its own unit to the one shown."""

    words: str
    unit: str = ""
    digits: int = 0
    scale: float = 1.0


_ROWS: dict[str, Row] = {
    "known_s": Row("known for", "min", 0, 1 / 60),
    "unknown_s": Row("not known for", "min", 0, 1 / 60),
    "auto": Row("grid was held", "% of it", 0, 100.0),
    "mean_w": Row("avoidable error, mean", "W", 1),
    "rms_w": Row("avoidable error, RMS", "W", 1),
    "still_w": Row("while the load rests, mean", "W", 1),
    "import_wh": Row("avoidable, bought", "Wh", 1),
    "export_wh": Row("avoidable, sold", "Wh", 1),
    "total_import_wh": Row("bought in all", "Wh", 1),
    "total_export_wh": Row("sold in all", "Wh", 1),
    "limited_s": Row("beyond the limits for", "s"),
    "limited_wh": Row("beyond the limits", "Wh", 1),
    "regret_ct": Row("cost of the avoidable", "ct", 1),
    "steps": Row("steps of the load"),
    "unsettled": Row("  of them not settled"),
    "settle_s": Row("  settled within, mean", "s", 1),
    "settle_max_s": Row("  settled within, longest", "s", 1),
    "starts": Row("starts of converters"),
    "travel_kw_h": Row("way of the battery power", "kW/h", 1),
    "error_ws": Row("error in all", "Wh", 1, 1 / 3600),
}
_SPANS = ("hour", "day")
_LABEL = 28


def score(heard: Heard) -> list[Line]:
    """How well the grid was held: what is known of it; docs/score.md says what each means."""
    told = heard.latest("score")
    if told is None:
        return freshness(heard, "score")
    names = dict.fromkeys((*_ROWS, *branch(told, "hour"), *branch(told, "day")))
    rows = [_figures(str(name), told) for name in names if _is_known(told, str(name))]
    head = line(("head", f"{'':<{_LABEL}}{'last hour':>12}{'last day':>12}"))
    return [*freshness(heard, "score"), head, *rows, *causes(heard)]


def _is_known(told: Tree, name: str) -> bool:
    return any(number(told, span, name) is not None for span in _SPANS)


def _figures(name: str, told: Tree) -> Line:
    row = _ROWS.get(name, Row(said(name), digits=1))
    shown = (_shown(number(told, span, name), row) for span in _SPANS)
    columns = "".join(f"{text:>12}" for text in shown)
    return line(("label", f"{row.words:<{_LABEL}}"), columns, f"  {row.unit}")


def _shown(value: float | None, row: Row) -> str:
    return "-" if value is None else figure(value * row.scale, row.digits)


def causes(heard: Heard) -> Iterator[Line]:
    """Where the grid power of the last hour came from, in watt-hours."""
    causes = branch(heard.latest("score"), "hour", "causes_ws")
    words = {cause.value: text for cause, text in CAUSES.items()}
    rows = [(number(causes, name), name) for name in causes]
    shown = [(ws, name) for ws, name in rows if ws is not None and ws >= _SHOWN_WS]
    if shown:
        yield line(("label", "grid power of the last hour, by its cause:"))
    for ws, name in shown[:8]:
        yield line(f"  {figure(ws / 3600, 1, 'Wh'):>11}  ", words.get(name, said(name)))
