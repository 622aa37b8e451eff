"""Whole days of balancing in a shed that is used every day."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from shed import Shed

from gridzero.domain.balancing import BalanceReason, BalancingState
from gridzero.domain.trust import Blame, CellDoubt, Oddity, Trust
from gridzero.sim.pack import PackModel

PAGE = Path(__file__).parents[4] / "docs" / "balancing.md"
BEGIN, END = "<!-- days begin -->\n", "<!-- days end -->\n"
EQUAL = PackModel(capacity_spread=0.0, soc_spread=0.0)
UNEQUAL = PackModel(capacity_spread=0.02, soc_spread=0.003)


def afternoons(shed: Shed, days: int) -> list[tuple[float, float, float]]:
    """Spread of b3 at rest in V, Ah left, hours left: each afternoon at four."""
    seen: list[tuple[float, float, float]] = []

    def look(now_s: float, state: BalancingState) -> None:
        if abs(now_s % 86400.0 - 16.0 * 3600.0) < 10.0:
            seen.append((shed.spread_v("b3"), state.ah_left, state.hours_left or 0.0))

    shed.run(24.0 * days, 20.0, look)
    return seen


@pytest.mark.slow
def test_a_spread_of_a_tenth_of_a_volt_goes_below_5_mv_within_days() -> None:
    shed = Shed({"b3": {4: 0.06, 7: -0.06}}, model=UNEQUAL, soc=0.86, hour=15.5)
    assert 0.09 < shed.spread_v("b3") < 0.12
    seen = afternoons(shed, 7)
    _write(seen)
    spreads = [spread_v for spread_v, _, _ in seen]
    assert max(spreads[-2:]) < 0.005, "it gets there and stays there"
    assert spreads == pytest.approx(sorted(spreads, reverse=True), abs=0.005), "never backwards"


def test_the_forecast_of_the_first_evening_is_about_right() -> None:
    shed = Shed({"b3": {7: 0.06}}, model=EQUAL, soc=0.86, hour=15.5)
    forecast_h = shed.run(24.0, 20.0).hours_left
    assert forecast_h is not None
    hours = 0.0
    while (shed.run(1.0, 20.0).hours_left or 0.0) > 0.0:
        hours += 1.0
    assert 0.5 * forecast_h < hours < 2.0 * forecast_h


def test_weak_resistors_get_there_too_and_are_not_taken_for_a_wrong_sensor() -> None:
    weak = replace(EQUAL, bleed_ohm=110.0)
    shed = Shed({"b3": {7: 0.012}}, model=weak, soc=0.86, hour=15.5)
    before_v = shed.spread_v("b3")
    state = shed.run(3 * 24.0, 20.0)
    assert shed.spread_v("b3") < 0.25 * before_v
    assert state.modules["b3"].reason is not BalanceReason.NO_END


def _misread(estimate_v: float) -> Trust:
    doubt = CellDoubt(
        module="b3",
        cell=7,
        oddity=Oddity.OFFSET,
        blame=Blame.SENSOR,
        reading_v=2.58,
        estimate_v=estimate_v,
        within_v=0.02,
        text="b3.7 reads 2.58 V though it is not",
    )
    return Trust(cells={doubt.name: doubt})


@pytest.mark.parametrize("offset_v", [-1.2, 0.4], ids=["reads low", "reads high"])
def test_a_misread_cell_makes_nobody_bleed_and_is_not_bled(offset_v: float) -> None:
    shed = Shed(
        {"a1": {4: 0.06}, "b3": {2: 0.06}},
        model=EQUAL,
        soc=0.86,
        hour=15.5,
        trust=_misread(3.9),
        own_sigma=0.0,
        misread_v={"b3.7": offset_v},
    )
    shed.run(24.0, 20.0)
    assert shed.bled == {"a1.4", "b3.2"}


def test_a_module_with_an_open_doubt_is_left_alone_for_days() -> None:
    doubted = Trust(apart={"b3": "b3 is 1.2 V below the others"})
    shed = Shed({"b3": {7: 0.1}}, model=EQUAL, soc=0.86, hour=15.5, trust=doubted)
    state = shed.run(24.0, 20.0)
    assert shed.bled == set()
    assert state.modules["b3"].reason is BalanceReason.DOUBT


def _write(seen: list[tuple[float, float, float]]) -> None:
    """The table of docs/balancing.md, on demand."""
    if not os.environ.get("GRIDZERO_WRITE_DOCS"):
        return
    head, rest = PAGE.read_text().split(BEGIN)
    lines = [
        "| day | spread, mV | left, Ah | left, h |",
        "|---|---|---|---|",
        *(
            f"| {day} | {1e3 * spread_v:.1f} | {ah:.2f} | {hours:.0f} |"
            for day, (spread_v, ah, hours) in enumerate(seen)
        ),
    ]
    PAGE.write_text(head + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1])
