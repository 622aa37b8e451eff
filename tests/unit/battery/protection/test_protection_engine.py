from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protection_fakes import Battery, doubt, trust_of

from gridzero.battery.profile import VW_GTE_12S
from gridzero.battery.protection.engine import Latched, Protection
from gridzero.battery.protection.gate import Gate
from gridzero.battery.protection.rule import Rule, Side, Threshold
from gridzero.domain.alarms import Level
from gridzero.domain.trust import Blame


def gate(sign: float = 1.0, **changes: object) -> Gate:
    threshold = Threshold(value=10.0, release=8.0, delay_s=2.0, dwell_s=3.0)
    return Gate(replace(threshold, **changes), sign)  # type: ignore[arg-type]  # fields by name


def run(one: Gate, *values: float | None) -> list[bool]:
    seen = []
    for second, value in enumerate(values):
        one.update(value, float(second))
        seen.append(one.is_active)
    return seen


def test_a_gate_waits_for_its_delay_and_a_good_value_starts_it_anew() -> None:
    assert run(gate(), 11, 11, 9, 11, 11, 11) == [False] * 5 + [True]


def test_a_gate_ends_only_inside_its_release_for_its_dwell() -> None:
    assert run(gate(delay_s=0.0), 11, 9, 9, 9, 9) == [True] * 5
    assert run(gate(delay_s=0.0), 11, 8, 8, 8, 8) == [True] * 4 + [False]
    assert run(gate(delay_s=0.0), 11, 7, 7, 9, 7, 7, 7) == [True] * 7


@pytest.mark.parametrize("unknown", [None, nan])
def test_what_is_not_known_begins_nothing_and_ends_nothing(unknown: float | None) -> None:
    assert run(gate(), *[unknown] * 9) == [False] * 9
    assert run(gate(delay_s=0.0), 11, *[unknown] * 9) == [True] * 10
    assert run(gate(delay_s=0.0), 11, 7, 7, 7, unknown, 7, 7, 7, 7)[-2:] == [True, False]


def test_unknown_does_not_stop_the_clock_of_what_is_beyond() -> None:
    assert run(gate(), 11, None, 11)[-1] is True


def test_a_latch_stays_until_somebody_acknowledges_and_not_while_the_cause_is_there() -> None:
    one = gate(delay_s=0.0, dwell_s=0.0, latches=True)
    run(one, 11)
    assert not one.acknowledge()
    run(one, 7)
    assert one.is_latched
    assert one.acknowledge()
    assert not one.is_active


def test_infinity_is_a_value_on_its_side() -> None:
    assert run(gate(delay_s=0.0), inf) == [True]
    assert run(gate(delay_s=0.0), -inf) == [False]


def test_a_healthy_battery_is_not_complained_about() -> None:
    assert Battery().after(120.0) == ()


def test_an_alarm_names_the_cell_the_value_and_the_threshold() -> None:
    battery = Battery()
    battery.cell_v["a3"][6] = 4.213
    battery.after(0.5)
    alarm = battery.said("cell_over")
    assert (alarm.level, alarm.stops_charge, alarm.stops_discharge) == (Level.LIMIT, True, False)
    assert alarm.text == "cell a3.7 is at 4.213 V, above 4.200 V"


def test_the_text_keeps_the_worst_when_it_is_over() -> None:
    battery = Battery()
    battery.cell_v["a3"][6] = 4.30
    battery.after(20.0)
    assert battery.said("cell_over").level is Level.TRIP
    battery.cell_v["a3"][6] = 3.70
    battery.after(20.0)
    alarm = battery.said("cell_over")
    assert alarm.is_latched
    assert alarm.stops_charge
    assert "4.300 V, above 4.250 V" in alarm.text


def test_acknowledging_ends_what_is_over_and_nothing_else() -> None:
    battery = Battery()
    battery.cell_v["a3"][6] = 4.30
    battery.after(20.0)
    assert battery.protection.acknowledge() == ()
    battery.cell_v["a3"][6] = 3.70
    battery.after(5.0)
    assert battery.protection.acknowledge("cell_under") == ()
    assert [row.code for row in battery.protection.acknowledge("cell_over")] == ["cell_over"]
    battery.after(1.0)
    assert "cell_over" not in battery.codes


