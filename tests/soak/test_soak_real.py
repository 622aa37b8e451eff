"""What the real hour calls wrong; the hour itself is ``make soak-real``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from real import Result, _row, _wrong
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
