"""The whole battery logic over simulated days; few cells, because each step is the real thing."""

from __future__ import annotations

import json

import pytest

from gridzero.bench.battery.whole import live
from gridzero.bench.battery.whole_house import DAY_S, Days, Life
from gridzero.bench.battery.whole_truth import learned, rms, usable, within
from gridzero.cli import main

FEW = {"b1": 4}
UNLEVEL = {("b1", 2): 0.03, ("b1", 3): -0.02}


@pytest.mark.slow
def test_a_morning_with_a_restart_at_noon_is_understood() -> None:
    life = Life(modules=FEW, own_curve=True, unlevel=UNLEVEL, restarts=True, step_s=5.0)
    house, truth = live(life, 0.6)
    late = [one for one in truth.told if one.at_s > DAY_S / 4.0]
    assert rms(one.error for one in late) < 0.015
    assert within(late) > 0.95
    assert truth.bled_ah > 0.2, "a resistor takes 0.1 A"
    assert truth.vain_ah < 0.1 * truth.bled_ah
    assert rms(truth.temp_errors_c) < 1.0
    assert not truth.alarms
    assert not truth.doubts
    assert not house.refused
    assert house.battery.health().days == pytest.approx(house.now_s / DAY_S, abs=0.001)
    assert abs(learned(house).usable or 99.0) < 5.0, "0 is suspicious, too"


def test_the_truth_is_between_the_first_empty_and_the_first_full_cell() -> None:
    level = usable(Days(Life(modules=FEW, capacity_spread=0.0)))[1]
    unlevel = usable(Days(Life(modules=FEW, capacity_spread=0.0, unlevel={("b1", 1): 0.1})))[1]
    assert level - 2.6 < unlevel < level - 1.5, "a tenth of 25 Ah, less what was unlevel before"


def test_a_cell_that_leaks_or_is_small_is_so_in_the_pack() -> None:
    life = Life(modules=FEW, small={("b1", 1): 0.8}, leaks_ma={("b1", 2): 4000.0})
    house = Days(life)
    before = house.pack.cell_soc("b1")
    for _ in range(90):
        house.step()
    after = house.pack.cell_soc("b1")
    assert house.pack.cell_ah("b1")[0] < 0.9 * house.pack.cell_ah("b1")[2]
    lost = [b - a for a, b in zip(after, before, strict=True)]
    assert lost[1] - lost[2] == pytest.approx(4.0 * 0.1 / 25.0, rel=0.1)


def test_the_section_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "battery", "--quick", "--only", "whole", "--json"]) == 0
    (section,) = json.loads(capsys.readouterr().out)["sections"]
    (figures,) = section["figures"].values()
    assert 0.0 <= figures["soc_rms_percent"] < 5.0
    assert figures["alarms"] == {}


@pytest.mark.parametrize("days", ["0", "-1", "nan", "many"])
def test_no_days_are_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "battery", "--days", days]) == 2
    assert "is not a number of days" in capsys.readouterr().err
