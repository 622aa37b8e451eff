"""What the panels make is what was told last, for a while."""

from __future__ import annotations

import asyncio

import pytest

from gridzero.ports.clock import LoopClock
from gridzero.runtime.production import Production


async def test_a_power_holds_for_a_while() -> None:
    production = Production(LoopClock(), scale=1000.0, hold_s=60.0)
    assert production.power_w() is None
    production.take(" 1.5 ")
    assert production.power_w() == 1500.0
    await asyncio.sleep(59.0)
    assert production.power_w() == 1500.0
    await asyncio.sleep(2.0)
    assert production.power_w() is None


async def test_what_they_draw_at_night_is_nothing_made() -> None:
    production = Production(LoopClock())
    production.take("-7")
    assert production.power_w() == 0.0


@pytest.mark.parametrize("text", ["", "unavailable", "nan", "inf", "1e30", "{}"])
async def test_what_is_no_power_makes_it_unknown(text: str) -> None:
    production = Production(LoopClock())
    production.take("800")
    production.take(text)
    assert production.power_w() is None
