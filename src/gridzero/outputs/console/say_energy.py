"""Energy and money as lines: today and since ever, only what is known and not nothing."""

from __future__ import annotations

from collections.abc import Iterator

from gridzero.domain.energy import Counted, Money
from gridzero.outputs.console.dig import Heard, Tree, branch, number
from gridzero.outputs.console.freshness import freshness
from gridzero.outputs.console.paint import Line, duration, figure, labelled, line, said

_ROWS: dict[str, str] = {
    Counted.GRID_IMPORT: "bought from the grid",
    Counted.GRID_EXPORT: "sold to the grid",
    Counted.PRODUCED: "made by the panels",
    Counted.CONSUMED: "used by the house",
    Counted.HOUSE: "drawn beyond its own sun",
    Counted.HOUSE_FROM_BATTERY: "  of it from the battery",
    Counted.SURPLUS: "surplus of the sun",
    Counted.CHARGED_FROM_SURPLUS: "  of it into the battery",
    Counted.CHARGED: "battery charged",
    Counted.CHARGED_FROM_GRID: "  of it from the grid",
    Counted.DISCHARGED: "battery discharged",
    Counted.DC_IN: "into the cells (DC)",
    Counted.DC_OUT: "out of the cells (DC)",
    Counted.AVOIDABLE_IMPORT: "bought, but avoidable",
    Counted.AVOIDABLE_EXPORT: "sold, but avoidable",
    Money.SAVINGS: "saved by the battery",
    Money.IMPORT_COST: "paid for grid power",
    Money.EXPORT_INCOME: "earned by selling",
    "autarky_pct": "not bought, of what was used",
    "self_consumption_pct": "not sold, of what was made",
    "surplus_used_pct": "stored, of the surplus",
}
_APART = frozenset({Counted.KNOWN.value, Counted.UNKNOWN.value, "starts", "hours"})
_UNITS = {"kwh": "kWh", "wh": "Wh", "ct": "ct", "pct": "%", "h": "h"}
_LEAST = 0.005  # less than that is shown as 0.00


def energy(heard: Heard) -> list[Line]:
    """Counters of today and since ever, side by side."""
    told = heard.latest("energy")
    if told is None:
        return freshness(heard, "energy")
    today = branch(told, "today")
    others = (str(name) for name in (*told, *today) if str(name) not in _APART)
    names = dict.fromkeys((*map(str, _ROWS), *others))
    rows = [_counter(name, told, today) for name in names if _says_something(name, told, today)]
    head = line(("head", f"{'':<30}{'today':>12}{'since ever':>12}"))
    return [
        *freshness(heard, "energy"),
        *([head, *rows] if rows else [line("nothing to speak of has been counted yet")]),
        *_converters(told, today),
        *_counted_for(told),
    ]


def _says_something(name: str, *trees: Tree) -> bool:
    """Whether a figure of that name is known and more than nothing."""
    values = (number(tree, name) for tree in trees)
    return any(value is not None and abs(value) >= _LEAST for value in values)


def _counter(name: str, told: Tree, today: Tree) -> Line:
    words, _, end = name.rpartition("_")
    label = _ROWS.get(name) or said(words if end in _UNITS else name)
    of_today, ever = (_column(number(tree, name), end) for tree in (today, told))
    return line(("label", f"{label:<30}"), f"{of_today:>12}{ever:>12}", f"  {_UNITS.get(end, '')}")


def _column(value: float | None, unit: str) -> str:
    """Empty where it is not known: the other column is."""
    if value is None:
        return ""
    return figure(value, 1 if unit == "pct" else 2 if abs(value) < 1000.0 else 0)


def _converters(told: Tree, today: Tree) -> Iterator[Line]:
    """How much each converter has worked; one that never did is not named."""
    for name, one in branch(told, "converters").items():
        if number(one, "starts") or number(one, "hours"):
            of_today = branch(today, "converters", name)
            also = f"   today {_work(of_today)}" if number(of_today, "starts") is not None else ""
            yield labelled(str(name), f"has worked {_work(one)}", ("faint", also))


def _work(one: Tree) -> str:
    hours, starts = number(one, "hours"), number(one, "starts")
    times = "1 start" if starts == 1.0 else f"{figure(starts)} starts"
    return f"{duration(None if hours is None else hours * 3600.0)}, {times}"


def _counted_for(told: Tree) -> Iterator[Line]:
    known_h, unknown_h = number(told, Counted.KNOWN), number(told, Counted.UNKNOWN)
    if known_h is None:
        return
    missing = f"; not for {duration(unknown_h * 3600.0)} without a meter" if unknown_h else ""
    yield line(("faint", f"counted for {duration(known_h * 3600.0)}{missing}"))
