"""Whether a full charge is due."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.battery.last_full import LastFull

DAY_S = 86_400.0


def test_it_is_due_after_so_many_days_without_one() -> None:
    full = LastFull(30.0)
    full.note(1000.0, is_full=False)
    assert (full.ago_s, full.is_due) == (None, False)
    due = []
    for days in (29, 30):
        full.note(1000.0 + days * DAY_S, is_full=False)
        due.append(full.is_due)
    assert due == [False, True]
    full.note(1100.0 + 30 * DAY_S, is_full=True)
    assert (full.ago_s, full.is_due) == (0.0, False)


def test_it_is_remembered_over_a_restart_with_the_time_between() -> None:
    full = LastFull(30.0)
    full.note(0.0, is_full=True)
    full.note(10 * DAY_S, is_full=False)
    again = LastFull(30.0)
    again.restore(json.loads(json.dumps(full.to_dict())), 15 * DAY_S)
    again.note(7.0, is_full=False)
    assert again.ago_s == pytest.approx(25 * DAY_S)
    before = again.is_due
    again.note(7.0 + 5 * DAY_S, is_full=False)
    assert (before, again.is_due) == (False, True)


def test_one_that_was_never_seen_full_is_watched_on() -> None:
    full = LastFull(30.0)
    full.note(0.0, is_full=False)
    full.note(20 * DAY_S, is_full=False)
    again = LastFull(30.0)
    again.restore(full.to_dict(), 11 * DAY_S)
    again.note(0.0, is_full=False)
    assert (again.ago_s, again.is_due) == (None, True)


@given(
    st.dictionaries(
        st.sampled_from(["ago_s", "watched_s"]), st.none() | st.floats() | st.text() | st.booleans()
    )
)
def test_what_is_no_time_is_left_out(stored: dict[str, object]) -> None:
    full = LastFull(30.0)
    full.restore(stored, 5.0)
    full.note(50.0, is_full=False)
    assert full.ago_s is None or full.ago_s >= 0.0
