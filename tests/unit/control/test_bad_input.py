"""Whatever meter, telemetry, converters and owner do: inside the limits, and no wind-up after."""

from __future__ import annotations

import os
from math import isfinite

import pytest
from hostile_house import KINDS, HostileHouse, Tick, Trouble
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from invariants import keeps_every_limit

from gridzero.control.learned import Learned
from gridzero.domain.modes import Mode
from gridzero.domain.reasons import Because

EXAMPLES = int(os.environ.get("GRIDZERO_FUZZ_HOUSES", "30"))

_CALM_S = 30.0  # the house runs well before the first trouble
_SOON_S = 60.0
_VERDICT_S = 400.0  # a verdict on the meter holds 300 s, and a converter is tried again after it
_UNLEARN_S = 180.0  # nothing is learned while the meter is not trusted, so this comes after it
_WATCHED_S = 15.0
_SETTLED_W = 30.0
_METER_DEAD_S = 10.0
_LOADS = st.sampled_from((250.0, 500.0, 850.0, -400.0, -1500.0))
_RESTS_ON_METER = frozenset(
    {
        Because.COVERING_LOAD,
        Because.STORING_SURPLUS,
        Because.BALANCED,
        Because.METER_LATE,
        Because.PERIODIC_LOAD,
        Because.KEEPING_WARM,
        Because.DROP_TO_ZERO,
        Because.IDENTIFYING,
    }
)


@st.composite
def troubles(draw: st.DrawFn) -> list[Trouble]:
    count = draw(st.integers(1, 6))
    return [
        Trouble(
            kind=draw(st.sampled_from(KINDS)),
            start_s=draw(st.integers(0, 700)) / 10.0,
            length_s=draw(st.sampled_from((0.5, 1.0, 3.0, 7.0, 15.0, 30.0))),
            size=draw(
                st.sampled_from((-65535.0, -2000.0, -300.0, 0.0, 5.0, 100.0, 2000.0, 65535.0))
            ),
        )
        for _ in range(count)
    ]


@st.composite
def wrongly_learned(draw: st.DrawFn) -> Learned:
    """What an earlier life may have left behind, at worst."""
    return Learned(
        dead_time_s=draw(st.sampled_from((0.0, 0.3, 1.0, 1.5))),
        rise_w_per_s=draw(st.sampled_from((0.0, 50.0, 150.0, 1e9))),
        fall_w_per_s=draw(st.sampled_from((0.0, 50.0, 150.0, 1e9))),
        gain=draw(st.sampled_from((0.0, 0.8, 1.0, 1.2, 9.0))),
        sure=1.0,
        moves=100,
    )


def _rests_on_a_live_meter(ticks: list[Tick]) -> None:
    """No power that follows the meter unless it said something usable in the last seconds."""
    heard_s = float("-inf")
    for tick in ticks:
        now, meter = tick.now, tick.now.meter
        if meter and isfinite(meter.grid_w) and abs(meter.received_at_s - now.now_s) < 1e-9:
            heard_s = now.now_s
        follows = now.wanted.mode is Mode.AUTO and tick.decision.because in _RESTS_ON_METER
        if follows and now.now_s - heard_s > _METER_DEAD_S + 1.0:
            assert tick.decision.battery_w == 0.0
        if now.battery is None or now.limits is None or not isfinite(now.battery.pack_v or 0.0):
            assert tick.decision.battery_w == 0.0


def _settles(house: HostileHouse, ended_s: float, *, patient: bool) -> None:
    """The grid is held again, to stay. patient: a wrong model must be unlearned first."""
    house.probe.cancel("the test is over")
    ticks = house.run(ended_s + _SOON_S)
    verdicts = any(
        tick.decision.meter_verdict != "good"
        or tick.decision.not_following
        or tick.decision.suspects
        for tick in ticks
    )
    watched = house.run(house.now_s + _WATCHED_S)
    if (patient or verdicts) and not _held(watched):
        ticks += house.run(ended_s + _VERDICT_S + (_UNLEARN_S if patient else 0.0))
        watched = house.run(house.now_s + _WATCHED_S)
    for tick in (*ticks, *watched):
        keeps_every_limit(tick.now, tick.decision)
    worst = max(watched, key=lambda tick: abs(tick.grid_w))
    assert _held(watched), f"{worst.grid_w:.0f} W at {worst.now.now_s:.1f} s: {worst.decision}"


def _held(ticks: list[Tick]) -> bool:
    return all(abs(tick.grid_w) < _SETTLED_W for tick in ticks)


def _survives(
    load_w: float,
    drawn: list[Trouble],
    inverters: int,
    load_after_w: float | None = None,
    learned: Learned | None = None,
) -> None:
    house = HostileHouse(load_w, drawn, inverters)
    if learned is not None:
        house.identification.restore({"inverter": learned})
    ended_s = max(trouble.ends_s for trouble in drawn)
    ticks = house.run(ended_s)
    for tick in ticks:
        keeps_every_limit(tick.now, tick.decision)
    _rests_on_a_live_meter(ticks)
    house.load_w = load_w if load_after_w is None else load_after_w
    _settles(house, ended_s, patient=learned is not None)


@pytest.mark.fuzz
@seed(20)
@settings(
    max_examples=EXAMPLES,
    database=None,
    phases=(Phase.generate,),  # a house takes a quarter of a second: shrinking would take minutes
    suppress_health_check=list(HealthCheck),
)
@given(
    load_w=_LOADS,
    load_after_w=_LOADS,
    drawn=troubles(),
    inverters=st.sampled_from((1, 2)),
    learned=st.none() | wrongly_learned(),
)
@pytest.mark.slow
def test_any_troubles_stay_inside_the_limits_and_leave_no_wind_up(
    load_w: float,
    load_after_w: float,
    drawn: list[Trouble],
    inverters: int,
    learned: Learned | None,
) -> None:
    _survives(load_w, drawn, inverters, load_after_w, learned)


@pytest.mark.parametrize("kind", KINDS)
def test_each_trouble_alone(kind: str) -> None:
    _survives(500.0, [Trouble(kind, _CALM_S, 15.0, 2000.0)], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_each_trouble_alone_while_charging(kind: str) -> None:
    _survives(-900.0, [Trouble(kind, _CALM_S, 15.0, -2000.0)], 1)
