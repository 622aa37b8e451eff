"""The score: what counts as avoidable, what each second is put down to, and that nothing is lost."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from math import nan
from typing import Any

import pytest
from conftest import CHARGER, DYNAMICS, FAST, INVERTER, house
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.control.attribution import BY_LIMIT
from gridzero.control.avoidable import Reach, avoidable_w, out_of_reach_w
from gridzero.control.ledger import Ledger
from gridzero.control.load_steps import LoadSteps
from gridzero.control.minute_ring import MinuteRing
from gridzero.control.score import DAY_MIN, HOUR_MIN, Score
from gridzero.control.score_figures import COLUMNS, Figures
from gridzero.control.settling import Settling
from gridzero.domain.causes import CAUSES, Cause
from gridzero.domain.decision import Decision
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.readings import ConverterState, MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.value import Prices

START_S = 1000.0


class Desk:
    """A score with a ledger, fed by hand twice a second."""

    def __init__(self, tariff: Prices | None = None) -> None:
        self.ledger = Ledger({"inverter": DYNAMICS}, {"charger": FAST})
        self.score = Score(self.ledger, 1.5, *([tariff] if tariff else []))
        self.now_s = START_S
        self.house: dict[str, Any] = {}
        self.decided: dict[str, Any] = {}

    def decision(self, **changes: Any) -> Decision:
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
        return Decision(**(values | self.decided | changes))

    def tick(self, grid_w: float | None, seconds: float = 0.5) -> None:
        """Time passes, then a reading comes (None: the old one stays)."""
        self.now_s += seconds
        now = house(now_s=self.now_s, **{"meter": None, **self.house})
        if grid_w is not None:
            self.house["meter"] = MeterReading(self.now_s - 0.3, self.now_s, grid_w)
            now = replace(now, meter=self.house["meter"])
        self.score.update(now, self.decision())

    def hold(self, grid_w: float | None, seconds: float) -> None:
        for _ in range(round(2 * seconds)):
            self.tick(grid_w)

    def gives(self, power_w: float) -> None:
        self.ledger.sent("inverter", self.now_s - 30.0, power_w)
        self.decided["battery_w"] = power_w

    @property
    def hour(self) -> Figures:
        return self.score.figures(HOUR_MIN)


# --- the rule of what could have been covered ---------------------------------------------------


@pytest.mark.parametrize(
    ("needed_w", "rest_w"),
    [(500, 0), (1000, 100), (-2500, -500), (20, 20), (-100, -100), (-120, 0), (0, 0)],
)
def test_what_is_out_of_reach(needed_w: float, rest_w: float) -> None:
    assert out_of_reach_w(needed_w, Reach(900.0, -2000.0, 27.0, 115.0)) == rest_w


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_part_is_never_more_than_the_whole(
    error_w: float, needed_w: float, most_w: float, charge_w: float
) -> None:
    part_w = avoidable_w(error_w, out_of_reach_w(needed_w, Reach(most_w, -charge_w, 30.0, 100.0)))
    assert abs(part_w) <= abs(error_w)
    assert part_w * error_w >= 0.0


# --- figures ------------------------------------------------------------------------------------


def test_means_energies_and_regret_of_known_errors() -> None:
    desk = Desk(Prices(40.0, 10.0))
    desk.gives(400.0)
    desk.hold(0.0, 20)
    desk.hold(20.0, 60)
    desk.hold(-10.0, 60)
    found = desk.hour
    assert found.known_s == pytest.approx(139.5)
    assert found.unknown_s == 0.0
    assert found.auto == 1.0
    assert found.import_wh == found.total_import_wh == pytest.approx(1200 / 3600)
    assert found.export_wh == found.total_export_wh == pytest.approx(600 / 3600)
    assert found.mean_w == pytest.approx(1800 / 139.5)
    assert found.rms_w == pytest.approx(((400 * 60 + 100 * 60) / 139.5) ** 0.5)
    assert found.regret_ct == pytest.approx((1200 * 40 - 600 * 10) / 3.6e6)
    assert found.causes_ws == {Cause.SMALL: pytest.approx(1800.0)}
    assert found.worst_cause is Cause.SMALL
    assert found.still_w is not None


def test_nothing_is_known_before_the_first_reading_and_nothing_is_claimed() -> None:
    desk = Desk()
    desk.hold(None, 30)
    found = desk.hour
    assert (found.known_s, found.unknown_s) == (0.0, pytest.approx(28.0))
    assert found.mean_w is found.rms_w is found.auto is found.settle_s is found.still_w is None
    assert found.causes_ws == {}
    assert found.worst_cause is None


def test_the_target_is_no_error() -> None:
    desk = Desk()
    desk.house["wanted"] = Wanted(target_w=60.0)
    desk.gives(400.0)
    desk.hold(60.0, 30)
    assert desk.hour.mean_w == 0.0
    assert desk.hour.total_import_wh > 0.4


def test_what_a_limit_takes_is_counted_apart() -> None:
    desk = Desk()
    desk.gives(900.0)
    desk.hold(1100.0, 60)
    found = desk.hour
    assert found.mean_w == 0.0
    assert found.limited_s == pytest.approx(59.5)
    assert found.limited_wh == pytest.approx(1100 * 59.5 / 3600)
    assert found.causes_ws == {Cause.INVERTER_MAXIMUM: pytest.approx(1100 * 59.5)}


def test_a_limit_below_the_smallest_power_is_no_power_at_all() -> None:
    desk = Desk()
    desk.decided = {"charge_w": 50.0, "charge_because": Because.CELL_HIGH}
    desk.hold(-300.0, 10)
    assert desk.hour.mean_w == 0.0
    assert set(desk.hour.causes_ws) == {Cause.CELL_FULL}


def test_a_gap_is_unknown_and_not_zero() -> None:
    desk = Desk()
    desk.gives(400.0)
    desk.hold(10.0, 30)
    desk.hold(None, 40)
    before = desk.hour
    desk.tick(300.0)
    desk.tick(300.0)
    desk.tick(5.0)
    desk.tick(100.0)
    found = desk.hour
    assert before.unknown_s == pytest.approx(38.5)
    assert found.unknown_s == pytest.approx(39.0)
    assert found.known_s + found.unknown_s == pytest.approx(71.5)
    assert found.causes_ws[Cause.STALE_METER] == pytest.approx(300 * 1.5 + 300 * 0.5)
    assert found.steps == 0, "what the load did unseen is no step"


def test_a_meter_that_is_not_believed_says_nothing() -> None:
    desk = Desk()
    desk.hold(10.0, 10)
    desk.decided["meter_verdict"] = "frozen"
    desk.hold(800.0, 20)
    desk.decided["meter_verdict"] = "good"
    desk.tick(400.0)
    desk.tick(400.0)
    found = desk.hour
    assert found.unknown_s == pytest.approx(20.0)
    assert found.causes_ws[Cause.HEALTH] == pytest.approx(400.0)


def test_what_it_costs_to_ask_the_meter_is_known() -> None:
    desk = Desk()
    desk.hold(0.0, 10)
    desk.decided |= {"meter_verdict": "testing", "because": Because.METER_WRONG}
    desk.tick(0.0)
    desk.hold(400.0, 3)
    desk.decided |= {"meter_verdict": "good", "because": Because.COVERING_LOAD}
    desk.hold(400.0, 2)
    assert desk.hour.unknown_s == 0.0
    assert set(desk.hour.causes_ws) == {Cause.HEALTH}


def test_a_converter_that_leaves_zero_is_a_start() -> None:
    desk = Desk()
    for power_w in (0.0, 100.0, 300.0, 0.0, 50.0, 0.0):
        desk.decided["units"] = {"inverter": power_w, "charger": 0.0}
        desk.tick(0.0)
    assert desk.hour.starts == 2


def test_travel_is_the_way_of_the_own_output() -> None:
    desk = Desk()
    desk.hold(0.0, 10)
    desk.ledger.sent("inverter", desk.now_s, 300.0)
    desk.hold(0.0, 20)
    desk.ledger.sent("inverter", desk.now_s, 0.0)
    desk.hold(0.0, 10)
    assert desk.hour.travel_kw_h == pytest.approx(0.6 / (39.5 / 3600))


# --- steps --------------------------------------------------------------------------------------


def step(desk: Desk, errors_w: list[float], then_s: float = 12.0) -> Figures:
    """The load is 400 W more than before; the errors after it, then nothing."""
    desk.gives(200.0)
    desk.hold(0.0, 30)
    for error_w in errors_w:
        carries(desk, 600.0, error_w)
    for _ in range(round(2 * then_s)):
        carries(desk, 600.0, 0.0)
    return desk.hour


def carries(desk: Desk, load_w: float, error_w: float) -> None:
    """The inverter gives what makes this error of this load."""
    desk.ledger.unreachable("inverter", desk.now_s + 0.1, load_w - error_w)
    desk.tick(error_w)


def test_a_step_is_timed_until_the_error_stays_in_its_band() -> None:
    found = step(Desk(), [400.0, 400.0, 20.0, 60.0, 20.0])
    assert (found.steps, found.unsettled) == (1, 0)
    assert found.settle_s == found.settle_max_s == pytest.approx(2.0)


def test_the_bench_times_a_course_by_the_same_rule() -> None:
    errors_w = [400.0] * 12 + [20.0] * 3 + [60.0] * 5 + [20.0] * 110
    settling = Settling()
    took_s = next(s for e in errors_w if (s := settling.update(e, 0.1)) is not None)
    assert took_s == pytest.approx(2.0)


def test_a_step_that_never_settles_is_given_up_after_a_minute() -> None:
    found = step(Desk(), [400.0] + [60.0, -60.0] * 65)
    assert (found.steps, found.unsettled) == (1, 1)
    assert found.settle_s == pytest.approx(60.0)


def test_a_step_that_is_overtaken_soon_says_nothing_and_one_that_had_time_does() -> None:
    soon, late = Desk(), Desk()
    for desk, lasts in ((soon, 8), (late, 50)):
        step(desk, [400.0] * lasts, then_s=0.0)
        for error_w in [600.0] * 4 + [0.0] * 24:
            carries(desk, 800.0, error_w)
    assert (soon.hour.steps, soon.hour.unsettled) == (1, 0)
    assert soon.hour.settle_s == pytest.approx(2.0)
    assert (late.hour.steps, late.hour.unsettled) == (2, 1)
    assert late.hour.settle_max_s == pytest.approx(25.0)


def test_a_spike_is_no_settled_step() -> None:
    desk = Desk()
    desk.gives(200.0)
    for grid_w in [0.0] * 60 + [2000.0] + [0.0] * 60:
        desk.tick(grid_w)
    assert desk.hour.steps == 0


def test_a_wrong_model_of_a_moving_output_is_no_step() -> None:
    steps = LoadSteps()
    steps.update(500.0, 0.0, 0.5)
    steps.update(640.0, 200.0, 0.5)
    assert not steps.stepped
    steps.update(790.0, 200.0, 0.5)
    assert steps.stepped


# --- causes -------------------------------------------------------------------------------------


def cause_of(grid_w: float, *, gives_w: float = 400.0, house_: Any = None, **decided: Any) -> Cause:
    """What a lasting error is put down to."""
    desk = Desk()
    desk.gives(gives_w)
    desk.house |= house_ or {}
    desk.decided |= decided
    desk.hold(grid_w, 3)
    desk.tick(0.0)  # what the beginning left behind is over
    desk.score = Score(desk.ledger, 1.5)
    desk.hold(grid_w, 5)
    found = desk.hour.causes_ws
    assert len(found) == 1
    return next(iter(found))


@pytest.mark.parametrize(
    ("grid_w", "decided", "cause"),
    [
        (20.0, {}, Cause.SMALL),
        (200.0, {}, Cause.UNEXPLAINED),
        (200.0, {"because": Because.NOT_FOLLOWING}, Cause.HEALTH),
        (200.0, {"suspects": ("inverter",)}, Cause.HEALTH),
        (-600.0, {"because": Because.ZERO_CROSS_HOLD}, Cause.ZERO_CROSS_HOLD),
        (200.0, {"because": Because.KEEPING_WARM}, Cause.ZERO_CROSS_HOLD),
        (200.0, {"because": Because.NOT_WORTH_IT}, Cause.BELOW_MINIMUM),
        (200.0, {"because": Because.PERIODIC_LOAD}, Cause.PERIODIC_LOAD),
        (200.0, {"because": Because.METER_LATE}, Cause.STALE_METER),
        (200.0, {"because": Because.TARGET_TOPIC}, Cause.MODE),
        (200.0, {"because": Because.IDENTIFYING}, Cause.MODE),
    ],
)
def test_an_error_without_a_limit(grid_w: float, decided: dict[str, Any], cause: Cause) -> None:
    assert cause_of(grid_w, **decided) is cause


@pytest.mark.parametrize("because", [*BY_LIMIT, Because.SHUNT_STALE, Because.BATTERY_STALE])
def test_a_limit_says_which_one_it_is(because: Because) -> None:
    wanted = BY_LIMIT.get(because, Cause.HEALTH)
    nothing = {"gives_w": 0.0, "discharge_w": 0.0, "charge_w": 0.0}
    assert cause_of(500.0, **nothing, discharge_because=because) is wanted
    assert cause_of(-500.0, **nothing, charge_because=because) is wanted


def test_less_than_a_converter_can_hold() -> None:
    assert cause_of(20.0, gives_w=0.0) is Cause.BELOW_MINIMUM
    assert cause_of(-100.0, gives_w=0.0) is Cause.BELOW_MINIMUM


def test_a_house_without_chargers_is_not_ill() -> None:
    nobody = {"charge_w": 0.0, "charge_because": Because.NO_CHARGER, "gives_w": 0.0}
    assert cause_of(-500.0, house_={"chargers": ()}, **nobody) is Cause.CHARGER_MAXIMUM
    assert cause_of(-500.0, **nobody) is Cause.HEALTH


def test_a_step_is_dead_time_then_slew_then_nothing() -> None:
    desk = Desk()
    desk.gives(200.0)
    desk.hold(0.0, 30)
    desk.tick(400.0)
    desk.ledger.sent("inverter", desk.now_s + 0.1, 600.0)
    desk.decided["battery_w"] = 600.0
    for _ in range(16):
        own_w = desk.ledger.own_w(desk.now_s + 0.5 - 0.3)
        desk.tick(600.0 - own_w)
    found = desk.hour.causes_ws
    assert found[Cause.DEAD_TIME] == pytest.approx(400 * 1.0, rel=0.05)
    assert found[Cause.SLEW] == pytest.approx(400**2 / 2 / 75, rel=0.1)
    assert sum(found.values()) - found[Cause.DEAD_TIME] - found[Cause.SLEW] < 30.0


def test_a_charger_that_starts() -> None:
    starting = replace(CHARGER, state=ConverterState.STARTING)
    decided = {"battery_w": -600.0, "because": Because.STORING_SURPLUS}
    found = cause_of(-600.0, gives_w=0.0, house_={"chargers": (starting,)}, **decided)
    assert found is Cause.STARTING


def test_a_mode_is_nobodys_error_and_what_it_leaves_is_its_own() -> None:
    desk = Desk()
    desk.house["wanted"] = Wanted(mode=Mode.HOLD)
    desk.hold(300.0, 30)
    held = desk.hour
    desk.house["wanted"] = Wanted()
    desk.hold(300.0, 2)
    desk.hold(0.0, 2)
    assert held.auto == 0.0
    assert held.mean_w is None
    assert desk.hour.causes_ws == {Cause.MODE: pytest.approx(300 * 31.5)}
    assert desk.hour.auto == pytest.approx(3.5 / 33.5)


def test_every_cause_has_a_sentence_and_a_column_of_its_own() -> None:
    assert set(CAUSES) == set(Cause)
    assert len(set(COLUMNS)) == len(COLUMNS)


# --- time ---------------------------------------------------------------------------------------


def test_an_hour_forgets_what_a_day_remembers() -> None:
    desk = Desk()
    desk.gives(400.0)
    desk.hold(20.0, 600)
    desk.hold(0.0, 3660)
    assert desk.hour.error_ws == 0.0
    assert desk.score.figures(DAY_MIN).error_ws == pytest.approx(20 * 599.5)
    assert desk.hour.known_s <= 3600.0


def test_a_ring_turns_and_survives_clocks_that_jump() -> None:
    ring = MinuteRing(("a",), 3)
    for minute in (10, 11, 12, 13):
        ring.turn(60.0 * minute)
        ring.add("a", minute)
        ring.rise("a", minute)
    assert ring.total("a", 3) == 11 + 12 + 13
    assert ring.total("a", 2) == 12 + 13
    assert ring.largest("a", 3) == 13
    ring.turn(60.0 * 5)
    ring.add("a", 1)
    assert ring.total("a", 1) == 14
    ring.turn(60.0 * 1e6)
    assert ring.total("a", 3) == 0.0


def test_memory_does_not_grow_with_time() -> None:
    desk = Desk()
    desk.hold(10.0, 1200)
    tracemalloc.start()
    try:
        desk.hold(10.0, 600)
        once, _ = tracemalloc.get_traced_memory()
        desk.hold(10.0, 1200)
        twice, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert twice - once < 5_000


_GRID_W = st.one_of(st.none(), st.just(nan), st.floats(-5e3, 5e3), st.sampled_from([1e9, -1e9]))
_SECONDS = st.one_of(st.floats(0.0, 2.0), st.sampled_from([0.0, 70.0, 4000.0, 9e4, -50.0]))
_BECAUSE = st.sampled_from(list(Because))
_LIMIT_W = st.one_of(st.just(nan), st.floats(-100.0, 3000.0))
_TICK = st.tuples(_GRID_W, _SECONDS, _BECAUSE, _LIMIT_W, st.sampled_from(["good", "sign"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(_TICK, max_size=60), st.sampled_from(list(Mode)))
def test_whatever_happens_causes_add_up_and_figures_are_numbers(
    ticks: list[tuple[float | None, float, Because, float, str]], mode: Mode
) -> None:
    desk = Desk()
    desk.house["wanted"] = Wanted(mode=mode)
    for grid_w, seconds, because, limit_w, verdict in ticks:
        desk.decided = {
            "because": because,
            "charge_w": limit_w,
            "discharge_w": limit_w,
            "charge_because": because,
            "discharge_because": because,
            "meter_verdict": verdict,
        }
        desk.tick(grid_w, seconds)
        found = desk.score.figures(DAY_MIN)
        assert sum(found.causes_ws.values()) == pytest.approx(found.error_ws)
        assert found.import_wh + found.export_wh + found.limited_wh <= found.error_ws / 3599
        assert min(found.known_s, found.unknown_s, found.error_ws, found.limited_s) >= 0.0
        if found.mean_w is not None and found.rms_w is not None:
            assert found.mean_w <= found.rms_w + 1e-6


@given(st.lists(st.tuples(_GRID_W, st.floats(0.0, 30.0)), min_size=1, max_size=60))
def test_every_second_is_known_or_unknown(ticks: list[tuple[float | None, float]]) -> None:
    desk = Desk()
    desk.tick(None, 0.0)
    for grid_w, seconds in ticks:
        desk.tick(grid_w, seconds)
    found = desk.score.figures(DAY_MIN)
    passed_s = desk.now_s - START_S
    assert passed_s - 1.5 - 1e-6 <= found.known_s + found.unknown_s <= passed_s + 1e-6


def test_inverter_and_charger_of_the_tests_are_what_the_figures_above_rest_on() -> None:
    assert (INVERTER.spec.min_w, CHARGER.spec.min_w) == (27.0, 115.0)
