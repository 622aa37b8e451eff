"""A trial lies over mode hold for some seconds and changes no setting."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.settings import LONGEST_TRIAL_S, MOST_TRIAL_W
from gridzero.ports.clock import LoopClock
from gridzero.runtime.settings import SettingRefused, Settings
from gridzero.runtime.stores import MemoryStore
from gridzero.runtime.trial import Trial, _parsed

HOLD = Wanted(mode=Mode.HOLD, power_w=900.0, max_charge_w=400.0)


def trial(wanted: Wanted = HOLD) -> Trial:
    return Trial(Settings(wanted, MemoryStore()), LoopClock())


async def test_it_lies_over_the_settings_and_ends_by_itself() -> None:
    one = trial()
    assert one.wanted(HOLD) is HOLD
    assert "300 W for 10 s" in one.ask("charge 300 10")
    seen = one.wanted(HOLD)
    assert seen == replace(HOLD, mode=Mode.CHARGE, power_w=300.0)
    await asyncio.sleep(9.0)
    one.ask("charge 300 10")
    await asyncio.sleep(9.0)
    assert one.left_s == pytest.approx(1.0)
    await asyncio.sleep(1.5)
    assert one.left_s is None
    assert one.wanted(HOLD) is HOLD


async def test_stop_ends_it_at_once() -> None:
    one = trial()
    assert one.ask("stop") == "no trial was going on"
    one.ask("discharge 200 10")
    assert one.ask(" STOP ") == "the trial is over"
    assert one.wanted(HOLD) is HOLD


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.HOLD])
async def test_it_is_refused_in_any_other_mode(mode: Mode) -> None:
    with pytest.raises(SettingRefused, match=f"the mode is {mode.value}, not hold"):
        trial(replace(HOLD, mode=mode)).ask("charge 300 10")
    with pytest.raises(SettingRefused, match="maintenance"):
        trial(replace(HOLD, maintenance=True)).ask("charge 300 10")


async def test_another_mode_ends_it() -> None:
    one = trial()
    one.ask("charge 300 10")
    auto = replace(HOLD, mode=Mode.AUTO)
    assert one.wanted(auto) is auto
    assert one.wanted(HOLD) is HOLD, "it does not come back"


@pytest.mark.parametrize(
    "words",
    [
        *("", "yes", "charge", "charge 300", "charge 501 10", "charge 300 16", "charge nan 10"),
        *("charge 300 inf", "charge -1 10", "hold 1 1", "charge 300 10 10", "charge 0 5"),
    ],
)
async def test_anything_else_is_refused_with_what_to_send(words: str) -> None:
    one = trial()
    with pytest.raises(SettingRefused, match="charge 300 10"):
        one.ask(words)
    assert one.left_s is None


@given(st.text(max_size=60) | st.from_regex(r"(dis)?charge [-0-9.e]{1,6} [-0-9.e]{1,6}"))
def test_no_words_lead_beyond_the_bounds(words: str) -> None:
    try:
        mode, power_w, seconds = _parsed(words)
    except SettingRefused:
        return
    assert mode in {Mode.CHARGE, Mode.DISCHARGE}
    assert 0.0 < power_w <= MOST_TRIAL_W
    assert 0.0 < seconds <= LONGEST_TRIAL_S
