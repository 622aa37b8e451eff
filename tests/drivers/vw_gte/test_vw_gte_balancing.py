from __future__ import annotations

from gridzero_drivers.vw_gte.balancing import BleedOrder, Mismatch
from gridzero_drivers.vw_gte.options import Member

MODULE = Member("a", 5, 13, "standard")


def test_a_stop_is_said_three_times_where_no_status_tells_that_it_was_heard() -> None:
    order = BleedOrder(MODULE, 16)
    order.ask(1, until_s=10.0)
    said = []
    for half_seconds in range(200):
        now_s = half_seconds / 2
        cells = order.due(now_s, 0)
        if cells is not None:
            order.was_sent(cells, now_s)
            said.append((now_s, cells))
    assert said == [
        *((at_s, 1) for at_s in (0.0, 2.5, 5.0, 7.5, 10.0)),
        *((at_s, 0) for at_s in (10.5, 13.0, 15.5)),
    ]


def test_a_cell_that_never_obeys_is_found_among_cells_that_change() -> None:
    mismatch = Mismatch()
    verdicts = [mismatch.is_lasting(0b100 | 1 << count % 2, 0, count) for count in range(8)]
    assert verdicts == [False] * 6 + [True] * 2


def test_cells_that_only_take_turns_are_no_mismatch() -> None:
    mismatch = Mismatch()
    turns = (0b011, 0b110, 0b101)
    assert not any(mismatch.is_lasting(turns[count % 3], 0, count) for count in range(20))


def test_a_gap_in_the_status_starts_anew() -> None:
    mismatch = Mismatch()
    verdicts = [mismatch.is_lasting(1, 0, at_s) for at_s in (0, 1, 12, 13, 16.9)]
    assert not any(verdicts)
    assert mismatch.is_lasting(1, 0, 17.1)
