from __future__ import annotations

from array import array
from dataclasses import replace

import pytest

from gridzero.bench.control.laws.law import LawRow, Setting
from gridzero.bench.control.plants import METERS, PLANTS, MeterRow
from gridzero.bench.control.simulate import simulate
from gridzero.bench.control.traces import Trace

QUIET = MeterRow(name="test", jitter_s=0.0, noise_w=0.0)


class Listener:
    """A law that only writes down what it hears."""

    timer_s: float | None = None

    def __init__(self) -> None:
        self.heard: list[tuple[float, float]] = []

    def on_meter(self, now_s: float, grid_w: float) -> None:
        self.heard.append((now_s, grid_w))

    def command(self, _now_s: float) -> float:
        return 0.0


def heard(meter: MeterRow, seconds: float = 600.0) -> list[tuple[float, float]]:
    """A load that grows by 1 W per 0.1 s tells the age of every reading."""
    law = Listener()
    trace = Trace("growing", array("d", map(float, range(round(seconds * 10)))))
    setting = Setting(PLANTS["discharge"], meter, trace)
    simulate(LawRow("listener", "", "", lambda _setting: law), setting, seed=1)
    return law.heard


def ages_s(readings: list[tuple[float, float]]) -> list[float]:
    return [at_s - grid_w * 0.1 for at_s, grid_w in readings]


def test_a_good_meter_says_everything_once_and_in_time() -> None:
    readings = heard(QUIET)
    assert len(readings) == 1200
    assert ages_s(readings) == pytest.approx([0.3] * 1200)


def test_a_lossy_meter_loses_and_repeats() -> None:
    lost = heard(replace(QUIET, lost=0.2))
    assert len(lost) == pytest.approx(960, abs=60)
    twice = heard(replace(QUIET, repeated=0.1))
    values = [grid_w for _, grid_w in twice]
    assert len(values) - len(set(values)) == pytest.approx(120, abs=40)


def test_late_messages_come_in_order_unless_they_are_shuffled() -> None:
    late = replace(QUIET, jitter_s=1.8)
    in_order = [grid_w for _, grid_w in heard(late)]
    assert in_order == sorted(in_order)
    shuffled = [grid_w for _, grid_w in heard(replace(late, in_order=False))]
    assert shuffled != sorted(shuffled)
    assert max(ages_s(heard(late))) <= 2.1 + 1e-6


def test_a_spiky_meter_is_wrong_once_in_two_minutes() -> None:
    spiky = heard(replace(QUIET, spike_every_s=120.0), seconds=7200.0)
    truth = heard(QUIET, seconds=7200.0)
    wrong = [b - a for (_, a), (_, b) in zip(truth, spiky, strict=True) if a != b]
    assert len(wrong) == pytest.approx(60, abs=25)
    zeros = [value for (_, value) in spiky[10:] if value == 0.0]
    assert {2000.0, -2000.0} <= set(wrong)
    assert len(zeros) > 5


def test_what_befalls_a_message_does_not_change_the_noise() -> None:
    noisy = replace(QUIET, noise_w=5.0)
    whole = {round(grid_w) for _, grid_w in heard(noisy)}
    assert {round(grid_w) for _, grid_w in heard(replace(noisy, lost=0.3))} < whole


@pytest.mark.parametrize("name", METERS)
def test_a_meter_says_in_words_what_it_does(name: str) -> None:
    row = METERS[name]
    assert f"every {row.period_s:g} s" in row.summary
    assert ("wrong" in row.summary) is bool(row.spike_every_s)
    assert ("lost" in row.summary) is bool(row.lost)
