"""Storing values for silence in the rectifier's twin, with the same bytes as in the shed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gridzero.cli import main
from gridzero.commission.rectifier import _links, _untold, plugin_of, store, values_of
from gridzero.commission.result import Outcome, Result
from gridzero.config.loader import load_text
from gridzero.demo.scene import build_twins
from gridzero.errors import DeviceError
from gridzero.links.can_bus import RealCan
from gridzero.links.memory import MemoryLinks
from gridzero.plugins import find_plugins
from gridzero.ports.devices import OfflineValues
from gridzero.ports.links import CanFilter, CanFrame
from gridzero.real_links import up_soon
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.state_lock import only_process
from gridzero.sim.house import House
from gridzero.sim.pack import Pack
from gridzero.sim.sources import Constant
from gridzero.sim.twin_bench import MemoryMedia, TwinBench
from gridzero_drivers.vertiv_r48.twin import R48Twin

CONTACTOR = Path(__file__).parents[3] / "configs" / "contactor.yaml"
WORDS = "I am here and the contactor is open"


@dataclass
class Person:
    """Answers in turn."""

    answers: list[str]
    said: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.said.append(line)

    async def answer(self, question: str) -> str:
        self.said.append(question)
        return self.answers.pop(0)


@dataclass
class Shed:
    twin: R48Twin
    values: OfflineValues

    async def stored(self, *answers: str) -> Result:
        person = Person(list(answers))
        result = await store(person, self.values)
        assert not person.answers
        return result


@asynccontextmanager
async def shed() -> AsyncIterator[Shed]:
    """A rectifier whose contactor is open, on a bus that nobody else speaks on."""
    found = find_plugins()
    loaded = load_text(CONTACTOR.read_text(), CONTACTOR, found.plugins)
    kinds = {name: link.type for name, link in loaded.config.links.items()}
    links = MemoryLinks(kinds)
    pack = Pack({"a3": 12}, soc=0.5, temp_c=18.0, seed=1)
    twins = build_twins(loaded, found.plugins, House(Constant(300.0), Constant(0.0), pack), 1)
    one = twins["rectifier"]
    bench = TwinBench(House(Constant(300.0), Constant(0.0), pack), {"r": one}, MemoryMedia(links))
    task = asyncio.create_task(bench.run())
    plugin = found.plugins["vertiv_r48"]
    twin = next(iter(one.can.values()))
    assert isinstance(twin, R48Twin)
    yield Shed(twin, values_of(plugin, loaded.device_options["rectifier"], "rectifier", links))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_both_are_stored_and_silence_proves_the_voltage() -> None:
    async with shed() as house:
        result = await house.stored("yes", "42", WORDS, "0", WORDS)
        assert result.outcome is Outcome.GOOD, result
        assert "in silence it shows 42.0 V" in result.text
        registers = house.twin.registers
        assert (registers.offline_v, registers.offline_fraction) == (42.0, 0.0)
        assert registers.stored_writes == 2


async def test_a_refused_voltage_is_tried_again_with_another() -> None:
    async with shed() as house:
        house.twin.refuse = {0x24}
        task = asyncio.create_task(house.values.store("volts", 42.0, WORDS))
        with pytest.raises(DeviceError, match="48 V and more"):
            await task
        house.twin.refuse = set()
        result = await house.stored("yes", "20", WORDS, "48", WORDS, "0", "yes", "0,1", WORDS)
        assert result.outcome is Outcome.GOOD, result
        assert house.twin.registers.offline_v == 48.0


async def test_nothing_is_written_without_battery_off_and_the_very_words() -> None:
    async with shed() as house:
        assert (await house.stored("no")).outcome is Outcome.SKIPPED
        result = await house.stored("yes", "42", "yes", "42", WORDS.upper(), "skip")
        assert result.outcome is Outcome.BAD
        assert house.twin.registers.stored_writes == 0


async def test_a_unit_that_acknowledges_and_forgets_is_seen() -> None:
    async with shed() as house:
        house.twin.deaf = True
        result = await house.stored("yes", "42", WORDS, "0", WORDS)
        assert result.outcome is Outcome.BAD
        assert "only behind a contactor" in result.mend


async def test_a_dead_unit_says_so() -> None:
    async with shed() as house:
        house.twin.silent = True
        result = await house.stored("yes", "42", WORDS, "skip")
        assert result.outcome is Outcome.BAD
        with pytest.raises(DeviceError, match="does not answer"):
            await house.values.measured_v()


@pytest.mark.real_time
async def test_over_the_link_of_the_command_with_nobody_else_on_the_bus() -> None:
    loaded = load_text(CONTACTOR.read_text(), CONTACTOR, find_plugins().plugins)
    plugin, options = plugin_of(loaded, "rectifier"), loaded.device_options["rectifier"]
    end = RealCan(name="twin", interface="virtual", channel="charger", report=_untold)
    async with shed() as house:
        twin = house.twin

        def hear(frame: CanFrame) -> None:
            twin.receive(frame)
            for answer in twin.advance(0.0):
                end.send(answer)

        end.listen(hear, (CanFilter(0, 0, is_extended=True),))
        task = asyncio.create_task(end.run())
        await up_soon(end.health)
        async with _links(loaded, "rectifier") as links:
            values = values_of(plugin, options, "rectifier", links)
            assert await values.store("volts", 42.0, WORDS) == 42.0
            assert twin.registers.offline_v == 42.0
            assert await values.measured_v() >= 0.0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_beside_a_running_gridzero_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = ("--kept", str(tmp_path / "kept.json"))
    with only_process(tmp_path / "state" / "contactor"):
        assert main(["commission", "rectifier", "--config", str(CONTACTOR), *kept]) == ExitCode.HELD
    assert "another gridzero runs" in capsys.readouterr().err


def test_it_wants_a_file_and_one_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["commission", "rectifier"]) == 2
    assert "--config FILE" in capsys.readouterr().err
    assert (
        main(["commission", "rectifier", "--config", str(CONTACTOR), "--device", "inverter"]) == 2
    )
    assert "Name one of: rectifier" in capsys.readouterr().err
