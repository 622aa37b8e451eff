"""``gridzero commission`` at a simulated house: every line when it is well, and when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from commission_person import Day, Reply, commissioning, contactors

from gridzero.commission.house import LEASE_S, House, NotThere
from gridzero.commission.kept import KeptResults
from gridzero.commission.person import Left
from gridzero.commission.result import Outcome
from gridzero.commission.sheet import is_done, sheet
from gridzero.commission.steps import STEPS
from gridzero.commission.walk import open_steps, walk
from gridzero.domain.modes import Mode
from gridzero.links.memory import MemoryBroker


@pytest.mark.slow
async def test_a_good_house_passes_every_line(tmp_path: Path) -> None:
    kept = KeptResults(tmp_path / "commissioning.json")
    async with commissioning(contactors(tmp_path)) as day:
        await walk(day.bench, kept, STEPS)
        assert [one.result for one in kept.results.values() if one.result.mend] == []
        assert is_done(kept.results)
        wanted = day.story.site.app.site.settings.wanted
        assert (wanted.mode, wanted.power_w) == (Mode.HOLD, 0.0)
        assert day.story.site.app.site.trial.left_s is None
        assert not [e for e in day.story.events if e.code == "setting_refused"]
    again = KeptResults(tmp_path / "commissioning.json")
    assert again.results == kept.results
    assert open_steps(again) == []
    assert sheet(again.results, "x").count("[x]") == len(STEPS) + 1


KETTLE_BACKWARDS = "feeds"
Break = Callable[[Day], object]
Case = tuple[str, Break, dict[str, Reply], str]
CASES: dict[str, Case] = {
    "a module is missing": ("modules", lambda _: 0, {"How many": "4"}, "name exactly the modules"),
    "a module is silent": (
        "modules",
        lambda day: day.story.twin["battery"].silent.add(3),
        {},
        "module_silent",
    ),
    "nobody counted": ("modules", lambda _: 0, {"How many": "skip"}, ""),
    "a cell reads too high": (
        "modules",
        lambda day: day.story.twin["battery"].misread.update({(3, 5): 4.3}),
        {},
        "",
    ),
    "modules apart": (
        "apart",
        lambda day: day.story.twin["battery"].offset_v.update({(3, n): 0.03 for n in range(1, 13)}),
        {},
        "through a resistor",
    ),
    "a sense wire is off": ("cells", lambda _: 0, {"Volts at": "3,80"}, "sense wire"),
    "the meter's sign is wrong": (
        "meter",
        lambda _: 0,
        {"kettle on": KETTLE_BACKWARDS},
        "The sign is wrong",
    ),
    "the meter does not see the kettle": ("meter", lambda _: 0, {"kettle on": ""}, "all phases"),
    "the shunt is off": (
        "shunt_zero",
        lambda day: setattr(day.story.twin["shunt"], "extra_a", 0.75),
        {},
        "zero_a: 0.",
    ),
    "the shunt is the other way round": (
        "shunt_sign",
        lambda day: setattr(day.story.twin["shunt"], "reversed", True),
        {},
        "invert: true",
    ),
    "the clamp meter says something else": ("shunt_sign", lambda _: 0, {"clamp": "12"}, "rated_a"),
    "the rectifier is dead": (
        "shunt_sign",
        lambda day: setattr(day.story.twin["rectifier"], "silent", True),
        {},
        "console why",
    ),
    "the rectifier charges in silence": ("rectifier_silence", lambda _: 0, {}, "Never without"),
    "the wrong plug": ("rectifier_silence", lambda _: 0, {"Pull its CAN": ""}, "right plug"),
    "the inverter is dead": (
        "inverter",
        lambda day: setattr(day.story.twin["inverter"], "stuck", True),
        {},
        "A and B swapped",
    ),
    "the inverter is two": (
        "inverter",
        lambda day: setattr(day.story.twin["inverter"], "_gain", 2.0),
        {},
        "units and gain",
    ),
    "the inverter never stops": (
        "inverter_silence",
        lambda day: setattr(day.story.twin["inverter"], "loss_s", 1e9),
        {},
        "Do not use it",
    ),
    "the inverter stops late": (
        "inverter_silence",
        lambda day: setattr(day.story.twin["inverter"], "loss_s", 16.0),
        {},
        "another one",
    ),
    "no alert": ("alerts", lambda _: 0, {"yes/no": "no"}, "docs/alerts.md"),
}


QUICK = {"modules", "apart", "cells", "meter", "alerts"}
SHOWN = {
    "the shunt is the other way round",
    "the rectifier charges in silence",
    "the inverter is two",
    "the inverter never stops",
}


def marks(name: str) -> list[pytest.MarkDecorator]:
    """A house in which power moves takes seconds; there is one for each line that moves it."""
    if CASES[name][0] in QUICK:
        return []
    return [pytest.mark.slow if name in SHOWN else pytest.mark.long]


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in CASES])
async def test_what_is_not_so_is_seen_and_says_what_to_do(name: str) -> None:
    key, breaks, answers, mend = CASES[name]
    async with commissioning(zero_a=0.1) as day:
        breaks(day)
        await asyncio.sleep(12.0)
        usual = {
            pattern: reply if reply != KETTLE_BACKWARDS else (lambda: day.person.load(-700.0))
            for pattern, reply in answers.items()
        }
        result = await day.line(key, usual)
        assert result.outcome is not Outcome.GOOD, result
        assert mend in result.mend, result
        await asyncio.sleep(15.0)
        assert day.story.site.app.site.trial.left_s is None
        assert day.story.site.app.site.settings.wanted.mode in {Mode.HOLD, Mode.AUTO}


async def switch_case(tmp_path: Path, fault: str) -> str:
    async with commissioning(contactors(tmp_path)) as day:
        setattr(day.story.twin["rectifier_contactor"], fault, True)
        await asyncio.sleep(3.0)
        result = await day.line("contactor")
        assert result.outcome is Outcome.BAD
        return result.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("welded", "contactor_welded"),
        ("stuck", "no current"),
        pytest.param("wire_broken", "no current", marks=pytest.mark.long),
    ],
)
async def test_a_contactor_that_does_not_obey_is_seen(
    tmp_path: Path, fault: str, words: str
) -> None:
    assert words in await switch_case(tmp_path, fault)


async def test_without_contactor_there_is_nothing_to_look_at_but_a_page_to_read() -> None:
    async with commissioning() as day:
        result = await day.line("contactor")
        assert (result.outcome, "docs/contactor.md" in result.text) == (Outcome.SKIPPED, True)


async def test_no_power_moves_without_the_very_words() -> None:
    async with commissioning() as day:
        for typed in ("", "yes", "Discharge 200 W", "quit"):
            answers: dict[str, Reply] = {"mode hold": "mode hold", "Type these": typed}
            if typed == "quit":
                with pytest.raises(Left):
                    await day.line("inverter", answers)
            else:
                result = await day.line("inverter", answers)
                assert result.outcome is Outcome.SKIPPED
        assert not [m for m in day.story.moments if m.at_s > 40.0 and m.set_w]


async def test_a_person_who_leaves_in_the_middle_leaves_a_house_at_rest() -> None:
    async with commissioning() as day:
        task = asyncio.create_task(day.line("inverter_silence"))
        await asyncio.sleep(25.0)
        assert day.story.moments[-1].inverter_w > 100.0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert day.story.site.app.site.trial.left_s is None
        await asyncio.sleep(3.0)
        assert day.story.moments[-1].inverter_w == 0.0


async def test_whoever_is_killed_in_the_middle_is_outlived_by_ten_seconds() -> None:
    async with commissioning() as day:
        await day.bench.house.ask("mode", "hold")
        await asyncio.sleep(5.0)
        await day.bench.house.ask("trial", f"discharge 200 {LEASE_S:g}")  # never renewed
        begun_s = day.story.now_s
        await asyncio.sleep(9.0)
        assert day.story.moments[-1].inverter_w > 100.0
        await asyncio.sleep(6.0)
        assert day.story.at(begun_s + LEASE_S + 0.5).set_w == 0.0
        assert day.story.moments[-1].inverter_w == 0.0


@pytest.mark.slow
async def test_a_trial_goes_on_as_long_as_it_is_renewed_and_never_passes_what_a_person_allows() -> (
    None
):
    async with commissioning() as day:
        await day.bench.house.ask("mode", "hold")
        await day.bench.house.ask("max_discharge_w", "120")
        async with day.bench.house.trial("discharge", 200.0):
            await asyncio.sleep(40.0)
            assert day.story.moments[-1].set_w == pytest.approx(120.0, abs=1.0)


BARRIERS = {
    "a person forbids it": (("allow_discharge", "off"), ("allow_discharge", "on")),
    "the battery is as empty as a person wants": (("min_soc_pct", "95"), ("min_soc_pct", "5")),
    "a person caps it to nothing": (("max_discharge_w", "0"), ("max_discharge_w", "800")),
}


async def test_no_trial_however_often_renewed_passes_what_holds_every_power() -> None:
    async with commissioning() as day:
        ask, app = day.bench.house.ask, day.story.site.app
        await ask("mode", "hold")
        for why, (close, lift) in BARRIERS.items():
            await ask(*close)
            async with day.bench.house.trial("discharge", 200.0):
                await asyncio.sleep(12.0)
                assert {m.set_w for m in day.story.moments[-20:]} == {0.0}, why
            await ask(*lift)
        app.faults.set("limits_rolled_back", "gridzero", "edited at night")
        app.faults.set("limits_rolled_back", "gridzero", None)
        async with day.bench.house.trial("discharge", 200.0):
            await asyncio.sleep(12.0)
            assert {m.set_w for m in day.story.moments[-20:]} == {0.0}, "a latch stands"
            await ask("acknowledge", "limits_rolled_back")
            await asyncio.sleep(12.0)
            assert day.story.moments[-1].set_w > 100.0, "and nothing else held it"


async def test_a_gridzero_that_dies_ends_the_list_with_a_sentence() -> None:
    seen = House(MemoryBroker().attach(), "gridzero")
    with pytest.raises(NotThere, match="no gridzero speaks there"):
        await seen.state()
    with pytest.raises(NotThere):
        await seen.ask("mode", "hold")


async def test_the_list_stops_at_the_first_that_is_not_so_and_goes_on_from_there(
    tmp_path: Path,
) -> None:
    kept = KeptResults(tmp_path / "kept.json")
    async with commissioning() as day:
        day.person.answers = {"How many": "4"}
        await walk(day.bench, kept, open_steps(kept))
        assert list(kept.results) == ["bus", "modules"]
        assert any("Mend this first" in line for line in day.person.said)
        day.person.answers = {"another day": "skip"}
        await walk(day.bench, kept, open_steps(kept))
        assert kept.results["modules"].result.outcome is Outcome.SKIPPED
        assert not is_done(kept.results)
        assert "| [-] |" in sheet(kept.results, "x")
