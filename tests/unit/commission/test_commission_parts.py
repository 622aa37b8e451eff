"""The parts of ``gridzero commission``: judging, keeping, the sheet, the keyboard, the command."""

from __future__ import annotations

import asyncio
import json
import os
from math import isfinite
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.cli import main
from gridzero.commission import judge
from gridzero.commission.house import House, fault_codes, mean, unit_names
from gridzero.commission.kept import KeptResults
from gridzero.commission.person import Left, Terminal, agrees, number, yes
from gridzero.commission.result import Outcome, Result, bad, good
from gridzero.commission.sheet import sheet, summary
from gridzero.commission.steps import STEPS
from gridzero.errors import ConfigError
from gridzero.links.memory import MemoryBroker

NOTHING: list[Result] = [
    judge.modules(None, None, 3, {}),
    judge.modules_apart({}),
    judge.modules_apart({"a3": [3.7, None]}),
    judge.voltmeter("a3.1", None, 3.7),
    judge.meter(None, 1000.0, 0.2),
    judge.meter(0.0, 1000.0, None),
    judge.zero(None, 0.0, None),
    judge.shunt_sign(None, 6.0),
    judge.shunt_sign(-6.0, None),
    judge.clamp(None, 6.0),
    judge.inverter(300.0, None, 300.0, 200.0),
]


@pytest.mark.parametrize("result", NOTHING)
def test_what_is_not_known_is_never_good(result: Result) -> None:
    assert result.outcome is Outcome.BAD
    assert result.mend


figure = st.none() | st.floats()


@given(figure, figure, figure)
def test_no_figure_whatever_passes_for_good_unless_it_is(
    before: float | None, after: float | None, third: float | None
) -> None:
    for result in (
        judge.meter(before, after, third),
        judge.shunt_sign(before, after),
        judge.inverter(before, after, third, 200.0),
    ):
        if result.outcome is Outcome.GOOD:
            assert None not in (before, after)
            assert all(isfinite(value) for value in (before, after) if value is not None)


@pytest.mark.parametrize(
    ("shunt_a", "rectifier_a", "words"),
    [
        (-6.4, 6.4, ""),
        (-6.4, 7.9, ""),
        (6.4, 6.4, "invert: true"),
        (0.0, 6.4, "common minus"),
        (-20.0, 6.4, "rated_a"),
        (-0.5, 0.5, "too little"),
    ],
)
def test_shunt_against_rectifier(shunt_a: float, rectifier_a: float, words: str) -> None:
    result = judge.shunt_sign(shunt_a, rectifier_a)
    assert words in result.mend
    assert (result.outcome is Outcome.GOOD) == (not words)


def test_the_line_for_the_zero_adds_to_what_stands_there() -> None:
    assert judge.zero(0.05, 0.1, 0.2).outcome is Outcome.GOOD
    assert "zero_a: -0.300" in judge.zero(-0.5, 0.1, 0.2).mend
    assert "add -0.500 to zero_a" in judge.zero(-0.5, 0.1, None).mend
    assert "not at rest" in judge.zero(0.0, 3.0, None).mend


def test_an_unsteady_house_is_no_verdict_on_the_inverter() -> None:
    assert "calm minute" in judge.inverter(300.0, 100.0, 500.0, 200.0).mend
    assert judge.inverter(300.0, 95.0, 310.0, 200.0).outcome is Outcome.GOOD


def test_results_outlive_the_process_and_the_sheet_shows_them(tmp_path: Path) -> None:
    kept = KeptResults(tmp_path / "a" / "kept.json")
    kept.note("modules", good("9 modules | 108 cells"))
    kept.note("apart", bad("0.6 V apart", "Equalise"))
    again = KeptResults(kept.file)
    assert again.results == kept.results
    text = sheet(again.results, "My house")
    assert "| 2 | [x] | Module count and cell voltages | 9 modules / 108 cells |" in text
    assert "0.6 V apart -> Equalise" in text
    assert text.count("[ ] ") == len(STEPS) - 2 + 1
    assert "not so: apart" in summary(again.results)
    assert not list(kept.file.parent.glob("*.new"))
    assert kept.file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            "[]",
            "7",
            '{"version": 2, "results": {}}',
            '{"version": 1, "results": {"x": 1}}',
        ),
        '{"version": 1, "results": {"x": {"at": "", "outcome": "fine", "text": "", "mend": ""}}}',
    ],
)
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kept.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="--kept FILE"):
        KeptResults(file)
    assert file.read_text() == text


def test_what_cannot_be_written_says_so_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--kept FILE"):
        KeptResults(tmp_path / "file" / "kept.json")
    full = KeptResults(tmp_path / "kept.json")
    (tmp_path / ".kept.json.new").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"), full.held():
        pytest.fail("nothing may be done")


def test_a_second_one_at_once_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    with KeptResults(file).held():
        with pytest.raises(ConfigError, match="another gridzero commission"):
            KeptResults(file).held().__enter__()
        with KeptResults(tmp_path / "other" / "kept.json").held():
            pass
    with KeptResults(file).held():
        assert main(["commission", "modules", "--kept", str(file)]) == 2


def test_list_sheet_and_a_line_that_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["commission", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(STEPS)
    assert main(["commission", "sheet"]) == 1
    assert "Signed:" in capsys.readouterr().out
    assert main(["commission", "toast"]) == 2
    assert "commission list" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.real_time
async def test_the_keyboard_can_be_any_descriptor() -> None:
    end, other = os.pipe()
    shown: list[str] = []
    person = Terminal(end, shown.append)
    os.write(other, b"go\nno words\nsk")
    assert await agrees(person, "go")
    assert not await agrees(person, "go")
    os.write(other, b"ip\n1,5\nx\nnan\n-\nYES\n")
    assert await number(person, "?") is None
    assert await number(person, "?") == 1.5
    assert await number(person, "?") is None
    assert await yes(person, "?") is True
    waiting = asyncio.create_task(person.answer("?"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.close(other)
    with pytest.raises(Left):
        await person.answer("?")
    person.close()
    os.close(end)


@pytest.mark.real_time
async def test_a_plain_file_may_be_the_keyboard(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("yes\nquit\n")
    with (tmp_path / "answers").open() as file:
        person = Terminal(file.fileno(), str)
        assert await yes(person, "?") is True
        with pytest.raises(Left):
            await person.answer("?")
        person.close()


async def test_garbage_on_the_broker_is_not_taken_for_a_house() -> None:
    broker = MemoryBroker()
    house = House(broker.attach(), "gridzero")
    other = broker.attach()
    for topic in ("state", "cells", "settings", "answer", "battery"):
        for payload in ("[]", "x", "7", "{" * 2000, '{"id": []}'):
            other.publish(f"gridzero/{topic}", payload)
    other.publish("gridzero/state", json.dumps({"chargers": 7, "faults": {"a": 1}, "grid_w": "x"}))
    state = await house.state()
    assert (unit_names(state, "chargers"), fault_codes(state)) == ([], {})
    assert mean([state], "grid_w") is None
