"""Protections of temperature. Numbers per chemistry."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.battery.protection.rule import Rule, Side, Stops, Threshold

_STALE = "missing temperatures refuse power by their age; a sensor beyond its range counts as hot"


@dataclass(frozen=True, slots=True, kw_only=True)
class TempNumbers:
    """What differs between kinds of battery, degrees Celsius.

    The limits are where the profile's curves reach 0, so that both say the same.
    """

    charge_cold: float
    charge_hot: float
    discharge_cold: float
    discharge_hot: float
    trip_hot: float
    why: str


VW_GTE = TempNumbers(
    charge_cold=2.0,
    charge_hot=50.0,
    discharge_cold=2.0,
    discharge_hot=55.0,
    trip_hot=60.0,
    why="cold: the reference (vw-gte protocol notes, 6.5); hot: its 65 degC is far too much (S18);"
    " 60 degC is the usual end of discharging in data sheets (LG M50)",
)
GENERIC = TempNumbers(
    charge_cold=2.0,
    charge_hot=45.0,
    discharge_cold=-10.0,
    discharge_hot=55.0,
    trip_hot=60.0,
    why="data sheets allow charging from 0 to 45 degC, discharging from -20 to 60 degC (LG M50,"
    " EVE LF280K); kept inside by 2 to 10 K, because sensors are not where the heat is",
)


def temp_rules(n: TempNumbers) -> tuple[Rule, ...]:
    """The protections of temperature with these numbers."""
    return (*_hot(n), *_cold(n), _SPREAD)


def _hot(n: TempNumbers) -> tuple[Rule, ...]:
    return (
        Rule(
            code="too_hot",
            quantity="highest_c",
            unit="degC",
            healthy=25.0,
            warn=Threshold(value=n.discharge_hot - 8.0, release=n.discharge_hot - 10.0, delay_s=10),
            limit=Threshold(value=n.discharge_hot, release=n.discharge_hot - 2.0, dwell_s=60.0),
            trip=Threshold(
                value=n.trip_hot, release=n.discharge_hot - 10.0, delay_s=10.0, latches=True
            ),
            stops=Stops.BOTH,
            why=n.why,
            unknown=_STALE,
        ),
        Rule(
            code="hot_charge",
            quantity="highest_c",
            unit="degC",
            healthy=25.0,
            limit=Threshold(value=n.charge_hot, release=n.charge_hot - 2.0, dwell_s=60.0),
            stops=Stops.CHARGE,
            why=n.why,
            unknown=_STALE,
        ),
    )


def _cold(n: TempNumbers) -> tuple[Rule, ...]:
    return (
        Rule(
            code="too_cold",
            quantity="lowest_c",
            side=Side.BELOW,
            unit="degC",
            healthy=15.0,
            warn=Threshold(value=n.charge_cold + 2.0, release=n.charge_cold + 4.0, delay_s=60.0),
            limit=Threshold(value=n.charge_cold, release=n.charge_cold + 1.0, dwell_s=60.0),
            stops=Stops.CHARGE,
            why=n.why,
            unknown=_STALE,
        ),
        Rule(
            code="cold_discharge",
            quantity="lowest_c",
            side=Side.BELOW,
            unit="degC",
            healthy=15.0,
            limit=Threshold(value=n.discharge_cold, release=n.discharge_cold + 1.0, dwell_s=60.0),
            stops=Stops.DISCHARGE,
            why=n.why,
            unknown=_STALE,
        ),
    )


_SPREAD = Rule(
    code="temp_spread",
    quantity="temp_spread",
    unit="K",
    healthy=2.0,
    warn=Threshold(value=8.0, release=6.0, delay_s=60.0),
    limit=Threshold(value=15.0, release=10.0, delay_s=60.0, dwell_s=60.0),
    trip=Threshold(value=25.0, release=10.0, delay_s=60.0, dwell_s=60.0, latches=True),
    stops=Stops.CHARGE,
    given=6.0,
    why="chosen: modules that share the current and one room differ by a few K (5 K is the usual"
    " aim within a pack); 15 K is one that heats itself or a bad contact",
    unknown=_STALE,
)
