"""Protections of cells: voltage, spread, rate of change. Numbers per chemistry."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.battery.protection.rule import Rule, Side, Stops, Threshold

_STALE = "stale or missing voltages refuse power by their age"
_JUDGED_S = 15.0
"""Longer than a misread cell needs to be found out (10 s): power is refused long before, by the
limit, so only the latch waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellNumbers:
    """What differs between chemistries, V. *_mid: a cell that is certainly well."""

    mid: float
    over_warn: float
    over_limit: float
    over_release: float
    over_trip: float
    under_warn: float
    under_limit: float
    under_release: float
    under_trip: float
    deep: float
    spread_from: float
    why: str


VW_GTE = CellNumbers(
    mid=3.70,
    over_warn=4.12,
    over_limit=4.20,
    over_release=4.10,
    over_trip=4.25,
    under_warn=3.10,
    under_limit=2.80,
    under_release=3.20,
    under_trip=2.50,
    deep=2.00,
    spread_from=3.55,
    why="limits: hard limits of the reference (vw-gte protocol notes, 6.5); 2.50 and 4.20 V are the"
    " ends in data sheets of NMC cells (LG M50: 2.5 to 4.2 V); warnings are chosen just outside of"
    " what the tapers let happen, trips where a cell is harmed",
)
NMC = CellNumbers(
    mid=3.70,
    over_warn=4.16,
    over_limit=4.20,
    over_release=4.12,
    over_trip=4.25,
    under_warn=2.95,
    under_limit=2.80,
    under_release=3.20,
    under_trip=2.50,
    deep=2.00,
    spread_from=3.55,
    why="2.5 to 4.2 V of NMC data sheets (LG M50); the limit is kept 0.3 V above the lower end,"
    " because the battery's make is not known; warnings and trips chosen around them",
)
LFP = CellNumbers(
    mid=3.30,
    over_warn=3.60,
    over_limit=3.65,
    over_release=3.45,
    over_trip=3.75,
    under_warn=2.75,
    under_limit=2.60,
    under_release=3.00,
    under_trip=2.40,
    deep=1.80,
    spread_from=3.22,
    why="2.5 to 3.65 V of LFP data sheets (EVE LF280K); the lower limit is kept 0.1 V above;"
    " warnings and trips chosen around them",
)


def cell_rules(n: CellNumbers) -> tuple[Rule, ...]:
    """The protections of cells with these numbers."""
    return (*_voltage(n), *_apart(n))


def _voltage(n: CellNumbers) -> tuple[Rule, ...]:
    return (
        Rule(
            code="cell_over",
            quantity="highest_cell_v",
            unit="V",
            healthy=n.mid,
            warn=Threshold(value=n.over_warn, release=n.over_warn - 0.04, delay_s=2.0),
            limit=Threshold(value=n.over_limit, release=n.over_release),
            trip=Threshold(
                value=n.over_trip, release=n.over_limit, delay_s=_JUDGED_S, latches=True
            ),
            stops=Stops.CHARGE,
            trip_stops=Stops.CHARGE,
            why=n.why,
            unknown=_STALE,
        ),
        Rule(
            code="cell_under",
            quantity="lowest_cell_v",
            side=Side.BELOW,
            unit="V",
            healthy=n.mid,
            warn=Threshold(value=n.under_warn, release=n.under_warn + 0.10, delay_s=2.0),
            limit=Threshold(value=n.under_limit, release=n.under_release),
            trip=Threshold(
                value=n.under_trip, release=n.under_limit, delay_s=_JUDGED_S, latches=True
            ),
            stops=Stops.DISCHARGE,
            trip_stops=Stops.DISCHARGE,
            why=n.why,
            unknown=_STALE,
        ),
        Rule(
            code="cell_deep",
            quantity="lowest_cell_v",
            side=Side.BELOW,
            unit="V",
            healthy=n.mid,
            limit=Threshold(value=n.deep, release=n.under_trip, dwell_s=60.0),
            trip=Threshold(
                value=n.deep, release=n.under_trip, delay_s=_JUDGED_S, dwell_s=60.0, latches=True
            ),
            stops=Stops.BOTH,
            why="chosen: far below its data sheet a cell dissolves copper, and charging it can"
            " short it inside; only a person may decide to go on",
            unknown=_STALE,
        ),
    )


def _apart(n: CellNumbers) -> tuple[Rule, ...]:
    return (
        Rule(
            code="cell_spread",
            quantity="cell_spread_v",
            unit="V",
            healthy=0.010,
            warn=Threshold(value=0.100, release=0.060, delay_s=60.0),
            limit=Threshold(value=0.300, release=0.200, delay_s=60.0, dwell_s=60.0),
            trip=Threshold(value=0.500, release=0.300, delay_s=60.0, dwell_s=60.0, latches=True),
            stops=Stops.DISCHARGE,
            given=n.spread_from,
            why="chosen: 0.1 V is the drift that the reference house shows and balancing can mend;"
            " 0.3 V at rest is about a quarter of the charge, 0.5 V a damaged cell",
            unknown="a module is judged at rest or by the estimate; under load the tapers look at"
            " its lowest and highest cell",
        ),
        Rule(
            code="cell_rate",
            quantity="cell_rate",
            unit="V/s",
            healthy=0.0002,
            warn=Threshold(value=0.002, release=0.001, delay_s=10.0, dwell_s=60.0),
            limit=Threshold(value=0.005, release=0.002, dwell_s=300.0),
            trip=Threshold(value=0.010, release=0.002, dwell_s=300.0, latches=True),
            stops=Stops.BOTH,
            why="chosen: 60, 150 and 300 mV against the neighbours in half a minute; a load step"
            " moves unlike cells apart by some 10 mV (1.5 to 4 mOhm, 12.5 A)",
            unknown=_STALE,
        ),
    )
