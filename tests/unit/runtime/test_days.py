"""Local days, by the time zone of the machine where none is given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from math import inf, nan

import pytest

from gridzero.domain.days import begins, day_of


@pytest.fixture
def in_auckland(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_auckland")
def test_a_day_is_that_of_the_machine() -> None:
    noon_s = datetime(2026, 6, 30, 12, 0, tzinfo=UTC).timestamp()
    assert day_of(noon_s) == date(2026, 7, 1)
    assert begins(date(2026, 7, 1)).isoformat() == "2026-07-01T00:00:00+12:00"
    assert begins(date(2026, 1, 1)).isoformat() == "2026-01-01T00:00:00+13:00"


@pytest.mark.parametrize("utc_s", [0.0, -1.0, 1_703_000_000.0, 1e12, nan, inf, -inf])
def test_a_clock_that_is_clearly_wrong_gives_no_day(utc_s: float) -> None:
    assert day_of(utc_s, UTC) is None
