from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import inf, isfinite, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.actuator_model import ActuatorModel
from gridzero.control.chapter import Command, Sample, chapter_of
from gridzero.control.fit import Fit
from gridzero.control.identification import Identification
from gridzero.control.learned import (
    DEAD_TIME_S,
    GAIN,
    SLEW,
    Learned,
    Shape,
    learned_from,
    nominal_shape,
)
from gridzero.control.ledger import Ledger
from gridzero.domain.converters import Dynamics

NOMINAL = Dynamics(dead_time_s=0.3, jump_w=57, rise_w_per_s=75, fall_w_per_s=100)
CHARGER = Dynamics(dead_time_s=0.5, jump_w=100, rise_w_per_s=200, fall_w_per_s=2e4, start_s=10.0)
PERIOD_S = 0.5


class Plant:
    """A house with a constant load, whose converters are not what the law was told."""

    def __init__(self, **truth: Dynamics) -> None:
        nominal = {"inverter": NOMINAL, "second": NOMINAL}, {"charger": CHARGER}
        self.ledger = Ledger(*nominal)
        self.identification = Identification(self.ledger, *nominal)
        self.models = {name: ActuatorModel(dynamics) for name, dynamics in truth.items()}
        self.now_s, self.load_w = 0.0, 500.0

    def send(self, name: str, power_w: float) -> None:
        self.models[name].sent(self.now_s, power_w)
        self.identification.sent(name, self.now_s, power_w)

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds / PERIOD_S)):
            self.now_s += PERIOD_S
            own_w = sum(model.output_at(self.now_s) for model in self.models.values())
            self.identification.metered(self.now_s, self.load_w - own_w)

    def run(self, *names: str, moves: int = 40) -> Learned:
        for move in range(moves):
            for name in names:
                self.send(name, 600.0 if move % 2 else 200.0)
            self.live(17.0)
        return self.identification.learned(names[0])


@pytest.mark.parametrize(
    ("field", "value", "near"),
    [
        ("dead_time_s", 1.5, 0.15),
        ("dead_time_s", 4.0, 0.2),
        ("rise_w_per_s", 37.5, 4.0),
        ("rise_w_per_s", 200.0, 20.0),
        ("fall_w_per_s", 50.0, 5.0),
        ("gain", 0.8, 0.03),
        ("gain", 1.2, 0.03),
    ],
)
def test_what_differs_from_the_configuration_is_found(
    field: str, value: float, near: float
) -> None:
    learned = Plant(inverter=replace(NOMINAL, **{field: value})).run("inverter")
    assert getattr(learned, field) == pytest.approx(value, abs=near)
    assert learned.sure > 0.8
    assert learned.moves >= 30


def test_what_is_as_configured_stays_as_configured() -> None:
    plant = Plant(inverter=NOMINAL)
    learned = plant.run("inverter")
    assert (learned.dead_time_s, learned.rise_w_per_s, learned.gain) == (0.3, 75.0, 1.0)
    assert learned.sure > 0.8


def test_the_ledger_goes_on_with_what_was_learned() -> None:
    plant = Plant(inverter=replace(NOMINAL, gain=0.8))
    learned = plant.run("inverter")
    assert plant.ledger.gain("inverter") == learned.gain
    assert plant.ledger.gain("second") == 1.0


def test_two_that_move_together_teach_nothing() -> None:
    slow = replace(NOMINAL, rise_w_per_s=30.0)
    learned = Plant(inverter=slow, second=NOMINAL).run("inverter", "second")
    assert (learned.moves, learned.rise_w_per_s) == (0, 75.0)


def test_one_that_moves_beside_one_that_rests_is_learned() -> None:
    plant = Plant(inverter=replace(NOMINAL, dead_time_s=1.5), second=NOMINAL)
    plant.send("second", 300.0)
    plant.live(30.0)
    assert plant.run("inverter").dead_time_s == pytest.approx(1.5, abs=0.15)


def test_loads_that_step_at_any_time_teach_no_nonsense() -> None:
    plant = Plant(inverter=NOMINAL)
    for move in range(80):
        plant.send("inverter", 600.0 if move % 2 else 200.0)
        plant.live(3.0 + move % 5)
        plant.load_w = 500.0 + 900.0 * (move % 3)
        plant.live(9.0)
    learned = plant.identification.learned("inverter")
    assert learned.dead_time_s == pytest.approx(0.3, abs=0.15)
    assert learned.gain == pytest.approx(1.0, abs=0.05)
    assert learned.rise_w_per_s == pytest.approx(75.0, rel=0.15)


