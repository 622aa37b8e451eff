"""The state as JSON: always the same keys, and nothing that JSON cannot say."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.domain.alarms import Level
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.converters import ConverterSpec, Dynamics
from gridzero.domain.decision import Decision, Work
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.readings import (
    ConverterReading,
    ConverterState,
    CurrentReading,
    MeterReading,
    ModuleReading,
    Temperature,
)
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import ConverterView, Snapshot
from gridzero.outputs.state import cells_of, state_of
from gridzero.runtime.fault_book import ActiveFault

NOTHING = Snapshot(
    now_s=0.0,
    meter=None,
    battery=None,
    modules=(),
    limits=None,
    shunt=None,
    shunt_expected=True,
    chargers=(),
    inverters=(),
    wanted=Wanted(),
)
IDLE = Decision(
    at_s=0.0,
    battery_w=0.0,
    because=Because.METER_UNKNOWN,
    wish_w=0.0,
    net_load_w=None,
    charge_w=0.0,
    discharge_w=0.0,
    charge_because=Because.BATTERY_UNKNOWN,
    discharge_because=Because.BATTERY_UNKNOWN,
)
DYNAMICS = Dynamics(dead_time_s=0.3, jump_w=57, rise_w_per_s=75, fall_w_per_s=100)
SPEC = ConverterSpec(min_w=27.0, max_w=900.0, efficiency=0.9, dynamics=DYNAMICS)

anything = st.floats() | st.sampled_from([nan, inf, -inf, 0.0, -0.0, 1e308])
perhaps = st.none() | anything
words = st.text(max_size=8)
names = st.lists(words, max_size=2).map(tuple)
reasons = st.sampled_from(Because)
readings = st.builds(
    ConverterReading,
    at_s=anything,
    ac_w=perhaps,
    dc_v=perhaps,
    dc_a=perhaps,
    mains_v=perhaps,
    temp_c=perhaps,
    alarms=names,
)
units = st.lists(
    st.builds(
        ConverterView,
        name=words,
        spec=st.just(SPEC),
        state=st.sampled_from(ConverterState),
        reading=st.none() | readings,
        silent=st.booleans(),
    ),
    max_size=2,
).map(tuple)
modules = st.lists(
    st.builds(
        ModuleReading,
        bus=st.sampled_from("ab"),
        number=st.integers(1, 16),
        cell_v=st.lists(perhaps, max_size=13).map(tuple),
        cell_at_s=st.just(()),
        temps=st.lists(st.builds(Temperature, anything, anything), max_size=2).map(tuple),
        bleeding=st.integers(0, 0x1FFF),
        suspect=st.integers(0, 0x1FFF),
    ),
    max_size=3,
).map(tuple)
batteries = st.builds(
    BatteryView,
    min_cell_v=perhaps,
    max_cell_v=perhaps,
    pack_v=perhaps,
    volt_age_s=anything,
    low_c=perhaps,
    high_c=perhaps,
    temp_age_s=anything,
)
snapshots = st.builds(
    Snapshot,
    now_s=anything,
    meter=st.none() | st.builds(MeterReading, anything, anything, anything),
    battery=st.none() | batteries,
    modules=modules,
    limits=st.none() | st.builds(CurrentLimits, charge_a=anything, discharge_a=anything),
    shunt=st.none() | st.builds(CurrentReading, anything, anything),
    chargers=units,
    inverters=units,
    wanted=st.builds(Wanted, st.sampled_from(Mode), st.floats(0, 2e4), st.floats(-2e3, 2e3)),
)
decisions = st.builds(
    Decision,
    at_s=anything,
    battery_w=anything,
    because=reasons,
    wish_w=anything,
    net_load_w=perhaps,
    charge_w=anything,
    discharge_w=anything,
    charge_because=reasons,
    discharge_because=reasons,
    units=st.dictionaries(words, anything, max_size=3),
)
faults = st.lists(
    st.builds(ActiveFault, st.sampled_from(["meter_lost", "cell_over"]), words, anything, words),
    max_size=2,
).map(tuple)


def keys(values: dict[str, Any]) -> dict[str, Any]:
    """The shape of an object without its values; lists and names of devices are left out."""
    named = ("chargers", "inverters")
    return {
        key: keys(value) if isinstance(value, dict) and key not in named else None
        for key, value in values.items()
    }


SHAPE = keys(state_of(NOTHING, IDLE, ()))


@given(snapshots, decisions, faults)
def test_whatever_is_known_the_keys_are_the_same_and_json_can_say_them(
    now: Snapshot, decision: Decision, standing: tuple[ActiveFault, ...]
) -> None:
    state = state_of(now, decision, standing)
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert keys(state) == SHAPE
    for unit in (*state["chargers"].values(), *state["inverters"].values()):
        assert set(unit) == {
            "state",
            "silent",
            "command_w",
            "ac_w",
            "dc_v",
            "dc_a",
            "temp_c",
            "alarms",
            "hours",
            "starts",
            "why_not",
        }


@given(snapshots)
def test_cells_are_told_without_anything_that_json_cannot_say(now: Snapshot) -> None:
    cells = cells_of(now)
    assert json.loads(json.dumps(cells, allow_nan=False)) == cells
    for module in now.modules:
        assert set(cells[module.name]) == {"cells_v", "temps_c", "bleeding", "suspect"}


def test_before_anything_is_heard_all_is_null_and_nothing_is_zero() -> None:
    state = state_of(NOTHING, IDLE, ())
    assert state["grid_w"] is None
    assert state["meter_age_s"] is None
    assert state["net_load_w"] is None
    assert set(state["battery"].values()) == {None}
    assert state["because"] == "meter_unknown"
    assert "meter" in state["because_text"]


@pytest.mark.parametrize(("value", "said"), [(nan, None), (inf, None), (-12.34, -12.3), (0.0, 0.0)])
def test_a_number_is_rounded_and_no_number_is_null(value: float, said: float | None) -> None:
    now = Snapshot(
        now_s=10.0,
        meter=MeterReading(9.7, 10.0, value),
        battery=None,
        modules=(),
        limits=None,
        shunt=None,
        shunt_expected=False,
        chargers=(),
        inverters=(),
        wanted=Wanted(),
    )
    state = state_of(now, IDLE, ())
    assert state["grid_w"] == said
    assert state["meter_age_s"] == 0.0


def test_a_converter_shows_what_it_was_told_and_what_it_does() -> None:
    reading = ConverterReading(at_s=1.0, ac_w=-812.4, dc_v=44.444, dc_a=-17.456, alarms=("fan",))
    view = ConverterView(
        name="rectifier", spec=SPEC, state=ConverterState.RUNNING, reading=reading, silent=False
    )
    now = Snapshot(
        now_s=1.0,
        meter=None,
        battery=None,
        modules=(),
        limits=None,
        shunt=None,
        shunt_expected=False,
        chargers=(view,),
        inverters=(),
        wanted=Wanted(),
    )
    decision = Decision(
        at_s=1.0,
        battery_w=-800.0,
        because=Because.STORING_SURPLUS,
        wish_w=-800.0,
        net_load_w=-800.0,
        charge_w=2000.0,
        discharge_w=900.0,
        charge_because=Because.CURRENT_LIMIT,
        discharge_because=Because.CURRENT_LIMIT,
        units={"rectifier": 800.0},
        work={"rectifier": Work(hours=1.5, starts=3, why_not=None)},
    )
    assert state_of(now, decision, ())["chargers"]["rectifier"] == {
        "state": "running",
        "silent": False,
        "command_w": 800.0,
        "ac_w": -812.0,
        "dc_v": 44.44,
        "dc_a": -17.46,
        "temp_c": None,
        "alarms": ["fan"],
        "hours": 1.5,
        "starts": 3,
        "why_not": None,
    }


def test_a_standing_fault_says_what_to_do() -> None:
    fault = ActiveFault("meter_lost", "meter", 5.0, "no reading for 12 s")
    (told,) = state_of(NOTHING, IDLE, (fault,))["faults"]
    assert told["code"] == "meter_lost"
    assert told["text"] == "no reading for 12 s"
    assert "broker" in told["remedy"]
    assert (told["level"], told["is_latched"]) == (None, False)


def test_a_latched_fault_says_that_it_waits_and_how_far_it_went() -> None:
    fault = ActiveFault(
        "cell_over", "b3.7", 5.0, "4.31 V", latches=True, is_latched=True, level=Level.TRIP
    )
    (told,) = state_of(NOTHING, IDLE, (fault,))["faults"]
    assert (told["level"], told["is_latched"]) == ("trip", True)


def test_cells_are_counted_from_one() -> None:
    module = ModuleReading(
        bus="b",
        number=3,
        cell_v=(3.7004, None, 3.9),
        cell_at_s=(1.0, None, 1.0),
        temps=(Temperature(18.0, 21.0),),
        bleeding=0b100,
        suspect=0b1,
    )
    now = Snapshot(
        now_s=1.0,
        meter=None,
        battery=None,
        modules=(module,),
        limits=None,
        shunt=None,
        shunt_expected=False,
        chargers=(),
        inverters=(),
        wanted=Wanted(),
    )
    assert cells_of(now) == {
        "b3": {
            "cells_v": [3.7, None, 3.9],
            "temps_c": [{"low": 18.0, "high": 21.0}],
            "bleeding": [3],
            "suspect": [1],
        }
    }
