"""The battery as lines: cells, modules, charge, balancing, health."""

from __future__ import annotations

from collections.abc import Iterator

from gridzero.outputs.console.dig import Heard, Tree, branch, dig, items, number, numbers, word
from gridzero.outputs.console.freshness import freshness
from gridzero.outputs.console.paint import UNKNOWN, Line, duration, figure, labelled, line, said
from gridzero.outputs.console.say_state import cell_words, temps_words

_LOW_V, _HIGH_V = 3.2, 4.15


def cells(heard: Heard) -> list[Line]:
    """Every cell in mV, a row for each module; the last line says what the marks mean."""
    told = heard.latest("cells")
    if told is None:
        return freshness(heard, "cells")
    known = [v for name in told for v in numbers(told, name, "cells_v") if v is not None]
    ends = (min(known), max(known)) if known else (0.0, 0.0)
    count = max((len(items(told, name, "cells_v")) for name in told), default=0)
    head = "".join(f"{number:>5}" for number in range(1, count + 1))
    return [
        *freshness(heard, "cells"),
        line(("label", f"mV   {head}       C")),
        *(_module_row(name, branch(told, name), ends) for name in told),
        line(("faint", "* lowest  ^ highest  b bled  ? suspect  -- unknown")),
    ]


def _module_row(name: str, module: Tree, ends: tuple[float, float]) -> Line:
    row = line(("label", f"{name[:4]:<5}"))
    bled, suspect = items(module, "bleeding"), items(module, "suspect")
    for place, volts in enumerate(numbers(module, "cells_v"), start=1):
        mark = "?" if place in suspect else "b" if place in bled else " "
        row.append(_cell(volts, mark, ends))
    return [*row, ("", f"{_temps(module):>8}")]


def _cell(volts: float | None, mark: str, ends: tuple[float, float]) -> tuple[str, str]:
    if volts is None:
        return "faint", f"{'--':>4}{mark}"
    if mark == " " and volts in ends:
        mark = "*" if volts == ends[0] else "^"
    if not _LOW_V < volts < _HIGH_V:
        style = "alarm"
    else:
        style = {"?": "warn", "b": "stores", "*": "sells", "^": "buys"}.get(mark, "")
    return style, f"{volts * 1000:4.0f}{mark}"


def _temps(module: Tree) -> str:
    lows = [number(temp, "low") for temp in items(module, "temps_c")]
    highs = [number(temp, "high") for temp in items(module, "temps_c")]
    known = [c for c in (*lows, *highs) if c is not None]
    if not known:
        return "--"
    low, high = f"{min(known):.0f}", f"{max(known):.0f}"
    return low if low == high else f"{low}..{high}"


def modules(heard: Heard) -> list[Line]:
    """One line for each module: voltage, spread, current, charge, heat, balancing."""
    told, battery = heard.latest("cells"), heard.latest("battery")
    if told is None:
        return freshness(heard, "cells")
    head = f"{'':<5}{'V':>8}{'lowest':>8}{'highest':>8}{'mV':>5}{'A':>7}{'soc %':>7}{'C':>8}"
    return [
        *freshness(heard, "cells"),
        line(("label", f"{head}  bled")),
        *(_module_line(name, branch(told, name), battery) for name in told),
    ]


def _module_line(name: str, module: Tree, battery: Tree | None) -> Line:
    volts = numbers(module, "cells_v")
    known = [v for v in volts if v is not None]
    complete = bool(known) and len(known) == len(volts)
    soc = [part for part in numbers(battery, "modules", name, "soc_pct") if part is not None]
    bled = ",".join(map(str, items(module, "bleeding"))) or "-"
    columns = (
        f"{_short(sum(known) if complete else None, 2):>8}",
        f"{_short(min(known, default=None), 3):>8}",
        f"{_short(max(known, default=None), 3):>8}",
        f"{_short((max(known) - min(known)) * 1000 if known else None, 0):>5}",
        f"{_short(number(battery, 'modules', name, 'current_a'), 1):>7}",
        f"{_short(sum(soc) / len(soc) if soc else None, 0):>7}",
        f"{_temps(module):>8}",
    )
    apart = word(battery, "trust", "modules", name)
    return line(("label", f"{name[:4]:<5}"), *columns, f"  {bled}", ("warn", f"  {apart or ''}"))


def _short(value: float | None, digits: int) -> str:
    return "--" if value is None else figure(value, digits)


def battery(heard: Heard) -> list[Line]:
    """Charge, doubts, alarms and heat."""
    told, state = heard.latest("battery"), heard.latest("state") or {}
    if told is None:
        return freshness(heard, "battery")
    charge = branch(told, "charge")
    ago_h = number(charge, "anchored_ago_h")
    ago = "never" if ago_h is None else f"{duration(ago_h * 3600)} ago"
    return [
        *freshness(heard, "battery"),
        labelled("charge", f"{figure(number(charge, 'soc_pct'), 1, '%')} ", _sigma(charge)),
        labelled("capacity", figure(number(charge, "capacity_ah"), 1, "Ah")),
        labelled("to empty", _reach(charge, "out", "empty")),
        labelled("to full", _reach(charge, "in", "full")),
        labelled("confirmed", f"by the voltage at rest: {ago}"),
        labelled("cells", cell_words(state)),
        labelled("heat", *_heat(told, state)),
        *_doubts(told),
        *_alarms(told),
    ]