def test_a_converter_that_creeps_along_with_clouds_teaches_nothing() -> None:
    plant = Plant(inverter=replace(NOMINAL, rise_w_per_s=20.0))
    for step in range(600):
        plant.load_w = 500.0 + 10.0 * (step % 40)
        plant.send("inverter", 200.0 + 10.0 * (step % 40 if step % 80 < 40 else 40 - step % 40))
        plant.live(0.5)
    assert plant.identification.learned("inverter").gain == 1.0


def test_an_untrusted_meter_teaches_nothing() -> None:
    plant = Plant(inverter=replace(NOMINAL, gain=0.8))
    metered = plant.identification.metered
    plant.identification.metered = lambda at_s, grid_w: metered(  # type: ignore[method-assign]
        at_s, grid_w, trusted=False
    )
    assert plant.run("inverter").moves == 0


def test_the_belief_moves_in_small_steps() -> None:
    plant, seen = Plant(inverter=replace(NOMINAL, dead_time_s=5.0, gain=0.75)), []
    for move in range(60):
        plant.send("inverter", 600.0 if move % 2 else 200.0)
        for _ in range(34):
            plant.live(0.5)
            seen.append(plant.identification.learned("inverter"))
    steps_s = [b.dead_time_s - a.dead_time_s for a, b in pairwise(seen)]
    assert max(map(abs, steps_s)) <= 0.91
    assert seen[-1].dead_time_s == pytest.approx(5.0, abs=0.5)


def test_a_test_learns_from_its_own_moves_at_once() -> None:
    plant = Plant(inverter=replace(NOMINAL, dead_time_s=2.0))
    plant.identification.begin("inverter")
    plant.run("inverter", moves=5)
    while plant.identification.is_busy("inverter"):
        plant.identification.work("inverter", 1)
    found = plant.identification.adopt("inverter")
    assert found is not None
    assert found.dead_time_s == pytest.approx(2.0, abs=0.15)


def test_a_test_that_saw_too_little_changes_nothing() -> None:
    plant = Plant(inverter=replace(NOMINAL, dead_time_s=2.0))
    plant.identification.begin("inverter")
    plant.run("inverter", moves=1)
    assert plant.identification.adopt("inverter") is None
    assert plant.identification.learned("inverter").dead_time_s == 0.3


def is_within_bounds(learned: Learned, nominal: Dynamics) -> bool:
    dead_ok = (
        DEAD_TIME_S[0] <= learned.dead_time_s <= DEAD_TIME_S[1]
        or learned.dead_time_s == nominal.dead_time_s
    )
    slews = (
        learned.rise_w_per_s / nominal.rise_w_per_s,
        learned.fall_w_per_s / nominal.fall_w_per_s,
    )
    slew_ok = all(SLEW[0] - 1e-9 <= slew <= SLEW[1] + 1e-9 for slew in slews)
    return dead_ok and slew_ok and GAIN[0] <= learned.gain <= GAIN[1] and 0 <= learned.sure <= 1


any_float = st.floats() | st.sampled_from([nan, inf, -inf, 0.0, 1e300])
happening = st.one_of(
    st.tuples(st.just("sent"), st.floats(-5, 20) | any_float, st.floats(-900, 900) | any_float),
    st.tuples(st.just("metered"), st.floats(-5, 3) | any_float, any_float | st.floats(-3e3, 3e3)),
    st.tuples(st.just("many"), st.floats(0.1, 3.0), st.floats(-2000, 2000)),
)


