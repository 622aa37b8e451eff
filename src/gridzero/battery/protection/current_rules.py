"""Protections of current: against the ratings, and against what was commanded."""

from __future__ import annotations

from gridzero.battery.protection.rule import Rule, Stops, Threshold

_SHUNT = "an old or missing shunt reading refuses power by its age"
_CHOSEN = "chosen: a shunt and its amplifier are within 5 %, so 15 % is a real excess; "


def _against_rating(code: str, quantity: str, stops: Stops) -> Rule:
    return Rule(
        code=code,
        quantity=quantity,
        unit="x",
        healthy=1.0,
        warn=Threshold(value=1.08, release=1.02, delay_s=10.0),
        limit=Threshold(value=1.15, release=1.05, delay_s=3.0, dwell_s=30.0),
        trip=Threshold(value=1.5, release=1.0, delay_s=2.0, dwell_s=30.0, latches=True),
        stops=stops,
        why=_CHOSEN + "converters follow a lowered command within 2 to 3 s",
        unknown=_SHUNT,
    )


CURRENT_RULES = (
    _against_rating("charge_current", "charge_share", Stops.CHARGE),
    _against_rating("discharge_current", "discharge_share", Stops.DISCHARGE),
    Rule(
        code="module_current",
        quantity="module_share",
        unit="x",
        healthy=1.0,
        warn=Threshold(value=1.10, release=1.02, delay_s=30.0),
        limit=Threshold(value=1.25, release=1.05, delay_s=10.0, dwell_s=60.0),
        trip=Threshold(value=1.75, release=1.0, delay_s=5.0, dwell_s=60.0, latches=True),
        stops=Stops.BOTH,
        why="chosen: wider than for the battery, because a module's share is estimated",
        unknown=_SHUNT,
    ),
    Rule(
        code="current_integral",
        quantity="surplus",
        unit="s",
        healthy=0.0,
        warn=Threshold(value=3.0, release=1.0),
        limit=Threshold(value=6.0, release=1.0, dwell_s=30.0),
        trip=Threshold(value=12.0, release=1.0, dwell_s=30.0, latches=True),
        stops=Stops.BOTH,
        why="chosen: in seconds of full rating within a minute; 6 s is 10 % too much for the whole"
        " minute, or twice the rating for 6 s",
        unknown=_SHUNT,
    ),
    Rule(
        code="charging_forbidden",
        quantity="forbidden_charge_a",
        unit="A",
        healthy=0.0,
        warn=Threshold(value=3.0, release=1.0, delay_s=5.0),
        limit=Threshold(value=3.0, release=1.0, delay_s=8.0, dwell_s=30.0),
        trip=Threshold(value=3.0, release=1.0, delay_s=15.0, dwell_s=30.0, latches=True),
        stops=Stops.BOTH,
        why="chosen: a rectifier gets its stop at once, is below 2 A within 3 s, and the contactor"
        " should open 15 s after trouble begins (vertiv-r48 notes, 3.4)",
        unknown=_SHUNT,
    ),
    Rule(
        code="discharging_forbidden",
        quantity="forbidden_discharge_a",
        unit="A",
        healthy=0.0,
        warn=Threshold(value=3.0, release=1.0, delay_s=8.0),
        limit=Threshold(value=3.0, release=1.0, delay_s=15.0, dwell_s=30.0),
        trip=Threshold(value=3.0, release=1.0, delay_s=30.0, dwell_s=30.0, latches=True),
        stops=Stops.DISCHARGE,
        trip_stops=Stops.DISCHARGE,
        why="chosen: an inverter that hears nothing stops by itself within 3 to 10 s; converters"
        " that idle take less than 3 A",
        unknown=_SHUNT,
    ),
    Rule(
        code="charging_untold",
        quantity="untold_charge_a",
        unit="A",
        healthy=0.0,
        warn=Threshold(value=3.0, release=1.0, delay_s=8.0),
        limit=Threshold(value=3.0, release=1.0, delay_s=15.0, dwell_s=30.0),
        trip=Threshold(value=3.0, release=1.0, delay_s=60.0, dwell_s=30.0, latches=True),
        stops=Stops.DISCHARGE,
        why="chosen: longer than a forbidden charge, because the battery still bears it; a"
        " rectifier that is silent falls back to its stored values after 30 s, and must be seen"
        " soon after. Until then nothing may feed it",
        unknown=_SHUNT,
    ),
    Rule(
        code="charge_excess",
        quantity="charge_excess_a",
        unit="A",
        healthy=0.0,
        warn=Threshold(value=3.0, release=2.0, delay_s=8.0),
        limit=Threshold(value=5.0, release=2.0, delay_s=10.0, dwell_s=60.0),
        trip=Threshold(value=10.0, release=2.0, delay_s=20.0, dwell_s=60.0, latches=True),
        stops=Stops.CHARGE,
        why="chosen: a rectifier regulates within 2 A (vertiv-r48 notes, H9); its driver already"
        " stops it at 3 A by its own report, this sees the shunt",
        unknown=_SHUNT,
    ),
)
