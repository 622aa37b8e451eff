"""What the real hour calls wrong; the hour itself is ``make soak-real``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from real import Result, _growth, _row, _wrong
from real_processes import Size
from real_troubles import AGAIN, ONCE, Trouble

BROKER = next(row for row in AGAIN if row.name == "mosquitto killed")


def seen(
    trouble: Trouble = BROKER,
    noticed_s: float | None = 1.0,
    zero_s: float | None = 9.0,
    healed_s: float | None = 2.0,
    power_s: float | None = 3.0,
) -> str:
    return _wrong(trouble, trouble.zero_s, noticed_s, zero_s, healed_s, power_s)


def test_what_heals_in_time_is_right_and_everything_else_is_named() -> None:
    assert seen() == ""
    assert "went on" in seen(zero_s=None)
    assert "went on" in seen(zero_s=14.5)
    assert seen(noticed_s=None) == "not told"
    assert "no power" in seen(power_s=None)
    assert "not healed" in seen(healed_s=None)
    assert "not healed" in seen(healed_s=9.5)


@pytest.mark.parametrize("row", [*ONCE, *AGAIN], ids=lambda row: row.name)
def test_each_trouble_fits_into_its_minute(row: Trouble) -> None:
    assert row.for_s <= 20.0
    assert (row.zero_s or 0.0) < 45.0
    assert row.healed or row.heals_s is None


def test_a_row_shows_what_was_not_seen_as_such() -> None:
    row = _row(Result("x", None, 1.25, None, 3.0, "why"))
    assert row.split() == ["x", "-", "1.2", "s", "-", "3.0", "s", "why"]


def life(minutes: int, kb_of: Callable[[float], float]) -> list[Size]:
    """Of one process, looked at each 10 s."""
    ages = [10.0 * number for number in range(6 * minutes)]
    return [Size(1000.0 + age_s, 7, kb_of(age_s / 60.0), 0.0, 8, 16, 0.1 * age_s) for age_s in ages]


def test_what_settles_does_not_grow_and_what_goes_on_does() -> None:
    settles = life(45, lambda minute: 64_000.0 + 2000.0 * min(minute, 20.0) / 20.0)
    goes_on = life(45, lambda minute: 64_000.0 + 100.0 * minute)
    runs_away = life(10, lambda minute: 64_000.0 + 500.0 * minute)
    young = life(10, lambda minute: 64_000.0 + 100.0 * minute)
    assert _growth({"a": settles, "b": young, "c": []}) == []
    assert _growth({"a": goes_on}) == ["a grows by 100 kB a minute"]
    assert _growth({"a": runs_away}) == ["a grows by 500 kB a minute"]


def test_a_process_that_was_killed_does_not_count() -> None:
    before = [
        size._replace(pid=1, at_s=size.at_s - 5000.0) for size in life(45, lambda _: 20_000.0)
    ]
    assert _growth({"a": before + life(20, lambda _: 64_000.0)}) == []


@pytest.mark.real_time
def test_it_does_not_touch_a_machine_that_is_no_guest(tmp_path: Path) -> None:
    file = Path(__file__).with_name("real.py")
    done = subprocess.run(
        [sys.executable, str(file), "--keep", str(tmp_path / "kept")],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 2
    assert "guest" in done.stdout
    assert not (tmp_path / "kept").exists()
