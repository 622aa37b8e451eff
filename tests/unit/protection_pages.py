"""The protections of a profile as tables for docs/faults.md and docs/protection.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gridzero.battery.curve import Curve
from gridzero.battery.profile import PROFILES, Profile, overrides_of
from gridzero.battery.protection.rule import Rule, Side, Stops, Threshold
from gridzero.domain.alarms import Level

_STOPS = {
    Stops.NOTHING: "",
    Stops.CHARGE: "charge",
    Stops.DISCHARGE: "discharge",
    Stops.BOTH: "both",
}
_TAPERS = (
    ("charge", "highest cell, V", "charge_by_cell_v"),
    ("charge", "state of charge", "charge_by_soc"),
    ("charge", "coldest sensor, degC", "charge_by_cold_c"),
    ("charge", "hottest sensor, degC", "charge_by_hot_c"),
    ("discharge", "lowest cell, V", "discharge_by_cell_v"),
    ("discharge", "state of charge", "discharge_by_soc"),
    ("discharge", "coldest sensor, degC", "discharge_by_cold_c"),
    ("discharge", "hottest sensor, degC", "discharge_by_hot_c"),
)


_HEAD = """# Protections and their thresholds

Each protection has up to three levels: *warn* tells a person, *limit* refuses a direction and comes
back by itself, *trip* refuses and opens the contactor of the battery, where there is one. A level
begins when the value is beyond the first number for the time after the slash, and ends at the number
behind "until", for a dwell where one is named; "latches" means that a person has to acknowledge it.
How it works and how to tighten it: [protection.md](protection.md).

"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def thresholds() -> str:
    """The second part of docs/faults.md."""
    own = _differing(PROFILES["vw_gte_12s"], PROFILES["nmc"], PROFILES["lfp"])
    shared = [rule for rule in PROFILES["vw_gte_12s"].rules if rule.code not in own]
    parts = [f"{_HEAD}## All profiles\n\n{_rules(shared)}"]
    parts += [
        f"## Profile `{name}`\n\n{_rules([rule for rule in one.rules if rule.code in own])}"
        for name, one in PROFILES.items()
    ]
    return "\n".join(parts)


def sources() -> str:
    """Where the numbers come from, once for all profiles that agree."""
    rows = {
        (rule.code, rule.why, rule.unknown): [f"`{rule.code}`", rule.why, rule.unknown]
        for one in PROFILES.values()
        for rule in one.rules
    }
    return table(
        ("protection", "where its numbers come from", "while it is unknown"), rows.values()
    )


def tapers() -> str:
    rows = [
        [f"`{name}`", direction, over, _points(getattr(one, field))]
        for name, one in PROFILES.items()
        for direction, over, field in _TAPERS
    ]
    return table(("profile", "direction", "over", "fraction of full current"), rows)


def ranges() -> str:
    names = list(PROFILES)
    keys = list(dict.fromkeys(key for name in names for key in overrides_of(name)))
    rows = [[f"`{key}`", *(_range(overrides_of(name)[key]) for name in names)] for key in keys]
    return table(("number", *(f"`{name}`" for name in names)), rows)


def _differing(*profiles: Profile) -> set[str]:
    first, *others = profiles
    rules = [{rule.code: rule for rule in one.rules} for one in others]
    return {rule.code for rule in first.rules if any(r[rule.code] != rule for r in rules)}


def _rules(rules: Iterable[Rule]) -> str:
    rows = [[f"`{rule.code}`", *(_level(rule, level) for level in Level)] for rule in rules]
    return table(("protection", "warn", "limit", "trip"), rows)


def _level(rule: Rule, level: Level) -> str:
    of = rule.at(level)
    if of is None:
        return ""
    refused = _STOPS[rule.refuses(level)]
    stops = f"; stops {refused}" if refused else ""
    return f"{_when(rule, of)}{stops}{'; latches' if of.latches else ''}"


def _when(rule: Rule, of: Threshold) -> str:
    dwell = f" for {of.dwell_s:g} s" if of.dwell_s else ""
    if not rule.unit:
        said = "it is so" if rule.healthy == 0.0 else f"more than {of.value:g}"
        return f"{said} / {of.delay_s:g} s{f', until it is not{dwell}' if dwell else ''}"
    sign = ">" if rule.side is Side.ABOVE else "<"
    return f"{sign} {of.value:g} {rule.unit} / {of.delay_s:g} s, until {of.release:g}{dwell}"


def _points(curve: Curve) -> str:
    return ", ".join(f"{y:.0%} at {x:g}" for x, y in curve.points)


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g}"
