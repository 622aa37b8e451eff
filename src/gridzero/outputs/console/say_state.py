"""What gridzero does and why, as lines: status, why, limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gridzero.domain.reasons import REASONS, WHY_NOT, Because, WhyNot
from gridzero.outputs.config_words import config_words
from gridzero.outputs.console.dig import Heard, Tree, branch, dig, items, number, word
from gridzero.outputs.console.freshness import freshness
from gridzero.outputs.console.paint import (
    UNKNOWN,
    Fragment,
    Line,
    figure,
    grid,
    labelled,
    line,
    said,
)
from gridzero.outputs.console.say_counters import causes

_KNOWN_REASONS = frozenset(reason.value for reason in Because)
_KNOWN_WHY_NOT = frozenset(reason.value for reason in WhyNot)


def status(heard: Heard) -> list[Line]:
    """All that matters at a glance."""
    state = heard.latest("state")
    if state is None:
        return [line(*_online(heard)), *freshness(heard, "state")]
    return [
        *freshness(heard, "state"),
        line(*_online(heard), "   mode ", ("head", mode_words(state))),
        labelled("because", word(state, "because_text") or said(word(state, "because"))),
        labelled("grid", grid(number(state, "grid_w")), f"   net load {_w(state, 'net_load_w')}"),
        labelled("battery", battery_power(state), "   ", charge_words(state)),
        labelled("", pack_words(state)),
        labelled("cells", cell_words(state)),
        labelled("limits", limit_words(state)),
        *converter_lines(state),
        *config_lines(heard.latest("config")),
        *fault_summary(state),
    ]


def config_lines(told: Tree | None) -> list[Line]:
    """Only where something else runs than what the file holds."""
    words = config_words(told)
    return [labelled("config", words)] if words else []


def _online(heard: Heard) -> tuple[Fragment, ...]:
    if heard.is_online is None:
        return ("head", "gridzero "), ("warn", "not heard yet")
    online: Fragment = ("good", "online") if heard.is_online else ("alarm", "offline")
    version = word(heard.latest("settings") or {}, "version")
    return ("head", f"gridzero {version} " if version else "gridzero "), online


def mode_words(state: Tree) -> str:
    """The mode, with the power or target that belongs to it."""
    mode = word(state, "mode") or UNKNOWN
    if mode in {"charge", "discharge"}:
        return f"{mode} {_w(state, 'power_w')}"
    return f"auto, target {_w(state, 'target_w')}" if mode == "auto" else mode


def battery_power(state: Tree) -> Fragment:
    """What is commanded: the power that counts, with its direction."""
    power_w = number(state, "setpoint_w")
    if power_w is None:
        return "warn", UNKNOWN
    if abs(power_w) < 1.0:
        return "", "rests"
    style, doing = ("gives", "discharges") if power_w > 0 else ("stores", "charges")
    return style, f"{doing} {figure(abs(power_w), 0, 'W')}"


def charge_words(state: Tree) -> str:
    """State of charge, its error, and how long it lasts."""
    soc, sigma = number(state, "battery", "soc_pct"), number(state, "battery", "soc_sigma_pct")
    text = f"charge {figure(soc, 0, '%')}"
    if soc is not None and sigma is not None:
        text += f" +-{figure(sigma, 1)}"
    for end in ("empty", "full"):
        hours = number(state, "battery", f"to_{end}_h")
        text += f"   {end} in {figure(hours, 1, 'h')}" if hours is not None else ""
    return text


def pack_words(state: Tree) -> str:
    """Voltage, current, modules and temperatures."""
    battery = branch(state, "battery")
    healthy, modules = number(battery, "healthy"), number(battery, "modules")
    return (
        f"{_of(battery, 'pack_v', 1, 'V')}   {_of(battery, 'current_a', 1, 'A', signed=True)}   "
        f"{figure(healthy)} of {figure(modules)} modules   {temps_words(state)}"
    )


def temps_words(state: Tree) -> str:
    """The coldest and the hottest sensor."""
    low_c, high_c = (number(state, "battery", f"temp_{end}_c") for end in ("low", "high"))
    if low_c is None and high_c is None:
        return "temperature unknown"
    return f"{figure(low_c)} to {figure(high_c)} C"


def cell_words(state: Tree) -> str:
    """The lowest and the highest cell by name."""
    battery = branch(state, "battery")
    low_v, high_v = number(battery, "min_cell_v"), number(battery, "max_cell_v")
    low = f"{figure(low_v, 3, 'V')} {word(battery, 'min_cell') or ''}".rstrip()
    high = f"{figure(high_v, 3, 'V')} {word(battery, 'max_cell') or ''}".rstrip()
    if low_v is None or high_v is None:
        return f"lowest {low}, highest {high}"
    return f"lowest {low}, highest {high}, apart {figure((high_v - low_v) * 1000, 0, 'mV')}"


def limit_words(state: Tree) -> str:
    """What may flow now, and what makes it so little."""
    return "   ".join(
        f"{way} {_w(state, 'limits', f'{way}_w')} ({said(word(state, 'limits', f'{way}_because'))})"
        for way in ("charge", "discharge")
    )


def converter_lines(state: Tree) -> Iterator[Line]:
    """One line for each charger and inverter."""
    for group in ("inverters", "chargers"):
        for name, unit in branch(state, group).items():
            yield labelled(name, *_converter(unit))


def _converter(unit: Any) -> Iterator[Fragment]:
    condition = word(unit, "state") or UNKNOWN
    is_silent = dig(unit, "silent") is True
    yield ("alarm" if is_silent else ""), "silent" if is_silent else condition
    yield "", f"   told {_w(unit, 'command_w')}"
    if number(unit, "ac_w") is not None:
        yield "", f"   reports {figure(number(unit, 'ac_w'), 0, 'W', signed=True)}"
    if number(unit, "temp_c") is not None:
        yield "", f"   {figure(number(unit, 'temp_c'), 0, 'C')}"
    if word(unit, "why_not"):
        yield "faint", f"   {said(word(unit, 'why_not'))}"
    if items(unit, "alarms"):
        yield "alarm", "   " + ", ".join(map(str, items(unit, "alarms")))


def fault_summary(state: Tree) -> Iterator[Line]:
    """One line for each fault; the word ``faults`` says more."""
    faults = items(state, "faults")
    if not faults:
        yield labelled("faults", ("good", "none"))
    for fault in faults:
        yield labelled("fault", *fault_words(fault))


def fault_words(fault: Any) -> tuple[str | Fragment, ...]:
    """Code, subject and text, coloured by what it does to power."""
    is_hard = word(fault, "level") in {"trip", "limit"}
    style = "alarm" if is_hard else "warn"
    waits = "  (over; ack ends it)" if dig(fault, "is_latched") is True else ""
    code, subject = word(fault, "code") or UNKNOWN, word(fault, "subject") or ""
    return (style, f"{code} {subject}".strip()), f"  {word(fault, 'text') or ''}", ("faint", waits)


def why(heard: Heard) -> list[Line]:
    """Why the battery does what it does: wish, limits, prices, and what costs precision."""
    state = heard.latest("state")
    if state is None:
        return freshness(heard, "state")
    return [
        *freshness(heard, "state"),
        line(("head", word(state, "because_text") or said(word(state, "because")))),
        labelled("wanted", f"{figure(number(state, 'wish_w'), 0, 'W', signed=True)} before limits"),
        labelled("commanded", battery_power(state), *_cut_by(state)),
        *_value(state),
        *_not_used(state),
        *causes(heard),
    ]


def _cut_by(state: Tree) -> Iterator[Fragment]:
    wish_w, set_w = number(state, "wish_w"), number(state, "setpoint_w")
    if wish_w is None or set_w is None or abs(wish_w) <= abs(set_w) + 1.0:
        return
    way = "discharge" if wish_w > 0 else "charge"
    yield "warn", f"   {way} is limited: {_reason(word(state, 'limits', f'{way}_because'))}"


def _value(state: Tree) -> Iterator[Line]:
    bias_w = number(state, "value", "bias_w")
    if bias_w:
        leans = word(state, "value", "because_text") or ""
        yield labelled(
            "prices", f"lean the target by {figure(bias_w, 0, 'W', signed=True)}: ", leans
        )


def _not_used(state: Tree) -> Iterator[Line]:
    for group in ("inverters", "chargers"):
        for name, unit in branch(state, group).items():
            if word(unit, "why_not"):
                yield labelled(name, f"is not used: {_why_not(word(unit, 'why_not'))}")


def _why_not(code: str | None) -> str:
    return WHY_NOT[WhyNot(code)] if code in _KNOWN_WHY_NOT else said(code)


def limits(heard: Heard) -> list[Line]:
    """What may flow, and what the battery bears."""
    state = heard.latest("state")
    if state is None:
        return freshness(heard, "state")
    rows = [row for way in ("charge", "discharge") for row in _limit(state, way)]
    most = labelled("voltage", f"at most {_of(branch(state, 'limits'), 'max_v', 1, 'V')}", width=12)
    return [*freshness(heard, "state"), *rows, most, *_bounds(heard)]


def _limit(state: Tree, way: str) -> Iterator[Line]:
    """How much, what the battery itself bears, and why not more."""
    bears = figure(number(state, "limits", f"{way}_a"), 1, "A")
    yield labelled(way, f"{_w(state, 'limits', f'{way}_w')}   ", f"battery bears {bears}", width=12)
    yield labelled("", ("faint", _reason(word(state, "limits", f"{way}_because"))), width=12)


def _reason(code: str | None) -> str:
    """A reason in words; a newer gridzero may have others."""
    return REASONS[Because(code)] if code in _KNOWN_REASONS else said(code)


def _bounds(heard: Heard) -> Iterator[Line]:
    """Settings that a person has changed so that less may flow."""
    settings = branch(heard.latest("settings"), "settings")
    for key in ("max_charge_w", "max_discharge_w", "min_soc_pct", "max_soc_pct", "reserve_soc_pct"):
        value = number(settings, key, "value")
        if value is not None and value != number(settings, key, "default"):
            title, unit = word(settings, key, "title") or key, word(settings, key, "unit") or ""
            yield labelled("you set", f"{title.lower()} {figure(value, 0, unit)}", width=12)


def _w(tree: Any, *path: str) -> str:
    return figure(number(tree, *path), 0, "W")


def _of(tree: Tree, name: str, digits: int, unit: str, *, signed: bool = False) -> str:
    return figure(number(tree, name), digits, unit, signed=signed)