def test_a_latch_outlives_a_restart_and_its_cause_must_be_seen_to_be_gone() -> None:
    before = Battery()
    before.cell_v["a3"][6] = 4.30
    before.after(20.0)
    rows = [list(row) for row in before.protection.latched]
    assert rows == [["cell_over", "battery", "trip", "cell a3.7 is at 4.300 V, above 4.250 V"]]
    after = Battery()
    assert after.protection.restore(rows) == ()
    assert after.protection.acknowledge() == ()  # nothing has been measured yet
    after.after(0.5)
    assert after.said("cell_over").is_latched
    assert after.said("cell_over").stops_charge
    assert "4.300 V" in after.said("cell_over").text
    assert len(after.protection.acknowledge()) == 1


@pytest.mark.parametrize(
    "row", [None, 7, "cell_over", [], ["cell_over", "battery", "trip", 3], {"code": "cell_over"}]
)
def test_a_stored_trip_that_cannot_be_read_is_told(row: object) -> None:
    (told,) = Protection(VW_GTE_12S.rules).restore([row])
    assert "cannot be read" in told


def test_a_stored_trip_of_another_version_is_told() -> None:
    rows = [
        Latched("from_the_future", "battery", "trip", "x"),
        Latched("cell_over", "b", "warn", ""),
    ]
    told = Protection(VW_GTE_12S.rules).restore(rows)
    assert ["not known" in words for words in told] == [True, True]


def test_a_rule_about_nothing_is_refused() -> None:
    rule = replace(VW_GTE_12S.rules[0], quantity="mood")
    with pytest.raises(ValueError, match="no such quantity: mood"):
        Protection([rule])


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"warn": None, "limit": None, "trip": None}, "has no threshold"),
        ({"warn": Threshold(value=5.0, release=4.0)}, "must be inside"),
        ({"limit": Threshold(value=4.0, release=4.1)}, "wrong side"),
        ({"limit": Threshold(value=4.0, release=2.0)}, "would not be released"),
        ({"limit": Threshold(value=nan, release=3.0)}, "number that is none"),
        ({"limit": Threshold(value=4.0, release=3.5, delay_s=-1.0)}, "negative time"),
    ],
)
def test_a_rule_that_is_out_of_order_is_refused(changes: dict[str, object], what: str) -> None:
    good = Rule(
        code="x",
        quantity="highest_cell_v",
        side=Side.ABOVE,
        unit="V",
        healthy=3.0,
        limit=Threshold(value=4.0, release=3.5),
        why="a test",
        unknown="nothing",
    )
    with pytest.raises(ValueError, match=what):
        replace(good, **changes)  # type: ignore[arg-type]  # table of fields


def test_a_misread_cell_trips_nothing_but_the_same_reading_believed_does() -> None:
    battery = Battery(trust=trust_of(doubt("a3", 7, Blame.SENSOR)))
    battery.cell_v["a3"][6] = 2.40
    battery.after(60.0)
    assert battery.codes == {"cell_misread"}
    battery.trust = trust_of(doubt("a3", 7, Blame.UNDECIDED))
    battery.after(0.5)
    assert battery.said("cell_under").stops_discharge


def test_a_misread_cell_counts_with_the_worse_end_of_its_estimate() -> None:
    wide = doubt("a3", 7, Blame.SENSOR, estimate_v=2.95, within_v=0.20)
    battery = Battery(trust=trust_of(wide))
    battery.cell_v["a3"][6] = 3.70
    battery.after(0.5)
    assert battery.said("cell_under").stops_discharge


number = st.one_of(st.none(), st.floats(), st.floats(-10, 10))


@settings(max_examples=30)
@given(
    volts=st.lists(number, min_size=12, max_size=12),
    temp_c=st.floats(),
    current_a=number,
    converter_v=st.floats(),
)
def test_no_reading_breaks_the_engine_and_a_bad_one_never_clears_an_alarm(
    volts: list[float | None], temp_c: float, current_a: float | None, converter_v: float
) -> None:
    battery = Battery()
    battery.cell_v["b1"][0] = 4.35
    battery.after(16.0)
    assert battery.said("cell_over").level is Level.TRIP
    battery.cell_v["a3"], battery.temp_c["a3"] = volts, temp_c
    battery.cell_v["b1"] = [nan] * 12
    battery.current_a = current_a
    battery.watched = {"converter_v": {"charger": converter_v}}
    battery.after(5.0)
    assert battery.said("cell_over").stops_charge
