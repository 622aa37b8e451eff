"""The day of the bench: two lives of the process, and every counter beside the truth."""

from __future__ import annotations

import json

import pytest

from gridzero.bench.day import day as bench_day
from gridzero.bench.day.story import RESTART, Change
from gridzero.cli import main


@pytest.mark.slow
def test_counters_survive_a_restart_and_no_setting_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    story = (
        Change(0.02, "ramp_w_per_s", "50"),
        Change(0.03, RESTART),
        Change(0.04, "peak_w", "100"),
        Change(0.04, "strategy", "peak_shave"),
        Change(0.04, "override_until", "0.05"),
    )
    monkeypatch.setattr(bench_day, "STORY", story)
    assert main(["bench", "day", "--hours", "0.06", "--modules", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lives"] == 2
    assert [spell["what"] for spell in found["spells"]] == [
        "start",
        "ramp_w_per_s 50",
        "start",
        "peak_w 100, strategy peak_shave, override_until 0.05",
    ]
    given = found["counters"]["battery_discharged_kwh"]
    assert given["true_kwh"] > 0.002
    assert given["counted_kwh"] == pytest.approx(given["true_kwh"], rel=0.03)


@pytest.mark.parametrize("wrong", [("--hours", "25"), ("--hours", "0"), ("--modules", "12")])
def test_what_is_no_day_is_refused(wrong: tuple[str, str]) -> None:
    assert main(["bench", "day", *wrong]) == 2
