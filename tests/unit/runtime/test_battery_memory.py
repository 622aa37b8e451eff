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

    def to_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def restore(self, stored: dict[str, Any], age_s: float) -> list[str]:
        self.age_s = age_s
        if not isinstance(stored.get("value"), int):
            return ["it is no number"]
        self.value = stored["value"]
        return []


class Desk:
    def __init__(self, store: Any, utc_s: float = NOW_UTC_S) -> None:
        clock = LoopClock()
        self.events: list[Event] = []
        faults = FaultBook(clock)
        faults.on_event(self.events.append)
        self.part = Notebook()
        self.memory = BatteryMemory(self.part, store, faults, clock, lambda: utc_s)


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
