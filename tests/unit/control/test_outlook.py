"""Where the state of charge is heading: what was told, else what the last days showed."""

from __future__ import annotations

import pytest

from gridzero.control.outlook import OutlookWatch
from gridzero.domain.reasons import Because
from gridzero.domain.value import Outlook

HOUR_S = 3600.0
FREE = Because.CURRENT_LIMIT


def seen(*moments: tuple[float, Because, Because]) -> OutlookWatch:
    """(hour, charge_because, discharge_because)"""
    watch = OutlookWatch()
    for hour, charge, discharge in moments:
        watch.note(hour * HOUR_S, charge, discharge)
    return watch


def test_nothing_is_known_at_first() -> None:
    assert seen().at(0.0) is Outlook.UNKNOWN
    assert seen((1, FREE, Because.INVERTER_MAXIMUM)).at(HOUR_S) is Outlook.UNKNOWN


@pytest.mark.parametrize("because", [Because.CELL_LOW, Because.CELL_EMPTY, Because.CELL_UNDER])
def test_a_battery_that_was_empty_of_late_runs_empty(because: Because) -> None:
    watch = seen((1, FREE, because))
    assert watch.at(1 * HOUR_S) is Outlook.EMPTYING
    assert watch.at(36.9 * HOUR_S) is Outlook.EMPTYING
    assert watch.at(37 * HOUR_S) is Outlook.UNKNOWN


@pytest.mark.parametrize("because", [Because.CELL_HIGH, Because.CELL_FULL, Because.CELL_OVER])
def test_a_battery_that_was_full_of_late_fills(because: Because) -> None:
    watch = seen((1, because, FREE))
    assert watch.at(2 * HOUR_S) is Outlook.FILLING
    assert watch.at(37 * HOUR_S) is Outlook.UNKNOWN


def test_a_battery_that_does_both_each_day_says_nothing() -> None:
    watch = seen((6, FREE, Because.CELL_EMPTY), (14, Because.CELL_FULL, FREE))
    assert watch.at(15 * HOUR_S) is Outlook.UNKNOWN
    assert watch.at(43 * HOUR_S) is Outlook.FILLING, "it was not empty since"


def test_what_is_told_holds_for_a_day() -> None:
    watch = seen((0, FREE, Because.CELL_EMPTY))
    watch.tell(Outlook.FILLING, HOUR_S)
    assert watch.at(2 * HOUR_S) is Outlook.FILLING
    assert watch.at(24.9 * HOUR_S) is Outlook.FILLING
    assert watch.at(25 * HOUR_S) is Outlook.EMPTYING
    assert not watch.is_told(25 * HOUR_S)


def test_unknown_can_be_told_and_taken_back() -> None:
    watch = seen((0, Because.CELL_FULL, FREE))
    watch.tell(Outlook.UNKNOWN, 0.0)
    assert watch.at(HOUR_S) is Outlook.UNKNOWN
    watch.tell(None, HOUR_S)
    assert watch.at(HOUR_S) is Outlook.FILLING