@given(st.lists(happening, max_size=60))
def test_the_bounds_hold_whatever_is_heard(happenings: list[tuple[str, float, float]]) -> None:
    ledger = Ledger({"inverter": NOMINAL}, {"charger": CHARGER})
    identification = Identification(ledger, {"inverter": NOMINAL}, {"charger": CHARGER})
    now_s = 0.0
    for what, seconds, power_w in happenings:
        if what == "sent":
            now_s += seconds if isfinite(seconds) else 0.0
            identification.sent("inverter", seconds if not isfinite(seconds) else now_s, power_w)
            identification.sent("charger", now_s, -power_w)
        elif what == "metered":
            identification.metered(now_s + seconds, power_w)
        else:
            for number in range(60):
                now_s += seconds
                identification.sent("inverter", now_s, abs(power_w) * (number // 9 % 2))
                identification.metered(now_s, power_w * (number % 7))
        for name, nominal in (("inverter", NOMINAL), ("charger", CHARGER)):
            assert is_within_bounds(identification.learned(name), nominal)


@given(
    st.lists(st.tuples(any_float, any_float), min_size=2, max_size=30),
    st.floats(0.1, 6.0),
    st.floats(0.7, 1.3),
)
def test_a_search_over_any_chapters_stays_within_the_bounds(
    values: list[tuple[float, float]], dead_time_s: float, gain: float
) -> None:
    samples = tuple(Sample(0.5 * n, grid_w) for n, (grid_w, _) in enumerate(values))
    commands = tuple(Command(0.7 * n - 9.0, abs(w)) for n, (_, w) in enumerate(values))
    fit = Fit(replace(NOMINAL, dead_time_s=dead_time_s, gain=gain))
    for _ in range(6):
        fit.take(chapter_of(1.0, commands, samples, 75.0))
    for _ in range(300):
        fit.slice()
    shape = fit.learned.shape(replace(NOMINAL, gain=gain))
    assert shape == shape.bounded()


@given(st.lists(any_float, min_size=4, max_size=4), st.lists(any_float, min_size=5, max_size=5))
def test_a_shape_is_bounded_wherever_it_is_moved(start: list[float], move: list[float]) -> None:
    *direction, length = move
    if any(abs(x) > 100 for x in move):  # lengths of a search, not of the universe
        direction, length = [0.0, 0.0, 0.0, 0.0], 1.0
    moved = Shape(*start).bounded().moved(Shape(*direction), length)
    for value, (low, high) in zip(moved, (DEAD_TIME_S, SLEW, SLEW, GAIN), strict=True):
        assert low <= value <= high


def test_what_is_written_can_be_read_and_nonsense_cannot() -> None:
    learned = Plant(inverter=replace(NOMINAL, gain=0.8)).run("inverter", moves=12)
    again = learned_from(learned.to_dict())
    assert again.gain == pytest.approx(learned.gain, abs=1e-3)
    assert again.moves == learned.moves
    for bad in ({"gain": nan}, {"gain": -1.0}, {"rise_w_per_s": "fast"}, {"moves": None}):
        with pytest.raises((ValueError, TypeError)):
            learned_from({**learned.to_dict(), **bad})


def test_restored_values_are_bounded_and_strangers_left_out() -> None:
    plant = Plant(inverter=NOMINAL)
    wild = Learned(dead_time_s=99.0, rise_w_per_s=1.0, fall_w_per_s=1e9, gain=5.0)
    plant.identification.restore({"inverter": wild, "gone": wild})
    shape = plant.identification.learned("inverter").shape(NOMINAL)
    assert shape == (6.0, 0.25, 4.0, 1.3)


def test_a_nominal_dead_time_beyond_the_bounds_is_left_alone_until_something_is_learned() -> None:
    quick = replace(NOMINAL, dead_time_s=0.0)
    assert Fit(quick).dynamics is quick
    assert nominal_shape(quick).dead_time_s == DEAD_TIME_S[0]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_right_dynamics_make_the_net_load_smooth(sign: float) -> None:
    model = ActuatorModel(NOMINAL)
    model.sent(0.0, 300.0)
    model.sent(10.0, 700.0)
    samples = tuple(Sample(t / 2, 1000.0 - sign * model.output_at(t / 2)) for t in range(16, 40))
    chapter = chapter_of(sign, (Command(0.0, 300.0), Command(10.0, 700.0)), samples, 75.0)
    right_w = chapter.misfit_w(NOMINAL)
    assert right_w == pytest.approx(0.0, abs=1e-6)
    wrongs: list[dict[str, Any]] = [{"dead_time_s": 1.0}, {"gain": 0.9}, {"rise_w_per_s": 60.0}]
    assert all(chapter.misfit_w(replace(NOMINAL, **wrong)) > 20.0 for wrong in wrongs)
    assert chapter.unexplained_w > 300.0


def test_a_start_that_takes_long_teaches_nothing() -> None:
    plant = Plant(charger=CHARGER)
    sent: Callable[[str, float], None] = plant.send
    for _ in range(8):
        sent("charger", 800.0)
        plant.live(15.0)
        sent("charger", 0.0)
        plant.live(15.0)
    assert plant.identification.learned("charger").gain == 1.0
