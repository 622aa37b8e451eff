"""Several converters: who works, how much, and how they change places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isnan, nan
from typing import Any

import pytest
from conftest import DYNAMICS, INVERTER, VIEW, converter
from conftest import house as a_house
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gridzero.control.dispatch import Dispatcher
from gridzero.control.guard import guard, power_limits
from gridzero.control.hand_over import Unit, missed_ws, quick
from gridzero.control.ledger import Ledger
from gridzero.control.usable import Roster
from gridzero.control.wake import Experience, is_worth_it
from gridzero.domain.converters import ConverterSpec, DcWindow, Dynamics, LossCurve
from gridzero.domain.readings import ConverterState
from gridzero.domain.reasons import WHY_NOT, Because, WhyNot
from gridzero.domain.snapshot import ConverterView, Snapshot

FLAT = LossCurve(share=0.17, run_w=2.0, standby_w=1.5, start_wh=0.05)
WINDOW = DcWindow(stop_v=43.0, start_v=44.0, max_v=60.0)


def unit(name: str, *, max_w: float = 864.0, **changes: Any) -> ConverterView:
    view = converter(name, max_w, 26.0, DYNAMICS)
    return replace(view, spec=replace(view.spec, **{"losses": FLAT, **changes}))


TALL, SMALL = unit("tall", window=WINDOW), unit("small")


def pack(volts: float | None) -> Any:
    return replace(VIEW, pack_v=volts)


class Cellar:
    """Converters that do exactly what their dynamics say; four ticks a second."""

    def __init__(self, *inverters: ConverterView) -> None:
        self.inverters = inverters
        self.ledger = Ledger({u.name: u.spec.dynamics for u in inverters}, {})
        self.dispatcher = Dispatcher(150.0, 30.0, output=self.ledger.unit_w)
        self.now_s = 100.0
        self.units: dict[str, float] = {}
        self.most_off_w = 0.0
        self.volts = 44.4
        self.out: frozenset[str] = frozenset()

    def run(
        self, power_w: float | Callable[[float], float], seconds: float, step_s: float = 0.25
    ) -> None:
        self.most_off_w = 0.0
        for _ in range(int(seconds / step_s)):
            self.now_s += step_s
            now = a_house(
                now_s=self.now_s, inverters=self.inverters, chargers=(), battery=pack(self.volts)
            )
            wanted_w = power_w(self.now_s) if callable(power_w) else power_w
            self.split = self.dispatcher.split(wanted_w, now, self.out)
            for name, share_w in self.split.units.items():
                if share_w != self.units.get(name):
                    self.ledger.sent(name, self.now_s, share_w)
            self.units = self.split.units
            self.most_off_w = max(self.most_off_w, abs(self.ledger.own_w(self.now_s) - wanted_w))

    def settled_off_w(self, power_w: float, seconds: float) -> float:
        """Largest error of the sum after the first dozen seconds."""
        self.run(power_w, 12.0)
        self.run(power_w, seconds - 12.0)
        return self.most_off_w

    @property
    def workers(self) -> set[str]:
        return {name for name, share_w in self.units.items() if share_w > 0}


def test_a_small_power_is_the_work_of_one_unit() -> None:
    cellar = Cellar(unit("a"), unit("b"))
    assert cellar.settled_off_w(200.0, 120.0) < 1.0
    assert len(cellar.workers) == 1


def test_a_large_step_is_climbed_by_both_and_then_left_to_one() -> None:
    alone, both = Cellar(unit("a")), Cellar(unit("a"), unit("b"))
    for cellar in (alone, both):
        cellar.run(100.0, 60.0)
        cellar.run(800.0, 5.0)
    assert alone.ledger.own_w(alone.now_s) < 500.0
    assert both.ledger.own_w(both.now_s) == pytest.approx(800.0, abs=1.0)
    assert both.workers == {"a", "b"}
    both.run(800.0, 5.0)
    both.run(800.0, 180.0)
    assert both.most_off_w < 30.0, "the sum stays while power moves to one unit"
    assert len(both.workers) == 1


def test_a_unit_that_can_be_cut_at_once_takes_a_large_fall_away() -> None:
    cellar = Cellar(unit("a"), unit("b"))
    cellar.run(1600.0, 60.0)
    cellar.run(800.0, 1.0)
    assert cellar.ledger.own_w(cellar.now_s) == pytest.approx(800.0, abs=30.0)


def test_more_than_one_can_give_is_shared_and_nothing_is_missing() -> None:
    cellar = Cellar(unit("a"), unit("b", max_w=500.0))
    assert cellar.settled_off_w(1200.0, 60.0) < 1.0
    assert cellar.settled_off_w(2000.0, 60.0) == pytest.approx(2000.0 - 1364.0)


def test_a_load_that_wavers_around_the_break_even_does_not_make_units_flap() -> None:
    bent = replace(FLAT, square_per_w=1e-4)
    cellar = Cellar(unit("a", losses=bent), unit("b", losses=bent))
    cellar.run(300.0, 60.0)
    cellar.run(lambda now_s: 500.0 + 25.0 * (int(now_s / 7) % 3 - 1), 1800.0)
    assert sum(work.starts for work in cellar.split.work.values()) <= 3


def test_a_second_unit_that_is_not_needed_any_more_stops_after_a_while() -> None:
    cellar = Cellar(unit("a"), unit("b"))
    cellar.run(1200.0, 120.0)
    cellar.run(400.0, 60.0)
    assert cellar.workers == {"a", "b"}, "it may be wanted again soon"
    cellar.run(400.0, 180.0)
    assert len(cellar.workers) == 1
    assert cellar.most_off_w < 30.0


def test_the_next_watt_costs_the_same_everywhere() -> None:
    small = unit("a", losses=replace(FLAT, square_per_w=2e-4))
    large = unit("b", losses=replace(FLAT, square_per_w=1e-4))
    cellar = Cellar(small, large)
    cellar.run(900.0, 300.0)
    assert cellar.units == pytest.approx({"a": 300.0, "b": 600.0}, abs=1.0)


def test_a_power_between_one_unit_and_two_minima_is_not_dropped() -> None:
    cellar = Cellar(unit("a", max_w=100.0), unit("b"))
    cellar.run(110.0, 60.0)
    assert cellar.split.total_w == pytest.approx(110.0)


def test_equal_units_take_turns_at_natural_starts() -> None:
    cellar = Cellar(unit("a"), unit("b"))
    for _ in range(6):
        cellar.run(300.0, 900.0, step_s=1.0)
        cellar.run(0.0, 60.0)
    hours = {name: work.hours for name, work in cellar.split.work.items()}
    assert hours["a"] == pytest.approx(hours["b"], abs=0.01)
    assert {work.starts for work in cellar.split.work.values()} == {3}


@pytest.mark.slow
def test_a_run_of_days_changes_hands_without_a_dent_in_the_sum() -> None:
    cellar = Cellar(unit("a"), unit("b"))
    cellar.run(300.0, 60.0)
    cellar.run(300.0, 15 * 3600.0, step_s=1.0)
    assert cellar.most_off_w < 30.0, "at most a unit's smallest power, for a moment"
    hours = sorted(work.hours for work in cellar.split.work.values())
    assert hours[0] > 5.0


def test_a_unit_taken_out_is_replaced_at_once() -> None:
    cellar = Cellar(unit("a"), unit("b"))
    cellar.run(300.0, 60.0)
    (worker,) = cellar.workers
    cellar.out = frozenset({worker})
    cellar.run(300.0, 0.25)
    assert cellar.workers == {"a", "b"} - {worker}
    assert cellar.split.work[worker].why_not is WhyNot.TAKEN_OUT
    assert cellar.settled_off_w(300.0, 30.0) < 1.0


def test_the_tall_unit_hands_over_before_it_stops_by_itself() -> None:
    cellar = Cellar(TALL, unit("small", losses=replace(FLAT, run_w=9.0)))
    cellar.run(300.0, 300.0)
    assert cellar.workers == {"tall"}
    cellar.volts = 43.25
    cellar.run(300.0, 60.0)
    assert cellar.workers == {"small"}
    assert cellar.most_off_w < 30.0
    assert cellar.split.work["tall"].why_not is WhyNot.DC_LOW
    cellar.volts = 43.9  # the voltage comes back without the load, or not quite
    cellar.run(300.0, 600.0)
    assert cellar.workers == {"small"}
    cellar.volts = 44.3
    cellar.run(300.0, 600.0)
    assert cellar.workers == {"tall"}
    assert cellar.most_off_w < 30.0


def test_the_last_unit_works_down_to_its_own_stop_and_comes_back_with_a_dwell() -> None:
    roster = Roster()

    def seen(volts: float, now_s: float) -> tuple[int, WhyNot | None]:
        now = a_house(now_s=now_s, inverters=(TALL,), battery=pack(volts))
        usable = roster.update(now)
        return len(usable.inverters), usable.why_not.get("tall")

    assert seen(43.1, 0.0) == (1, None)
    assert seen(42.9, 1.0) == (0, WhyNot.DC_LOW)
    assert seen(43.8, 2.0) == (0, WhyNot.DC_LOW)
    assert seen(44.1, 3.0) == (0, WhyNot.DC_LOW)
    assert seen(43.9, 20.0) == (0, WhyNot.DC_LOW), "the dwell begins anew"
    assert seen(44.1, 21.0) == (0, WhyNot.DC_LOW)
    assert seen(44.1, 52.0) == (1, None)
    assert seen(60.5, 53.0) == (0, WhyNot.DC_HIGH)


def test_a_unit_that_gives_nothing_below_its_start_voltage_has_stopped_by_itself() -> None:
    roster = Roster()
    alone = {"inverters": (TALL,)}
    low = a_house(now_s=0.0, battery=pack(43.7), **alone)
    assert roster.update(low).inverters == (TALL,), "it may still run"
    assert roster.stopped(low, ["tall"]) == {"tall"}
    assert roster.update(low).why_not == {"tall": WhyNot.DC_LOW}
    for now_s in (1.0, 30.0):
        high = a_house(now_s=now_s, battery=pack(44.2), **alone)
        assert roster.stopped(high, ["tall"]) == frozenset(), "there it has no excuse"
        assert roster.update(high).inverters == ()
    assert roster.update(a_house(now_s=32.0, battery=pack(44.2), **alone)).inverters == (TALL,)


def test_a_unit_whose_window_is_not_known_has_no_excuse() -> None:
    for volts in (None, 30.0):
        now = a_house(battery=pack(volts), inverters=(SMALL,))
        assert Roster().stopped(now, ["small"]) == frozenset()


def test_limits_count_the_units_that_dispatch_may_use() -> None:
    now = a_house(inverters=(TALL, SMALL))
    calm = {"over_current": False, "rogue_charge": False}
    wide = replace(now, limits=replace(now.limits, discharge_a=300.0))
    roster = Roster()
    assert power_limits(wide, **calm).discharge_w == pytest.approx(1728.0)
    less = power_limits(wide, **calm, usable=roster.update(wide, frozenset({"small"})))
    assert less.discharge_w == pytest.approx(864.0)
    low = replace(wide, battery=pack(42.0), inverters=(TALL,))
    none = power_limits(low, **calm, usable=roster.update(low))
    assert (none.discharge_w, none.discharge_because) == (0.0, Because.DC_WINDOW)


def test_a_unit_that_reports_a_fault_gets_no_work_while_another_can_have_it() -> None:
    ill = replace(TALL, state=ConverterState.FAULT)
    usable = Roster().update(a_house(inverters=(ill, SMALL)))
    assert [u.name for u in usable.inverters] == ["small"]
    assert usable.why_not == {"tall": WhyNot.FAULT}
    alone = Roster().update(a_house(inverters=(ill,)))
    assert [u.name for u in alone.inverters] == ["tall"]


def test_a_short_small_demand_is_refused_until_it_has_lasted_long_enough() -> None:
    costly = unit("a", losses=replace(FLAT, start_wh=0.5))
    cellar = Cellar(costly)
    for _ in range(6):
        cellar.run(200.0, 4.0)
        cellar.run(0.0, 10.0)
    cellar.run(60.0, 10.0)
    assert cellar.split.because is Because.NOT_WORTH_IT
    assert cellar.workers == set()
    cellar.run(60.0, 40.0)
    assert cellar.workers == {"a"}, "an evening's base load is not refused"


def test_before_anything_is_known_a_base_load_of_60_w_starts_at_once() -> None:
    cellar = Cellar(unit("a"))
    cellar.run(60.0, 1.0)
    assert cellar.workers == {"a"}


def test_stored_energy_that_is_worth_much_is_kept_from_small_demands() -> None:
    assert is_worth_it(40.0, 600.0, FLAT)
    assert is_worth_it(40.0, 600.0, FLAT, stored_value=0.3)
    assert not is_worth_it(40.0, 600.0, FLAT, stored_value=0.9)


def test_experience_is_the_usual_length_or_what_the_present_one_has_reached() -> None:
    experience = Experience()
    for start_s in (0.0, 100.0, 200.0, 300.0):
        experience.note(start_s, wanted=True)
        experience.note(start_s + 20.0, wanted=True)
        experience.note(start_s + 22.0, wanted=False)
        experience.note(start_s + 40.0, wanted=False)
    assert experience.expected_s(350.0) == pytest.approx(20.0)
    experience.note(400.0, wanted=True)
    assert experience.expected_s(450.0) == pytest.approx(50.0)


def test_a_helper_is_not_called_for_a_step_that_one_unit_climbs_soon() -> None:
    units = [Unit("a", INVERTER.spec, 200.0), Unit("b", INVERTER.spec, 0.0)]
    assert quick(350.0, units, {"a": 350.0}) is None
    shares = quick(800.0, units, {"a": 800.0})
    assert shares is not None
    assert missed_ws(800.0, units, shares) < missed_ws(800.0, units, {"a": 800.0})


def test_a_soft_start_of_ten_seconds_is_no_help() -> None:
    late = replace(INVERTER.spec, dynamics=replace(DYNAMICS, start_s=10.0))
    units = [Unit("a", INVERTER.spec, 200.0), Unit("b", late, 0.0)]
    assert quick(800.0, units, {"a": 800.0}) is None


def test_every_reason_has_words() -> None:
    assert set(WHY_NOT) == set(WhyNot)


watts = st.floats(-3000.0, 3000.0) | st.sampled_from([nan, 0.0, 30.0, -150.0])
curves = st.builds(
    LossCurve,
    square_per_w=st.floats(0.0, 3e-4),
    share=st.floats(0.0, 0.3),
    run_w=st.floats(0.0, 30.0),
    standby_w=st.floats(0.0, 10.0),
    start_wh=st.floats(0.0, 0.5),
)


@st.composite
def specs(draw: st.DrawFn) -> ConverterSpec:
    min_w = draw(st.floats(5.0, 120.0))
    return ConverterSpec(
        min_w=min_w,
        max_w=min_w + draw(st.floats(0.0, 1500.0)),
        efficiency=draw(st.floats(0.7, 1.0)),
        dynamics=Dynamics(
            dead_time_s=draw(st.floats(0.0, 1.0)),
            jump_w=draw(st.floats(0.0, 100.0)),
            rise_w_per_s=draw(st.floats(20.0, 1000.0)),
            fall_w_per_s=draw(st.floats(20.0, 20_000.0)),
            zero_at_once=draw(st.booleans()),
            start_s=draw(st.sampled_from([0.0, 10.0])),
        ),
        window=draw(st.sampled_from([DcWindow(), WINDOW, DcWindow(stop_v=40.0)])),
        losses=draw(st.none() | curves),
    )


fleets = st.lists(specs(), min_size=1, max_size=4)
ticks = st.lists(
    st.tuples(
        watts,
        st.floats(0.05, 40.0),
        st.none() | st.floats(38.0, 62.0),
        st.frozensets(st.sampled_from(["i0", "i1", "c0", "c1"])),
        st.frozensets(st.sampled_from(["i0", "i1", "c0", "c1"])),
    ),
    min_size=1,
    max_size=12,
)


def views(kind: str, fleet: list[ConverterSpec], silent: frozenset[str]) -> Any:
    return tuple(
        ConverterView(
            name=f"{kind}{n}",
            spec=spec,
            state=ConverterState.OFF,
            reading=None,
            silent=f"{kind}{n}" in silent,
        )
        for n, spec in enumerate(fleet)
    )


@given(fleets, fleets, ticks)
def test_whatever_is_wanted_the_commands_are_ones_that_may_be_given(
    inverters: list[ConverterSpec], chargers: list[ConverterSpec], story: list[Any]
) -> None:
    ledger = Ledger(
        {f"i{n}": s.dynamics for n, s in enumerate(inverters)},
        {f"c{n}": s.dynamics for n, s in enumerate(chargers)},
    )
    dispatcher = Dispatcher(150.0, 30.0, output=ledger.unit_w)
    now_s = 100.0
    for wanted_w, seconds, volts, silent, out in story:
        now_s += seconds
        now = a_house(
            now_s=now_s,
            battery=pack(volts),
            inverters=views("i", inverters, silent),
            chargers=views("c", chargers, silent),
        )
        usable = dispatcher.usable(now, out)
        limits = power_limits(now, over_current=False, rogue_charge=False, usable=usable)
        allowed_w, _ = guard(wanted_w, limits)
        split = dispatcher.split(allowed_w, now, out)
        check(split.units, allowed_w, now, silent | out)
        assert -limits.charge_w - 1e-6 <= split.total_w <= limits.discharge_w + 1e-6
        for name, share_w in split.units.items():
            ledger.sent(name, now_s, share_w if name[0] == "i" else -share_w)


def check(units: dict[str, float], allowed_w: float, now: Snapshot, gone: frozenset[str]) -> None:
    specs = {u.name: u.spec for u in (*now.inverters, *now.chargers)}
    given = [w for name, w in units.items() if name[0] == "i"]
    taken = [w for name, w in units.items() if name[0] == "c"]
    assert not any(isnan(w) for w in units.values())
    assert sum(given) <= max(0.0, allowed_w) + 1e-6
    assert sum(taken) <= max(0.0, -allowed_w) + 1e-6
    for name, share_w in units.items():
        spec, window = specs[name], specs[name].window
        assert share_w == 0 or spec.min_w - 1e-6 <= share_w <= spec.max_w + 1e-6
        assert share_w == 0 or name not in gone
        pack_v = now.battery.pack_v if now.battery else None
        if share_w > 0 and pack_v is not None:
            assert window.stop_v is None or pack_v >= window.stop_v
            assert window.max_v is None or pack_v <= window.max_v


@settings(max_examples=40)
@given(fleets, st.floats(30.0, 4000.0), st.floats(30.0, 4000.0))
def test_the_settled_split_loses_no_more_than_sharing_in_proportion(
    fleet: list[ConverterSpec], before_w: float, power_w: float
) -> None:
    fleet = [replace(spec, window=DcWindow()) for spec in fleet]
    power_w = min(power_w, sum(spec.max_w for spec in fleet))
    naive = [power_w * spec.max_w / sum(s.max_w for s in fleet) for spec in fleet]
    assume(all(w >= spec.min_w for w, spec in zip(naive, fleet, strict=True)))
    dispatcher = Dispatcher(0.0, 0.0)
    for second in range(400):
        now = a_house(now_s=100.0 + second, inverters=views("i", fleet, frozenset()), chargers=())
        split = dispatcher.split(before_w if second < 5 else power_w, now)
    assume(split.because is not Because.NOT_WORTH_IT)
    curves = [spec.loss_curve for spec in fleet]
    naive_w = sum(c.at(w) for c, w in zip(curves, naive, strict=True))
    chosen_w = sum(c.at(w) for c, w in zip(curves, split.units.values(), strict=True))
    assert split.total_w == pytest.approx(power_w)
    assert chosen_w <= naive_w + 6.0 + 0.01 * power_w
