"""Stretches between rests: which of them say something, and what is made of the rest."""

from __future__ import annotations

from math import hypot, nan

import pytest
from ageing_made import charge, misread, reading

from gridzero.battery.ageing.charge_book import ChargeBook
from gridzero.battery.ageing.health import StateOfHealth
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.domain.trust import UNTROUBLED, Trust

SPEC = AgeingSpec(module_ah=10.0, offset_sigma_a=0.02)
STEP_S = 30.0


class Two:
    """Two modules of four cells of 8 Ah, cycled between rests by hand."""

    def __init__(self) -> None:
        self.soh = StateOfHealth(SPEC)
        self.now_s = 0.0
        self.soc = 0.9
        self.trust = UNTROUBLED
        self.curve_sigma = 0.0
        self.bleeding = 0
        self.extra = [0.0, 0.0, 0.0, 0.0]  # of cells of b1 over the others

    def rest(self, minutes: float = 30.0, sigma: float = 0.005) -> Two:
        return self._pass(minutes * 60.0, 0.0, sigma, anchored=True)

    def flow(self, hours: float, current_a: float) -> Two:
        return self._pass(hours * 3600.0, current_a, 0.03, anchored=False)

    def _pass(self, seconds: float, current_a: float, sigma: float, *, anchored: bool) -> Two:
        for _ in range(int(seconds / STEP_S)):
            self.now_s += STEP_S
            self.soc -= current_a * STEP_S / 3600.0 / 16.0
            bled = 3.7 / SPEC.bleed_ohm * STEP_S / 3600.0 / 8.0
            for i in range(4):
                self.extra[i] -= bled * (self.bleeding >> i & 1)
            self._see(current_a, sigma, anchored=anchored)
        return self

    def _see(self, current_a: float, sigma: float, *, anchored: bool) -> None:
        socs = {"b1": [self.soc + one for one in self.extra], "b2": [self.soc] * 4}
        now = charge(
            self.now_s,
            socs,
            sigma=hypot(sigma, self.curve_sigma),
            curve_sigma=self.curve_sigma,
            anchored=anchored,
            current_a=current_a,
        )
        modules = [
            reading("b1", (3.7,) * 4, self.now_s, bleeding=self.bleeding),
            reading("b2", (3.7,) * 4, self.now_s),
        ]
        self.soh.update(now, modules, current_a, self.trust, self.now_s)

    def capacity_ah(self) -> float | None:
        known = self.soh.report().capacity_ah
        return None if known is None else known.value


def test_a_stretch_between_two_rests_tells_the_capacity() -> None:
    two = Two().rest().flow(2.0, 5.0).rest().flow(0.2, 2.0)
    assert two.capacity_ah() == pytest.approx(16.0, rel=0.02)


def test_before_the_first_stretch_nothing_is_claimed() -> None:
    report = Two().rest().soh.report()
    assert report.capacity_ah is None
    assert report.ranking == ()
    assert report.maintenance == ()
    nominal = Two().soh.cell_ah("b1", 0)
    assert nominal.value == pytest.approx(10.0)
    assert nominal.sigma > 1.0


@pytest.mark.parametrize(
    ("hours", "sigma"),
    [(0.5, 0.005), (1.0, 0.05)],
    ids=["a small swing", "a vague end"],
)
def test_what_says_nothing_is_refused(hours: float, sigma: float) -> None:
    two = Two().rest(sigma=sigma).flow(hours, 5.0).rest(sigma=sigma).flow(0.2, 2.0)
    assert two.capacity_ah() is None


def test_small_swings_add_up_to_a_large_one() -> None:
    two = Two().rest().flow(0.6, 5.0).rest().flow(0.6, 5.0).rest().flow(0.2, 2.0)
    assert two.capacity_ah() == pytest.approx(16.0, rel=0.05)


def test_a_lost_count_begins_anew() -> None:
    two = Two().rest().flow(1.0, 5.0)
    two.now_s += 600.0
    two.flow(1.0, 5.0).rest().flow(0.2, 2.0)
    assert two.capacity_ah() is None


@pytest.mark.parametrize("trust", [Trust(shunt_sign_wrong=True), Trust(shunt_stuck=True)])
def test_a_doubted_shunt_counts_for_nothing(trust: Trust) -> None:
    two = Two().rest()
    two.trust = trust
    two.flow(2.0, 5.0).rest().flow(0.2, 2.0)
    assert two.capacity_ah() is None


def test_a_misread_cell_is_left_out_of_its_module() -> None:
    two = Two()
    two.trust = Trust(cells={"b1.2": misread("b1", 2)})
    two.extra[1] = -0.4
    two.rest().flow(2.0, 5.0).rest().flow(0.2, 2.0)
    report = two.soh.report()
    assert two.capacity_ah() == pytest.approx(16.0, rel=0.02)
    assert report.modules["b1"].cells[1].relative_capacity is None
    seen = report.modules["b1"].imbalance
    assert seen is not None
    assert seen.level_ah < 0.1


