"""What each panel shows, without a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dashboard_house import said, with_age, with_trouble
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gridzero.domain.settings import SETTING_OF
from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.board import PARTS
from gridzero.outputs.dashboard.reasons import runs_of
from gridzero.outputs.dashboard.views.battery import battery_of
from gridzero.outputs.dashboard.views.care import care_of
from gridzero.outputs.dashboard.views.cells import cells_of
from gridzero.outputs.dashboard.views.energy import energy_of
from gridzero.outputs.dashboard.views.faults import Told, events_of, faults_of
from gridzero.outputs.dashboard.views.flow import flow_of
from gridzero.outputs.dashboard.views.modules import modules_of
from gridzero.outputs.dashboard.views.settings import GROUPS, may_ask, settings_of
from gridzero.outputs.dashboard.views.why import score_of, why_of

SETTINGS = {
    "settings": {
        "mode": {"value": "auto", "title": "Mode", "kind": "choice", "options": ["auto", "hold"]},
        "power_w": {"value": 5.0, "title": "Power", "kind": "number", "low": 0, "high": 900},
        "odd": {"value": {"a": 1}, "kind": "picture"},
    },
    "actions": {
        "restart": {"title": "Restart", "text": "", "argument": "", "dangerous": True},
        "identify": {"title": "Test", "argument": "all", "dangerous": False},
        "unclear": {"title": "Unclear"},
        "announce": {"title": "Announce"},
    },
}


@pytest.fixture(scope="module")
def house() -> dict[str, Any]:
    return with_age(with_trouble(said()))


def test_power_flows_by_the_sign_convention() -> None:
    state = {
        "grid_w": 250.0,
        "net_load_w": 1150.0,
        "setpoint_w": 900.0,
        "inverters": {"i": {"state": "running", "ac_w": 900.0}},
        "chargers": {"c": {"state": "off", "ac_w": None}},
    }
    flow = flow_of(state)
    assert flow["lines"] == {"grid": 250, "inverter": 900, "rectifier": 0, "sun": None}
    assert flow["grid"]["note"] == "buying"
    assert flow["battery"]["note"] == "discharging"
    assert flow["sun"] is None


def test_a_house_without_a_rectifier_has_none_in_its_picture() -> None:
    unit = {"state": "running", "ac_w": 400.0}
    flow = flow_of({"chargers": {}, "inverters": {"a": unit, "b": unit}})
    assert flow["rectifier"] is None
    assert flow["inverter"] == {"title": "2 inverters", "value": words.watts(800.0)}
    assert flow_of(None)["rectifier"]["value"] == words.UNKNOWN


def test_a_surplus_is_stored_and_sold() -> None:
    state = {
        "grid_w": -120.0,
        "net_load_w": -1620.0,
        "setpoint_w": -1500.0,
        "chargers": {"c": {"state": "running", "ac_w": -1500.0}},
    }
    flow = flow_of(state)
    assert flow["lines"]["grid"] == -120
    assert flow["lines"]["rectifier"] == 1500
    assert (flow["grid"]["note"], flow["house"]["note"]) == ("selling", "surplus")


def test_the_sun_shows_only_where_it_is_known() -> None:
    flow = flow_of({"grid_w": 0.0, "net_load_w": -800.0, "pv_w": 1300.0})
    assert flow["sun"]["value"] == words.watts(1300.0)
    assert flow["house"]["value"] == words.watts(500.0)


def test_what_is_unknown_is_a_dash_and_never_a_zero() -> None:
    shown = json.dumps([part.make(*(None for _ in part.topics)) for part in PARTS])
    flow, battery = flow_of(None), battery_of(None, None, None)
    assert flow["grid"]["value"] == words.UNKNOWN
    assert flow["lines"] == {"grid": None, "inverter": None, "rectifier": None, "sun": None}
    assert battery["soc"] is None
    assert "0 W" not in shown
    assert "\u202f" not in shown  # no unit stands without its number


def test_a_silent_converter_is_not_counted_as_resting() -> None:
    unit = {"state": "running", "silent": True, "ac_w": 700.0}
    assert flow_of({"inverters": {"i": unit}})["lines"]["inverter"] is None


def test_the_battery_comes_with_its_error(house: dict[str, Any]) -> None:
    house["state"]["battery"].update(soc_pct=63.7, soc_sigma_pct=3.8, to_full_h=2.02)
    battery = battery_of(house["state"], house["battery"], house["health"])
    assert battery["soc_words"] == "64 ± 4\u202f%"
    assert (round(battery["low"], 1), round(battery["high"], 1)) == (59.9, 67.5)
    rows = {row["name"]: row["value"] for row in battery["rows"]}
    assert rows["Capacity"] == "176.4 ± 3.1\u202fAh"
    assert rows["Resistance"] == "10.1 ± 0.4\u202fmΩ"
    assert battery["outlook"].startswith("full in 2")


def test_a_cell_in_doubt_is_marked_and_does_not_stretch_the_colours(house: dict[str, Any]) -> None:
    cells = cells_of(house["cells"], house["battery"], house["health"])
    assert sum(len(module["cells"]) for module in cells["modules"]) == 108
    doubtful = [c for m in cells["modules"] for c in m["cells"] if c["suspect"]]
    assert [cell["name"] for cell in doubtful] == ["b3.7"]
    assert "neighbours" in doubtful[0]["doubt"]
    assert cells["low_v"] > 3.0
    assert cells["bleeding"] == 3


def test_every_reason_is_told_in_words(house: dict[str, Any]) -> None:
    why = why_of(house["state"])
    assert why["because"] == house["state"]["because_text"]
    assert [limit["way"] for limit in why["limits"]] == ["charge", "discharge"]
    assert all(" " in limit["because"] for limit in why["limits"])
    assert {unit["kind"] for unit in why["units"]} == {"rectifier", "inverter"}


def test_a_reason_of_a_newer_gridzero_is_shown_as_it_is() -> None:
    why = why_of({"limits": {"charge_because": "moon_is_full", "charge_w": 5.0}})
    assert why["limits"][0]["because"] == "moon is full"


def test_watt_seconds_are_ranked() -> None:
    score = score_of({"day": {"causes_ws": {"slew": 100.0, "dead_time": 300.0, "small": 0.0}}})
    assert [cause["code"] for cause in score["causes"]] == ["dead time", "slew"]
    assert [cause["share"] for cause in score["causes"]] == [75.0, 25.0]


def test_trips_come_before_warnings(house: dict[str, Any]) -> None:
    faults = faults_of(house["state"])
    assert faults[0]["acknowledge"] == "module_apart b3"
    assert faults[0]["latched"]
    assert all(fault["remedy"] for fault in faults)


def test_events_have_their_age() -> None:
    told = [Told(100.0, {"code": "meter_lost", "active": True})]
    shown = events_of(told, 190.0)[0]
    assert shown["ago"] == "1\u202fmin ago"
    assert (shown["title"], shown["way"]) == ("meter lost", "came")


def test_the_form_is_what_gridzero_says() -> None:
    form = settings_of(SETTINGS)
    assert [field["key"] for field in form["groups"][0]["fields"]] == ["mode", "power_w"]
    assert [action["key"] for action in form["actions"]] == ["restart", "identify", "unclear"]
    assert [action["dangerous"] for action in form["actions"]] == [True, False, True]
    assert may_ask(SETTINGS, "mode")
    assert may_ask(SETTINGS, "restart")
    assert not may_ask(SETTINGS, "rm -rf")
    assert not may_ask(None, "mode")


def test_a_setting_can_go_back_to_what_the_file_says() -> None:
    rows = {
        "target_w": {"kind": "number", "value": 25.0, "default": 0.0, "low": -2000, "high": 2000},
        "ev_hold": {"kind": "switch", "value": True, "default": False},
        "override_until": {"kind": "moment", "value": None, "default": None},
        "brand_new": {"kind": "text", "value": "x", "default": ""},
    }
    groups = settings_of({"settings": rows})["groups"]
    said = {one["key"]: (one["value"], one["default"]) for g in groups for one in g["fields"]}
    assert said["target_w"] == ("25", "0")
    assert said["ev_hold"] == ("on", "off")
    assert said["override_until"] == ("", "")
    assert [group["title"] for group in groups] == ["Every day", "Limits", "Override", "More"]


def test_every_setting_has_its_place_on_the_page() -> None:
    placed = [key for keys in GROUPS.values() for key in keys]
    assert sorted(placed) == sorted(SETTING_OF)


def test_energy_is_told_for_today_and_since_ever(house: dict[str, Any]) -> None:
    energy = energy_of(house["energy"])
    rows = {row["name"]: (row["today"], row["total"]) for row in energy["rows"]}
    assert rows["Sun"] == ("5.64\u202fkWh", "1.79\u202fMWh")
    assert rows["Saved by the battery"] == ("1.43", "368.30")
    assert energy["shares"][0]["words"] == "84\u202f%"
    assert not any(row["why"] for row in (*energy["rows"], *energy["shares"]))


def test_what_is_not_known_of_energy_is_explained() -> None:
    told = {"house_kwh": 2.0, "today": {"date": "2026-11-20", "house_kwh": 1.0, "unknown_h": 1.5}}
    energy = energy_of(told)
    why = {row["name"]: row["why"] for row in (*energy["rows"], *energy["shares"])}
    assert "production" in why["Sun"]
    assert "production" in why["Self-consumption"]
    assert "prices" in why["Saved by the battery"]
    assert why["House beyond the sun"] == ""
    assert energy["missing"].startswith("For 1\u202fh 30\u202fmin of today")


def test_a_day_without_figures_stands_between_the_others(house: dict[str, Any]) -> None:
    days = energy_of(house["energy"])["days"]
    assert len(days) == 8
    assert days[-1]["name"] == "today"
    assert days[-3]["words"].endswith("nothing was counted")
    assert days[-3]["grid"] is None
    used = [day for day in days if day["grid"] is not None]
    assert all(
        sum(day[key] for key in ("sun", "battery", "grid")) == pytest.approx(7.9, abs=0.01)
        for day in used
    )


@pytest.mark.parametrize("when", ["soon", "9999-99-99", "0001-01-01", None, 5])
def test_a_day_that_is_none_makes_no_bars(when: object) -> None:
    assert energy_of({"today": {"date": when}, "days": [{"date": when}]})["days"] == []


def test_modules_show_their_share_and_why_they_are_bled(house: dict[str, Any]) -> None:
    rows = modules_of(house["battery"], house["health"], house["cells"])["rows"]
    assert [row["name"] for row in rows] == sorted(house["cells"])
    assert sum(float(row["share"].split("\u202f")[0]) for row in rows) == pytest.approx(100, abs=5)
    assert rows[0]["capacity"] == "19.6 ± 0.4\u202fAh"
    assert rows[0]["resistance"] == "90.9 ± 3.0\u202fmΩ"
    assert rows[0]["balancing"]


def test_shares_of_no_current_are_unknown() -> None:
    still = {"modules": {"a1": {"current_a": 0.02}, "a2": {"current_a": -0.03}}}
    assert {row["share"] for row in modules_of(still, None, None)["rows"]} == {words.UNKNOWN}


def test_a_person_sees_what_to_look_after(house: dict[str, Any]) -> None:
    house["battery"]["charge"]["full_charge_due"] = True
    care = care_of(house["battery"], house["health"], house["state"])
    rows = {row["name"]: row["value"] for row in care["rows"]}
    assert rows["Full charge"] == "due"
    assert rows["Balancing"] == "6\u202fh 12\u202fmin left"
    assert rows["Service life left"] == "no loss is certain yet"
    assert care["tasks"][0]["sure"] == "88\u202f% sure"


def test_remaining_life_has_its_bounds() -> None:
    health = {"remaining_days": {"value": 2922, "from": 1461, "to": 4383}}
    rows = {row["name"]: row["value"] for row in care_of(None, health, None)["rows"]}
    assert rows["Service life left"] == "8.0\u202fyears (4.0\u202fyears to 12.0\u202fyears)"


def test_the_strategy_is_told_with_its_plan(house: dict[str, Any]) -> None:
    why = why_of({**house["state"], "full_charge": True})
    assert (why["strategy"], why["plan"]) == ("self use", house["state"]["plan_text"])
    assert why["lean"] == ""
    assert why["marks"] == ["full charge"]


def test_reasons_become_a_band() -> None:
    seconds: dict[str, list[float | None]] = {
        "covering_load": [60.0, 50.0, None, 0.0],
        "cell_full": [0.0, 10.0, 60.0, 0.0],
    }
    runs = list(runs_of([0.0, 60.0, 120.0, 180.0], 60.0, seconds))
    assert [(run["code"], run["from_s"], run["to_s"]) for run in runs] == [
        ("covering_load", 0.0, 120.0),
        ("cell_full", 120.0, 180.0),
    ]
    assert [run["tone"] for run in runs] == ["gives", "limit"]


def test_a_gap_ends_a_run_and_a_newer_reason_is_shown_as_it_is() -> None:
    runs = list(runs_of([0.0, 60.0, 600.0], 60.0, {"moon_is_full": [60.0, 60.0, 60.0]}))
    assert [(run["from_s"], run["to_s"]) for run in runs] == [(0.0, 120.0), (600.0, 660.0)]
    assert runs[0]["text"] == "moon is full"


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "battery",
        "limits",
        "faults",
        "chargers",
        "cells_v",
        "a3",
        "trust",
        "cells",
        "settings",
        "day",
        "causes_ws",
        "today",
        "date",
        "days",
        "balancing",
        "charge",
        "maintenance",
        "modules",
        "temps_c",
        "bleeding",
        "health_pct",
        "value",
        "actions",
    ]
)
GARBAGE = st.dictionaries(
    KEYS, JUNK | st.dictionaries(KEYS, JUNK) | st.lists(st.dictionaries(KEYS, JUNK), max_size=2)
)


@hypothesis_settings(max_examples=60)
@given(values=GARBAGE)
def test_no_garbage_stops_a_panel(values: dict[str, Any]) -> None:
    for part in PARTS:
        shown = part.make(*(values for _ in part.topics))
        assert json.dumps(shown, allow_nan=False)
    assert json.dumps(events_of([Told(0.0, values)], 5.0))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (-0.2, "0\u202fW"), (-1500.0, "−1500\u202fW"), (12_400.0, "12.4\u202fkW")],
)
def test_watts_are_read_easily(value: float | None, shown: str) -> None:
    assert words.watts(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (7.0, "7 s"), (61.0, "1 min"), (7260.0, "2 h 01 min"), (260_000.0, "3 days")],
)
def test_durations_are_read_easily(seconds: float | None, shown: str) -> None:
    assert words.duration(seconds).replace("\u202f", " ") == shown
