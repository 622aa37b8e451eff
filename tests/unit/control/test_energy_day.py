"""A day of a household, its converters as the bench knows them, and what was counted of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest
from conftest import CHARGER, DYNAMICS, INVERTER, house

from gridzero.bench.control.converters import (
    STEP_S,
    Inverter,
    InverterWire,
    Rectifier,
    RectifierWire,
)
from gridzero.bench.control.plants import InverterRow, RectifierRow
from gridzero.control.energy import Energy
from gridzero.control.ledger import Ledger
from gridzero.control.score import Score
from gridzero.domain.converters import Dynamics
from gridzero.domain.decision import Decision
from gridzero.domain.energy import Counted, Money
from gridzero.domain.readings import MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.value import Prices
from gridzero.sim.household import Household
from gridzero.sim.sources import Sun

_INVERTER, _RECTIFIER = InverterRow(), RectifierRow()
_STEPS_A_READING, _LATE_STEPS = 5, 3  # twice a second, 0.3 s late
_PRICES = Prices(30.0, 8.0)
_AS_BUILT = Dynamics(
    dead_time_s=_RECTIFIER.dead_s,
    start_s=_RECTIFIER.start_s,
    jump_w=_RECTIFIER.min_w,
    rise_w_per_s=_RECTIFIER.rise_w_per_s,
    fall_w_per_s=_RECTIFIER.fall_w_per_s,
)


class Lived(NamedTuple):
    """True Wh by what they are; what was counted; what it was worth without and with a battery."""

    truth: dict[str, float]
    energy: Energy
    saved_ct: float


@cache
def lived(hours: float, *, meter_counts: bool = False) -> Lived:
    """From six in the morning; a plain law that answers each reading with what it asks for."""
    inverter, rectifier = Inverter(_INVERTER), Rectifier(_RECTIFIER)
    inverter_wire, rectifier_wire = InverterWire(_INVERTER), RectifierWire(_RECTIFIER)
    ledger = Ledger({"inverter": DYNAMICS}, {"charger": _AS_BUILT})
    energy = Energy(ledger, Score(ledger, 1.5))
    load, sun = Household(3), Sun(2500.0, cloudiness=0.4, seed=3)
    truth: dict[str, float] = defaultdict(float)
    saved_ct, past, wanted_w = 0.0, [0.0] * (_LATE_STEPS + 1), 0.0
    now = house(prices=_PRICES, chargers=(CHARGER,), inverters=(INVERTER,))
    for step in range(round(hours * 3600.0 / STEP_S)):
        now_s, clock_s = step * STEP_S, 6 * 3600.0 + step * STEP_S
        given_w, taken_w = inverter.step(now_s), rectifier.step(now_s)
        net_w = load.power_w(clock_s) - sun.power_w(clock_s)
        grid_w = net_w - given_w + taken_w
        _book(truth, net_w, grid_w, given_w, taken_w)
        saved_ct += (_PRICES.ct_per_h(net_w) - _PRICES.ct_per_h(grid_w)) * STEP_S / 3600.0
        past = [*past[1:], grid_w]
        if step % _STEPS_A_READING == 0 and step > _LATE_STEPS:
            at_s = now_s - _LATE_STEPS * STEP_S
            reading = MeterReading(at_s, now_s, past[0])
            if meter_counts:
                bought, sold = truth["bought"] / 1000.0, truth["sold"] / 1000.0
                reading = replace(reading, import_kwh=2345.6 + bought, export_kwh=78.9 + sold)
            wanted_w = max(-2800.0, min(860.0, past[0] + ledger.own_w(at_s)))
            energy.update(replace(now, now_s=now_s, meter=reading), _decision(now_s))
        demand_w = inverter_wire.frame(now_s, max(0.0, wanted_w / _INVERTER.gain))
        if demand_w is not None:
            inverter.sent(now_s, demand_w)
            ledger.sent("inverter", now_s, demand_w * _INVERTER.gain)
        charge_w = rectifier_wire.frame(max(0.0, -wanted_w))
        if charge_w is not None:
            rectifier.sent(now_s, charge_w)
            ledger.sent("charger", now_s, -charge_w)
    return Lived(truth, energy, saved_ct)


def _book(
    truth: dict[str, float], net_w: float, grid_w: float, given_w: float, taken_w: float
) -> None:
    house_w, surplus_w = max(net_w, 0.0), max(-net_w, 0.0)
    for name, power_w in (
        ("bought", max(grid_w, 0.0)),
        ("sold", max(-grid_w, 0.0)),
        ("given", given_w),
        ("taken", taken_w),
        ("house", house_w),
        ("surplus", surplus_w),
        ("from_battery", min(given_w, house_w)),
        ("stored", min(taken_w, surplus_w)),
    ):
        truth[name] += power_w * STEP_S / 3600.0


def _decision(now_s: float) -> Decision:
    return Decision(
        at_s=now_s,
        battery_w=0.0,
        because=Because.COVERING_LOAD,
        wish_w=0.0,
        net_load_w=None,
        charge_w=2800.0,
        discharge_w=860.0,
        charge_because=Because.CHARGER_MAXIMUM,
        discharge_because=Because.INVERTER_MAXIMUM,
    )


_WHAT = {
    Counted.GRID_IMPORT: "bought",
    Counted.GRID_EXPORT: "sold",
    Counted.DISCHARGED: "given",
    Counted.CHARGED: "taken",
    Counted.HOUSE: "house",
    Counted.SURPLUS: "surplus",
    Counted.HOUSE_FROM_BATTERY: "from_battery",
    Counted.CHARGED_FROM_SURPLUS: "stored",
}


@pytest.mark.xdist_group("a day of energy")
@pytest.mark.slow
@pytest.mark.parametrize("counted", _WHAT)
def test_a_day_is_counted_within_a_percent(counted: Counted) -> None:
    """Or 10 Wh: what is sold here are spikes of a second, and the meter speaks twice in one."""
    truth, energy, _ = lived(24.0)
    assert truth[_WHAT[counted]] > 100.0, "there was something to count"
    assert energy.sums[counted] * 1000.0 == pytest.approx(truth[_WHAT[counted]], rel=0.01, abs=10.0)


@pytest.mark.xdist_group("a day of energy")
@pytest.mark.slow
def test_and_what_it_has_saved() -> None:
    _, energy, saved_ct = lived(24.0)
    assert energy.money[Money.SAVINGS] == pytest.approx(saved_ct, rel=0.01)


def test_with_the_meters_own_counters_the_grid_is_exact() -> None:
    truth, energy, _ = lived(3.0, meter_counts=True)
    for counted in (Counted.GRID_IMPORT, Counted.GRID_EXPORT):
        true_wh = truth[_WHAT[counted]]
        assert true_wh > 5.0
        assert energy.sums[counted] * 1000.0 == pytest.approx(true_wh, abs=0.5)
