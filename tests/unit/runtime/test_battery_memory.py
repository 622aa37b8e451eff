"""What is known of the battery survives restarts, and nothing stored is silently lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gridzero.domain.events import Event
from gridzero.ports.clock import LoopClock
from gridzero.runtime.battery_memory import VERSION, BatteryMemory
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.stores import FileStore, MemoryStore

NOW_UTC_S = 1_790_000_000.0


class Notebook:
    """A part that remembers a number and how old it was."""

    def __init__(self) -> None:
        self.value: Any = None
        self.age_s: float | None = None
        self.soc: float | None = None
        self.charge_age_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def charge_to_dict(self) -> dict[str, Any]:
        modules = {} if self.soc is None else {"a": {"cells": [[self.soc, 0.01, 0.0]]}}
        return {"modules": modules}

    def restore_charge(self, charge: dict[str, Any], age_s: float) -> list[str]:
        self.charge_age_s = age_s
        for module in charge["modules"].values():
            self.soc = module["cells"][0][0]
        return []

    def restore(self, stored: dict[str, Any], age_s: float) -> list[str]:
        self.age_s = age_s
        if not isinstance(stored.get("value"), int):
            return ["it is no number"]
        self.value = stored["value"]
        return []


class Desk:
    def __init__(self, store: Any, utc_s: float = NOW_UTC_S, charge: Any = None) -> None:
        clock = LoopClock()
        self.events: list[Event] = []
        faults = FaultBook(clock)
        faults.on_event(self.events.append)
        self.part = Notebook()
        self.memory = BatteryMemory(self.part, store, faults, clock, lambda: utc_s, charge)


async def test_what_was_known_comes_back_with_its_age() -> None:
    store = MemoryStore()
    first = Desk(store)
    first.part.value = 7
    first.memory.save()
    second = Desk(store, NOW_UTC_S + 3600)
    assert second.part.value == 7
    assert second.part.age_s == 3600
    assert second.events == []


async def test_nothing_stored_is_no_complaint() -> None:
    desk = Desk(MemoryStore())
    assert desk.part.age_s is None
    assert desk.events == []


@pytest.mark.parametrize("utc_s", [0.0, NOW_UTC_S - 86_400.0])
async def test_a_clock_that_cannot_be_right_makes_it_very_old(utc_s: float) -> None:
    store = MemoryStore()
    first = Desk(store)
    first.part.value = 7
    first.memory.save()
    second = Desk(store, utc_s)
    assert second.part.value == 7
    assert second.part.age_s is not None
    assert second.part.age_s > 20 * 86_400


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "", '{"version": 99, "parts": {}}', '{"version": "x"}', '{"version": null}'],
)
async def test_what_cannot_be_read_is_kept_aside_and_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "battery.json"
    path.write_text(content)
    desk = Desk(FileStore(path))
    assert desk.part.value is None
    assert [event.code for event in desk.events] == ["battery_memory_lost"]
    assert (tmp_path / "battery.damaged").read_text() == content


async def test_a_second_damaged_file_does_not_replace_the_first(tmp_path: Path) -> None:
    for content in ("{1", "{2", "{3"):
        (tmp_path / "battery.json").write_text(content)
        Desk(FileStore(tmp_path / "battery.json"))
        (tmp_path / "battery.json").unlink()
    assert _kept(tmp_path) == {"{1", "{2", "{3"}


async def test_a_damaged_file_stays_until_something_better_is_saved(tmp_path: Path) -> None:
    (tmp_path / "battery.json").write_text("{")
    Desk(FileStore(tmp_path / "battery.json"))
    again = Desk(FileStore(tmp_path / "battery.json"))
    assert [event.code for event in again.events] == ["battery_memory_lost"]


async def test_files_that_are_damaged_at_every_start_do_not_fill_the_disk(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / "battery.json").write_text(f"{{{number}")
        Desk(FileStore(tmp_path / "battery.json"))
        (tmp_path / "battery.json").unlink()
    assert len(_kept(tmp_path)) == 9


@pytest.mark.parametrize("known", [None, [], 3, {"value": "x"}, {"other": {}}])
async def test_what_does_not_fit_is_left_out(known: Any) -> None:
    store = MemoryStore()
    store.save({"version": VERSION, "utc_s": NOW_UTC_S, "battery": known})
    assert Desk(store).part.value is None


async def test_it_is_saved_every_few_minutes() -> None:
    store = MemoryStore()
    desk = Desk(store)
    desk.part.value = 5
    saving = asyncio.create_task(desk.memory.run())
    await asyncio.sleep(301)
    saving.cancel()
    await asyncio.gather(saving, return_exceptions=True)
    assert store.values["battery"] == {"value": 5}


def _kept(folder: Path) -> set[str]:
    return {path.read_text() for path in folder.iterdir()}


class WriteCounter(MemoryStore):
    count = 0

    def save(self, values: dict[str, Any]) -> None:
        self.count += 1
        super().save(values)


async def run_for(memory: BatteryMemory, seconds: float, act: Any = None) -> None:
    """Run it for so long; act: called every second."""
    task = asyncio.create_task(memory.run())
    for second in range(round(seconds)):
        if act is not None:
            act(second)
        await asyncio.sleep(1.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_charge_is_stored_when_it_has_moved_and_not_for_nothing() -> None:
    charge = WriteCounter()
    desk = Desk(MemoryStore(), charge=charge)
    part = desk.part
    part.soc = 0.5
    await run_for(desk.memory, 290)
    assert charge.count == 1, "the first charge that is known"

    def discharge(_second: int) -> None:
        part.soc -= 50.0 / (225.0 * 3600.0)
        stored = charge.values["charge"]["modules"]["a"]["cells"][0][0]
        assert stored - part.soc <= 0.0003

    await run_for(desk.memory, 290, discharge)
    assert 290 / 5 <= charge.count <= 290 / 3.2 + 1


async def test_the_newer_charge_counts() -> None:
    store, charge = MemoryStore(), MemoryStore()
    first = Desk(store, charge=charge)
    first.part.value, first.part.soc = 7, 0.5
    first.memory.save()
    first.part.soc = 0.49
    await run_for(first.memory, 3)
    second = Desk(store, NOW_UTC_S + 60, charge)
    assert second.part.value == 7
    assert second.part.soc == 0.49
    assert second.part.charge_age_s == 60


async def test_a_charge_from_before_the_first_save_counts() -> None:
    store, charge = MemoryStore(), MemoryStore()
    first = Desk(store, charge=charge)
    first.part.soc = 0.31
    await run_for(first.memory, 3)
    assert store.values == {}, "it is saved every five minutes"
    assert Desk(store, charge=charge).part.soc == 0.31


async def test_a_charge_that_stayed_behind_does_not_count() -> None:
    """One file that could not be written for long, or has come from a backup."""
    store, charge = MemoryStore(), MemoryStore()
    first = Desk(store, charge=charge)
    first.part.value, first.part.soc = 7, 0.5
    first.memory.save()
    stale = charge.values
    for _ in range(2):
        first.memory.save()
    charge.values = stale
    assert Desk(store, charge=charge).part.charge_age_s is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\x00\xff", b'{"version": 99, "charge": {}}', b"[]"]
)
async def test_a_damaged_charge_is_kept_aside_and_the_older_one_counts(
    content: bytes, tmp_path: Path
) -> None:
    store = MemoryStore()
    first = Desk(store)
    first.part.value = 7
    first.memory.save()
    path = tmp_path / "charge.json"
    path.write_bytes(content)
    second = Desk(store, charge=FileStore(path))
    assert second.part.value == 7
    assert second.part.charge_age_s is None
    assert path.with_suffix(".damaged").read_bytes() == content
