"""What the words say: text made of what was heard, nothing else."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from console_house import EVERYTHING, House
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.outputs.console import say_battery, say_counters, say_energy, say_lists, say_state
from gridzero.outputs.console.dig import Heard
from gridzero.outputs.console.paint import Line, clean, cut, figure, plain, wrapped
from gridzero.outputs.console.screen import Shown, screen
from gridzero.outputs.console.telnet import Window
from gridzero.outputs.console.words import WORDS, help_of, overview
from gridzero.ports.clock import LoopClock

Text = Callable[[Heard], list[Line]]
TEXTS: dict[str, Text] = {
    "status": say_state.status,
    "why": say_state.why,
    "limits": say_state.limits,
    "score": say_counters.score,
    "energy": say_energy.energy,
    "cells": say_battery.cells,
    "modules": say_battery.modules,
    "battery": say_battery.battery,
    "balance": say_battery.balancing,
    "health": say_battery.health,
    "faults": say_lists.faults,
    "settings": say_lists.settings,
}


class Told:
    """What was heard, as a test wants it."""

    def __init__(self, topics: dict[str, Any], age_s: float = 0.2) -> None:
        self.is_online: bool | None = True
        self._topics, self._age_s = topics, age_s

    def latest(self, topic: str) -> Any:
        return self._topics.get(topic)

    def age_s(self, topic: str) -> float:
        return self._age_s


def text(name: str, heard: Heard) -> str:
    return plain(TEXTS[name](heard))


async def test_what_comes_over_the_broker_is_shown() -> None:
    house = House(LoopClock())
    house.say_all()
    await asyncio.sleep(0.1)
    status = text("status", house.feed)
    assert "online   mode auto, target 0 W" in status
    assert "+12 W" in status
    assert "discharges 420 W   charge 54 % +-1.2   empty in 9.5 h" in status
    assert "fan_failed rectifier  the fan stands still" in status
    assert "discharge is limited: the lowest cell comes near empty" in text("why", house.feed)
    assert "Clean it" in text("faults", house.feed)
    assert "2.0 Wh  the change was not yet seen" in text("score", house.feed)
    assert "bought from the grid                  1.25       12.50  kWh" in text(
        "energy", house.feed
    )
    assert "has worked 4 h, 4 starts" in text("energy", house.feed)
    assert "91 +-2 % of nominal" in text("health", house.feed)
    assert "bleeds 12" in text("balance", house.feed)
    assert "heater on" in text("battery", house.feed)


def test_of_energy_only_what_is_known_and_not_nothing_is_shown() -> None:
    young = {"grid_import_kwh": 0.0, "savings_ct": None, "known_h": 0.05, "unknown_h": 0.0}
    assert text("energy", Told({"energy": young | {"today": young}})) == (
        "nothing to speak of has been counted yet\ncounted for 3 min"
    )
    later = young | {"grid_import_kwh": 1.5, "new_kwh": 2.0, "unknown_h": 2.0}
    assert text("energy", Told({"energy": later})).splitlines() == [
        "                                     today  since ever",
        "bought from the grid                              1.50  kWh",
        "new                                               2.00  kWh",
        "counted for 3 min; not for 2 h without a meter",
    ]


def test_modules_that_all_wait_for_the_same_are_one_row() -> None:
    waits = {"cells": [], "ah_left": 0.0, "reason_text": "waits until the battery is fuller"}
    told = {"balancing": {"ah_left": 0.0, "modules": {"a3": waits, "b1": waits}}}
    assert text("balance", Told({"battery": told})).splitlines() == [
        "0.00 Ah to bleed",
        "none is bled  waits until the battery is fuller",
    ]
    told["balancing"]["modules"] = {"a3": waits, "b1": waits | {"ah_left": 0.2}}
    assert len(text("balance", Told({"battery": told})).splitlines()) == 3


def test_limits_name_settings_only_where_a_person_changed_them() -> None:
    settings_told = {"max_soc_pct": {"value": 80.0, "default": 100.0, "title": "Highest charge"}}
    untouched = {"min_soc_pct": {"value": 0.0, "default": 0.0, "title": "Lowest charge"}}
    told = EVERYTHING | {"settings": {"settings": settings_told | untouched}}
    assert "you set     highest charge 80" in text("limits", Told(told))
    assert "lowest charge" not in text("limits", Told(told))


def test_a_reason_that_is_newer_than_the_console_is_shown_as_it_is() -> None:
    state = {"limits": {"charge_w": 100.0, "charge_because": "moon_phase"}}
    assert "moon phase" in text("limits", Told({"state": state}))


def test_cells_show_their_marks() -> None:
    rows = text("cells", Told(EVERYTHING)).splitlines()
    assert "3703?" in rows[1]
    assert "3711b" in rows[1]
    assert "15..18" in rows[1]
    assert "3690*" in rows[2]
    assert rows[2].count("--") == 12


@pytest.mark.parametrize("name", TEXTS)
def test_before_anything_is_heard_it_is_said_so(name: str) -> None:
    said = text(name, Told({}))
    assert "not heard yet" in said
    assert "0 W" not in said


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_old_says_how_old(name: str) -> None:
    assert "says nothing; this is 2 h old" in text(name, Told(EVERYTHING, age_s=7300.0))


def test_offline_is_said() -> None:
    heard = Told(EVERYTHING, age_s=90.0)
    heard.is_online = False
    assert "gridzero is offline; this is 90 s old" in text("status", heard)


@pytest.mark.parametrize("name", TEXTS)
def test_every_row_fits_eighty_columns(name: str) -> None:
    rows = [row for one in TEXTS[name](Told(EVERYTHING)) for row in wrapped(one, 80, 10)]
    assert rows
    assert all(len(plain([row])) <= 80 for row in rows)


def forgotten(tree: Any) -> Any:
    """Every value unknown."""
    if isinstance(tree, dict):
        return {key: forgotten(value) for key, value in tree.items()}
    return [] if isinstance(tree, list) else None


@pytest.mark.parametrize("name", TEXTS)
def test_unknown_is_never_shown_as_zero(name: str) -> None:
    said = text(name, Told(forgotten(copy.deepcopy(EVERYTHING))))
    assert " 0 W" not in said
    assert "0.0" not in said
    assert "None" not in said


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below),
    max_leaves=6,
)


def swapped(tree: Any, draw: Callable[[], Any]) -> Any:
    """The tree with some members replaced by anything."""
    if isinstance(tree, dict):
        return {key: swapped(value, draw) for key, value in tree.items()}
    strange = draw()
    return tree if strange is ... else strange


@given(st.data())
@settings(max_examples=6)
def test_whatever_is_heard_no_word_breaks(data: st.DataObject) -> None:
    strange = st.just(...) | st.just(...) | JSON
    topics = {
        name: swapped(topic, lambda: data.draw(strange)) for name, topic in EVERYTHING.items()
    }
    heard = Told(topics)
    for name in TEXTS:
        assert text(name, heard).isascii()
    shown = screen(heard, Window(80, 24), Shown("12:00:00Z"))
    assert len(shown) == 24


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_no_text_commands_a_terminal(told: str) -> None:
    assert clean(told).isascii()
    assert not any(char < " " or char == "\x7f" for char in clean(told))


def test_known_signs_become_words() -> None:
    assert clean("49 \u00b13 % \u2192 5 \u00b0C \x1b[2J") == "49 +-3 % -> 5  degC ?[2J"


@given(st.text(alphabet="ab \u00e9", max_size=80), st.integers(12, 40))
@settings(max_examples=60)
def test_wrapping_loses_no_word(told: str, width: int) -> None:
    rows = wrapped([("", told)], width, 4)
    assert all(len(plain([row])) <= width for row in rows)
    assert plain(rows).replace(" ", "").replace("\n", "") == clean(told).replace(" ", "")


@pytest.mark.parametrize(("columns", "rows"), [(20, 4), (40, 12), (80, 24), (132, 50), (300, 120)])
def test_the_screen_fills_its_window_and_no_more(columns: int, rows: int) -> None:
    shown = screen(Told(EVERYTHING), Window(columns, rows), Shown("12:00:00Z"))
    assert len(shown) == rows
    assert all(sum(len(part) for _, part in cut(row, columns)) <= columns for row in shown)
    assert "12:00:00Z" in plain(shown[:1])


def test_the_screen_says_when_there_is_no_news() -> None:
    shown = plain(screen(Told(EVERYTHING, age_s=20.0), Window(80, 24), Shown("12:00:00Z")))
    assert "NO NEWS" in shown
    assert "this is 20 s old" in shown


def test_a_large_window_has_room_for_the_cells() -> None:
    assert "b2   3690*" in plain(screen(Told(EVERYTHING), Window(80, 40), Shown("")))
    assert "b2   3690*" not in plain(screen(Told(EVERYTHING), Window(80, 16), Shown("")))


def test_figures() -> None:
    assert figure(None, 1, "W") == "unknown"
    assert figure(float("nan")) == "unknown"
    assert figure(-0.2, 0, "W", signed=True) == "0 W"
    assert figure(-1234.5, 0, "W", signed=True) == "-1 234 W"


def test_help_has_every_word_on_one_row() -> None:
    rows = plain(overview()).splitlines()
    assert [row.split()[0] for row in rows[: len(WORDS)]] == [one.name for one in WORDS]
    assert all(len(row) <= 80 for row in rows)
    assert all(help_of(one) for one in WORDS)


def test_events_know_what_is_over_and_what_was_only_told() -> None:
    log = say_lists.EventLog(3)
    at = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    fault = {"code": "meter_silent", "subject": "meter", "severity": "fault", "text": "no word"}
    log.take({**fault, "active": True}, at)
    log.take({**fault, "active": False}, at)
    log.take({"code": "setting_refused", "subject": "mode", "active": False, "text": "no"}, at)
    came, went, told = plain(say_lists.events(log.events)).splitlines()
    assert came == "12:00:00Z meter_silent meter  no word"
    assert went == "12:00:00Z meter_silent meter  is over  no word"
    assert told == "12:00:00Z setting_refused mode  no"