def test_what_is_bled_is_neither_capacity_nor_self_discharge() -> None:
    two = Two()
    for day in range(8):
        two.bleeding = 0b0010 if day % 2 else 0
        two.rest().flow(2.0, 5.0).rest().flow(2.0, -5.0).rest(minutes=8.0 * 60.0)
    two.flow(0.2, 2.0)
    cell = two.soh.report().modules["b1"].cells[1]
    assert two.extra[1] < -0.4  # it went down by a great deal
    assert cell.relative_capacity is not None
    assert cell.relative_capacity.value == pytest.approx(1.0, abs=0.05)
    loss = cell.self_discharge_ma
    assert loss is not None
    assert abs(loss.value) < 2.0 * loss.sigma
    assert not any("discharge" in one.code for one in two.soh.report().maintenance)


def test_module_counts_add_up_to_the_shunt_whatever_the_estimator_says() -> None:
    book = ChargeBook(40.0)
    for second in range(11):
        now = charge(float(second), {"b1": [0.5], "b2": [0.5]}, current_a=90.0)
        book.count(now, 10.0, UNTROUBLED, float(second))
    assert sum(book.module_ah.values()) == pytest.approx(book.out_ah)
    assert book.out_ah == pytest.approx(100.0 / 3600.0)
    vague = charge(11.0, {"b1": [0.5], "b2": [0.5]}, current_a=nan)
    flow = book.count(vague, 10.0, UNTROUBLED, 11.0)
    assert flow is not None
    assert flow.module_a == {"b1": 5.0, "b2": 5.0}


def test_a_known_offset_is_taken_off() -> None:
    book, trust = ChargeBook(40.0), Trust(shunt_offset_a=0.25)
    for second in range(11):
        now = charge(float(second), {"b1": [0.5]})
        book.count(now, 0.25, trust if second == 0 else UNTROUBLED, float(second))
    assert book.out_ah == pytest.approx(0.0)


def test_another_set_of_modules_begins_anew() -> None:
    book = ChargeBook(40.0)
    book.count(charge(0.0, {"b1": [0.5]}), 1.0, UNTROUBLED, 0.0)
    before = book.epoch
    book.count(charge(1.0, {"b1": [0.5], "b2": [0.5]}), 1.0, UNTROUBLED, 1.0)
    assert book.epoch == before + 1


def test_a_curve_that_may_be_wrong_is_doubt_that_no_stretch_removes() -> None:
    two = Two()
    two.curve_sigma = 0.03
    two.rest()
    for _ in range(8):
        two.flow(4.0, 2.4).rest().flow(4.0, -2.4).rest()
    known = two.soh.report().capacity_ah
    assert known is not None
    assert known.value == pytest.approx(16.0, rel=0.02)
    assert known.sigma / known.value == pytest.approx(0.03 * 2.0**0.5 / 0.6, rel=0.1)
    own = two.soh.counting_ah("b1", 0)
    assert own is not None
    assert own.sigma / own.value < 0.03, "what goes back to the estimator has the same curve"


def test_a_wrong_curve_asks_for_a_wider_swing() -> None:
    two = Two()
    two.curve_sigma = 0.03
    two.rest().flow(4.0, 1.2).rest().flow(0.5, 1.2)
    assert two.capacity_ah() is None
    two.flow(3.5, 1.2).rest().flow(0.5, 1.2)
    assert two.capacity_ah() == pytest.approx(16.0, rel=0.02), "from the first rest, not the last"


def test_the_widest_swing_is_looked_for_between_the_last_rests() -> None:
    two = Two()
    two.curve_sigma = 0.03
    two.soc = 0.6
    two.rest().flow(4.0, -1.2).rest().flow(0.5, 1.2)
    assert two.capacity_ah() is None
    two.flow(3.5, 1.8).rest().flow(0.5, 1.2)  # from 0.9 to 0.47, past the first
    assert two.capacity_ah() == pytest.approx(16.0, rel=0.02)


def test_the_doubt_about_the_curve_survives_a_restart() -> None:
    two = Two()
    two.curve_sigma = 0.03
    two.rest().flow(4.0, 2.4).rest().flow(0.5, -2.4)
    stored = two.soh.to_dict()
    again = Two()
    assert again.soh.restore(stored, 60.0) == ()
    again.curve_sigma = 0.03
    again.rest()
    before, after = two.soh.report().capacity_ah, again.soh.report().capacity_ah
    assert before is not None
    assert after == pytest.approx(before)
    stored["capacities"]["curve"] = ["much", 0]
    assert "doubt about the curve" in Two().soh.restore(stored, 60.0)[0]
    del stored["capacities"]["curve"]
    assert Two().soh.restore(stored, 60.0) == ()
