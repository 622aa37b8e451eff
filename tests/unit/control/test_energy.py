"""Energy and money of a house, fed by hand."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from conftest import CHARGER, DYNAMICS, FAST, INVERTER, VIEW, house
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.control.energy import Energy
from gridzero.control.ledger import Ledger
from gridzero.control.score import Score
from gridzero.domain.decision import Decision
from gridzero.domain.energy import COUNTED, MONEY, Counted, Money
from gridzero.domain.readings import ConverterReading, CurrentReading, MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.value import Prices

PRICES = Prices(import_ct=30.0, export_ct=8.0)


class Desk:
    """A house whose meter speaks twice a second, 0.3 s late."""

    def __init__(self, **changes: Any) -> None:
        self.ledger = Ledger({"inverter": DYNAMICS}, {"charger": FAST})
        self.score = Score(self.ledger, 1.5)
        self.energy = Energy(self.ledger, self.score)
        self.now_s = 1000.0
        self.changes: dict[str, Any] = changes
        self.decided: dict[str, Any] = {}
        self.meter: MeterReading | None = None

    def tick(self, grid_w: float | None, seconds: float = 0.5, **counts: float) -> None:
        """Time passes, then a reading comes; None: the old one stays."""
        self.now_s += seconds
        if grid_w is not None:
            self.meter = MeterReading(self.now_s - 0.3, self.now_s, grid_w, **counts)
        now = house(**({"now_s": self.now_s, "meter": self.meter} | self.changes))
        decision = self.decision()
        self.score.update(now, decision)
        self.energy.update(now, decision)

    def hold(self, grid_w: float | None, seconds: float) -> None:
        for _ in range(round(2 * seconds)):
            self.tick(grid_w)

    def decision(self) -> Decision:
        values: dict[str, Any] = {
            "at_s": self.now_s,
            "battery_w": 0.0,
            "because": Because.COVERING_LOAD,
            "wish_w": 0.0,
            "net_load_w": None,
            "charge_w": 2000.0,
            "discharge_w": 900.0,
            "charge_because": Because.CURRENT_LIMIT,
            "discharge_because": Because.INVERTER_MAXIMUM,
        }
        return Decision(**(values | self.decided))

    def gives(self, power_w: float) -> None:
        """As if it had been told long ago; < 0: the charger takes it."""
        name = "inverter" if power_w > 0.0 else "charger"
        self.ledger.sent(name, self.now_s - 30.0, power_w)

    def wh(self, counted: Counted) -> float:
        return self.energy.sums[counted] * 1000.0


def near(value: float) -> Any:
    return pytest.approx(value, rel=0.002, abs=0.01)


def test_every_count_has_its_words() -> None:
    assert set(COUNTED) == set(Counted)
    assert set(MONEY) == set(Money)


def test_bought_and_sold_count_apart() -> None:
    desk = Desk()
    desk.hold(3600.0, 100.0)
    desk.hold(-1800.0, 100.0)
    assert desk.wh(Counted.GRID_IMPORT) == near(99.5 + 0.25)  # the half second between is shared
    assert desk.wh(Counted.GRID_EXPORT) == near(49.75 + 0.125)
    assert desk.energy.sums[Counted.KNOWN] == pytest.approx(199.5 / 3600.0)


def test_the_house_is_grid_and_battery_together() -> None:
    desk = Desk()
    desk.gives(600.0)
    desk.hold(120.0, 100.5)
    assert desk.wh(Counted.HOUSE) == near(20.0)
    assert desk.wh(Counted.HOUSE_FROM_BATTERY) == near(100 / 3600 * 600)
    assert desk.wh(Counted.SURPLUS) == 0.0


def test_what_is_charged_comes_from_the_surplus_first() -> None:
    desk = Desk()
    desk.gives(-1000.0)
    desk.hold(400.0, 100.5)  # so the surplus is 600 W
    assert desk.wh(Counted.SURPLUS) == near(100 / 3600 * 600)
    assert desk.wh(Counted.CHARGED_FROM_SURPLUS) == near(100 / 3600 * 600)
    assert desk.wh(Counted.CHARGED_FROM_GRID) == near(100 / 3600 * 400)
    assert desk.wh(Counted.HOUSE) == 0.0


def test_what_the_battery_exports_is_not_for_the_house() -> None:
    desk = Desk()
    desk.gives(600.0)
    desk.hold(-100.0, 100.5)
    assert desk.wh(Counted.HOUSE_FROM_BATTERY) == desk.wh(Counted.HOUSE) == near(100 / 3600 * 500)


@pytest.mark.parametrize(
    ("pv_w", "made_w", "used_w"),
    [(900.0, 900.0, 500.0), (None, 400.0, 0.0), (100.0, 400.0, 0.0), (nan, 400.0, 0.0)],
)
def test_what_panels_make_is_at_least_the_surplus(
    pv_w: float | None, made_w: float, used_w: float
) -> None:
    desk = Desk(pv_w=pv_w)
    desk.hold(-400.0, 3600.5)
    assert desk.wh(Counted.PRODUCED) == near(made_w)
    assert desk.wh(Counted.CONSUMED) == near(used_w)


@pytest.mark.parametrize("gap_s", [10.5, 60.0, 86_400.0])
def test_a_gap_is_unknown_time_and_no_energy(gap_s: float) -> None:
    desk = Desk()
    desk.hold(3600.0, 100.5)
    before_wh, known_h = desk.wh(Counted.GRID_IMPORT), desk.energy.sums[Counted.KNOWN]
    desk.tick(3600.0, seconds=gap_s)
    assert desk.wh(Counted.GRID_IMPORT) == before_wh
    assert desk.energy.sums[Counted.KNOWN] == known_h
    assert desk.energy.sums[Counted.UNKNOWN] * 3600.0 == pytest.approx(gap_s, abs=0.31)


def test_a_meter_that_stays_away_is_unknown_while_it_stays_away() -> None:
    desk = Desk()
    desk.gives(500.0)
    desk.hold(0.0, 10.0)
    desk.hold(None, 3600.0)
    assert desk.energy.sums[Counted.UNKNOWN] == pytest.approx(1.0, rel=0.01)
    assert desk.wh(Counted.DISCHARGED) == near(500.0 * 3609.5 / 3600.0), "the battery goes on"


@pytest.mark.parametrize("verdict", ["sign", "frozen"])
def test_a_meter_that_is_not_believed_says_nothing(verdict: str) -> None:
    desk = Desk()
    desk.decided["meter_verdict"] = verdict
    desk.hold(3600.0, 100.0)
    assert desk.wh(Counted.GRID_IMPORT) == 0.0
    assert desk.energy.sums[Counted.UNKNOWN] * 3600.0 == pytest.approx(100.0, abs=1.0)


def test_the_meters_own_counter_is_what_counts() -> None:
    desk = Desk()
    for i in range(200):
        desk.tick(3600.0, import_kwh=7000.0 + i * 0.001, export_kwh=12.0)
    assert desk.wh(Counted.GRID_IMPORT) == near(199.0), "not the 99.5 Wh of its powers"
    assert desk.wh(Counted.GRID_EXPORT) == 0.0


# --- the battery's own side ---------------------------------------------------------------------


def test_a_converters_own_word_counts() -> None:
    reading = ConverterReading(at_s=0.0, ac_w=-720.0)
    desk = Desk()
    desk.gives(-1000.0)
    for _ in range(201):
        told = replace(reading, at_s=desk.now_s)
        desk.changes["chargers"] = (replace(CHARGER, reading=told),)
        desk.tick(0.0)
    assert desk.wh(Counted.CHARGED) == near(20.0)


@pytest.mark.parametrize("says", [None, nan, 1e9])
def test_one_that_says_nothing_counts_by_its_commands(says: float | None) -> None:
    desk = Desk()
    desk.gives(720.0)
    desk.tick(0.0)
    old = ConverterReading(at_s=desk.now_s - 60.0, ac_w=says)
    desk.changes["inverters"] = (replace(INVERTER, reading=old),)
    desk.hold(0.0, 100.0)
    assert desk.wh(Counted.DISCHARGED) == near(20.0)


def test_one_that_does_not_follow_and_says_nothing_counts_as_nothing() -> None:
    desk = Desk()
    desk.gives(720.0)
    desk.decided["not_following"] = {"inverter": "gives nothing"}
    desk.hold(0.0, 100.0)
    assert desk.wh(Counted.DISCHARGED) == 0.0


def test_what_goes_through_the_cells_is_volts_and_amperes() -> None:
    desk = Desk()
    for current_a in (+10.0, -5.0):
        for _ in range(200):
            desk.changes["shunt"] = CurrentReading(desk.now_s, current_a)
            desk.tick(0.0)
    assert VIEW.pack_v is not None
    assert desk.wh(Counted.DC_OUT) == near(VIEW.pack_v * 10.0 * 99.5 / 3600.0)
    assert desk.wh(Counted.DC_IN) == near(VIEW.pack_v * 5.0 * 100.0 / 3600.0)


@pytest.mark.parametrize("shunt", [None, CurrentReading(0.0, 10.0), CurrentReading(1e9, 10.0)])
def test_without_a_shunt_nobody_knows_what_the_cells_see(shunt: CurrentReading | None) -> None:
    desk = Desk(shunt=shunt)
    desk.hold(0.0, 100.0)
    assert desk.energy.knows_dc is False
    assert desk.wh(Counted.DC_OUT) == 0.0


# --- money --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("battery_w", "grid_w", "cents"),
    [
        (+900.0, 0.0, +27.0),  # covers the house
        (+900.0, -900.0, +7.2),  # is sold
        (-900.0, 0.0, -7.2),  # would have been sold
        (-900.0, +900.0, -27.0),  # is bought for it
        (0.0, +900.0, 0.0),
    ],
)
def test_savings_are_the_grid_without_the_battery_less_the_grid(
    battery_w: float, grid_w: float, cents: float
) -> None:
    desk = Desk(prices=PRICES)
    if battery_w:
        desk.gives(battery_w)
    desk.hold(grid_w, 900.5)
    assert desk.energy.money[Money.SAVINGS] == near(cents / 4.0)
    assert desk.energy.money[Money.IMPORT_COST] == near(max(grid_w, 0.0) / 4000.0 * 30.0)
    assert desk.energy.money[Money.EXPORT_INCOME] == near(max(-grid_w, 0.0) / 4000.0 * 8.0)


def test_each_hour_counts_by_its_own_price() -> None:
    desk = Desk(prices=PRICES)
    desk.hold(1000.0, 1800.5)
    desk.changes["prices"] = PRICES._replace(import_ct=-10.0)
    desk.hold(1000.0, 1800.0)
    assert desk.energy.money[Money.IMPORT_COST] == near(15.0 - 5.0)


def test_without_prices_nothing_is_worth_anything() -> None:
    desk = Desk()
    desk.gives(900.0)
    desk.hold(0.0, 60.0)
    assert desk.energy.knows_prices is False
    assert set(desk.energy.money.values()) == {0.0}


def test_the_avoidable_part_is_that_of_the_score() -> None:
    desk = Desk()
    desk.hold(200.0, 100.5)
    desk.hold(-90.0, 100.0)
    figures = desk.score.figures(60)
    assert desk.wh(Counted.AVOIDABLE_IMPORT) == pytest.approx(figures.import_wh)
    assert desk.wh(Counted.AVOIDABLE_EXPORT) == pytest.approx(figures.export_wh)
    assert figures.import_wh > 0.0


# --- whatever comes -----------------------------------------------------------------------------

ANY = st.one_of(
    st.floats(), st.floats(-40_000.0, 40_000.0), st.sampled_from([nan, inf, -inf, 0.0, 1e300])
)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.floats(0.0, 30.0), ANY, ANY, ANY, st.one_of(st.none(), ANY)),
        max_size=40,
    )
)
def test_nothing_runs_backwards_whatever_is_read(
    said: list[tuple[float, float, float, float, float | None]],
) -> None:
    desk = Desk(prices=PRICES)
    desk.gives(300.0)
    before = dict(desk.energy.sums)
    for seconds, grid_w, volts, power_w, count_kwh in said:
        report = ConverterReading(at_s=desk.now_s + volts, ac_w=power_w)
        desk.changes |= {
            "inverters": (replace(INVERTER, reading=report),),
            "battery": replace(VIEW, pack_v=volts),
            "shunt": CurrentReading(desk.now_s, power_w),
        }
        counts = {} if count_kwh is None else {"import_kwh": count_kwh, "export_kwh": count_kwh}
        desk.tick(grid_w, seconds, **counts)
        assert all(desk.energy.sums[counted] >= before[counted] for counted in Counted)
        before = dict(desk.energy.sums)
    assert all(value < inf for value in before.values())
    assert all(abs(ct) < inf for ct in desk.energy.money.values())
