"""The bench's own arithmetic, without data files; with them when they lie there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridzero.bench.battery.ageing_data import Discharge, RestTable
from gridzero.bench.battery.capacity import _OneCell, capacity_sections
from gridzero.bench.battery.household import soc_at_rest
from gridzero.sim.pack import rest_v

TABLE = RestTable([(3.0, 0.0), (4.2, 1.0)])


def test_a_table_is_straight_between_points_and_ends_where_it_ends() -> None:
    assert TABLE.soc(3.6) == pytest.approx(0.5)
    assert TABLE.soc(2.0) == 0.0
    assert TABLE.soc(5.0) == 1.0


@pytest.mark.parametrize("soc", [0.1, 0.35, 0.5, 0.93])
def test_the_twin_is_read_as_it_is(soc: float) -> None:
    assert soc_at_rest(rest_v(soc)) == pytest.approx(soc, abs=1e-6)


def test_a_measured_cell_is_learned_from_one_discharge() -> None:
    hour = [(10.0 * step, 2.0 if 0 < step <= 360 else 0.0) for step in range(380)]
    cell = _OneCell(2.5, TABLE)
    learned_ah = cell.discharge(Discharge(hour, rest_v=3.12, ah=2.0))
    assert learned_ah == pytest.approx(2.0 / 0.9, rel=0.03)


def test_without_data_the_twin_alone_is_measured(tmp_path: Path) -> None:
    (section,) = (one for one in capacity_sections(tmp_path, days=0.02))
    assert len(section.rows) == 3
    assert len(section.header) == len(section.rows[0])