def _sigma(charge: Tree) -> str:
    sigma = number(charge, "soc_sigma_pct")
    return f"+-{figure(sigma, 1)}" if sigma is not None else ""


def _reach(charge: Tree, way: str, end: str) -> str:
    ah, wh = number(charge, f"{way}_ah"), number(charge, f"{way}_wh")
    hours = number(charge, f"to_{end}_h")
    time = f"   {figure(hours, 1, 'h')} at the present current" if hours is not None else ""
    return f"{figure(ah, 1, 'Ah')}   {figure(wh, 0, 'Wh')}{time}"


def _heat(told: Tree, state: Tree) -> Iterator[str]:
    yield temps_words(state)
    for way in ("charge", "discharge"):
        factor = number(told, "thermal", f"{way}_factor")
        if factor is not None and factor < 1.0:
            yield f"   {way} cut to {figure(factor * 100, 0, '%')}"
    for name in ("heat", "fan"):
        if dig(told, "thermal", f"{name}_on") is True:
            yield f"   {'heater' if name == 'heat' else name} on"


def _doubts(told: Tree) -> Iterator[Line]:
    for doubt in items(told, "trust", "cells"):
        text = word(doubt, "text") or said(word(doubt, "oddity"))
        yield labelled("doubt", ("warn", word(doubt, "cell") or UNKNOWN), f"  {text}")
    for name, text in branch(told, "trust", "modules").items():
        yield labelled("doubt", ("warn", str(name)), f"  {text}")


def _alarms(told: Tree) -> Iterator[Line]:
    for alarm in items(told, "alarms"):
        style = "alarm" if word(alarm, "level") in {"trip", "limit"} else "warn"
        who = f"{word(alarm, 'code') or UNKNOWN} {word(alarm, 'subject') or ''}".strip()
        yield labelled("alarm", (style, who), f"  {word(alarm, 'text') or ''}")


def balancing(heard: Heard) -> list[Line]:
    """What is bled, and what the modules wait for."""
    told = heard.latest("battery")
    if told is None:
        return freshness(heard, "battery")
    state = branch(told, "balancing")
    hours = number(state, "hours_left")
    left = f"{figure(number(state, 'ah_left'), 2, 'Ah')} to bleed"
    left += f", about {figure(hours, 1, 'h')}" if hours is not None else ""
    forced_h = number(state, "forced_h")
    forced = f"   forced for another {figure(forced_h, 1, 'h')}" if forced_h is not None else ""
    rows = _balanced_modules(branch(state, "modules"))
    return [*freshness(heard, "battery"), line(("head", left), ("warn", forced)), *rows]


def _balanced_modules(modules: Tree) -> list[Line]:
    """A row for each module; one for all where none is bled and all wait for the same."""
    reasons = {_reason(one) for one in modules.values()}
    if len(modules) > 1 and len(reasons) == 1 and not any(map(_wants_bleeding, modules.values())):
        return [line(("label", "none is bled  "), *reasons)]
    return [_balanced(str(name), one) for name, one in modules.items()]


def _wants_bleeding(one: Tree) -> bool:
    return bool(items(one, "cells") or number(one, "ah_left"))


def _reason(one: Tree) -> str:
    return word(one, "text") or word(one, "reason_text") or said(word(one, "reason"))


def _balanced(name: str, one: Tree) -> Line:
    bled = ",".join(map(str, items(one, "cells"))) or "-"
    reason = _reason(one)
    ah = figure(number(one, "ah_left"), 2, "Ah")
    return line(("label", f"{name[:4]:<5}"), f"{ah:>10}  ", f"bleeds {bled:<12} ", reason)


def health(heard: Heard) -> list[Line]:
    """Ageing, and what to look after."""
    told = heard.latest("health")
    if told is None:
        return freshness(heard, "health")
    return [
        *freshness(heard, "health"),
        labelled("health", f"{_estimate(told, 'health_pct', 0, '%')} of nominal"),
        labelled("capacity", _estimate(told, "capacity_ah", 1, "Ah")),
        labelled("resistance", _estimate(told, "ohm", 4, "Ohm"), width=11),
        labelled("used", _used(told)),
        *_weakest(told),
        *_maintenance(told),
    ]


def _estimate(tree: Tree, name: str, digits: int, unit: str) -> str:
    value, sigma = number(tree, name, "value"), number(tree, name, "sigma")
    if value is None:
        return "not known yet"
    error = f" +-{figure(sigma, digits)}" if sigma is not None else ""
    return f"{figure(value, digits)}{error} {unit}"


def _used(told: Tree) -> str:
    return (
        f"{figure(number(told, 'cycles'), 1)} cycles   "
        f"{figure(number(told, 'out_kwh'), 1, 'kWh')} out   "
        f"{figure(number(told, 'in_kwh'), 1, 'kWh')} in   "
        f"known for {figure(number(told, 'days'), 0)} days"
    )


def _weakest(told: Tree) -> Iterator[Line]:
    names = [str(name) for name in items(told, "weakest_first")]
    if names:
        yield labelled("weakest", " ".join(names), ("faint", "   (weakest first)"))


def _maintenance(told: Tree) -> Iterator[Line]:
    for job in items(told, "maintenance"):
        style = "alarm" if word(job, "urgency") == "now" else "warn"
        who = f"{word(job, 'subject') or ''} {word(job, 'what') or ''}".strip()
        yield labelled(word(job, "urgency") or "", (style, who))
        for part in ("why", "remedy"):
            if word(job, part):
                yield labelled("", ("faint", word(job, part) or ""))
