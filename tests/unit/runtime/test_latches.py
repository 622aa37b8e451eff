"""Faults that wait for a person: over restarts, and whatever became of their file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.domain.alarms import Level
from gridzero.domain.events import Event, Severity
from gridzero.ports.clock import LoopClock
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.latches import Latches
from gridzero.runtime.stores import FileStore, MemoryStore, StoreDamaged

WELDED = ("contactor_welded", "k1")


def book(store: MemoryStore | None = None) -> tuple[FaultBook, list[Event]]:
    made, heard = FaultBook(LoopClock(), store), list[Event]()
    made.on_event(heard.append)
    return made, heard


class Damaged(MemoryStore):
    """Holds what nobody can read."""

    was_put_aside = False

    def load(self) -> dict[str, Any]:
        raise StoreDamaged("it is empty", where="here", remedy="Look")

    def put_aside(self) -> None:
        self.was_put_aside = True


async def test_a_latching_fault_outlives_its_cause_and_ends_with_a_person() -> None:
    faults, heard = book()
    acknowledged = list[tuple[str, str]]()
    faults.on_acknowledge(acknowledged.append)
    faults.set(*WELDED, "closed though open")
    assert faults.needs_a_person
    assert faults.acknowledge() == (), "what is still there is not acknowledged away"
    assert heard[-1].code == "acknowledge_refused"
    faults.set(*WELDED, None)
    assert [(f.is_latched, f.text) for f in faults.active] == [(True, "closed though open")]
    assert faults.stands("contactor_welded")
    assert heard[-1].active
    assert heard[-1].severity is Severity.WARNING
    assert faults.acknowledge("contactor_welded", "k2") == (), "another one is meant"
    assert faults.acknowledge("contactor_welded", "k1") == (WELDED,)
    assert faults.active == ()
    assert not faults.needs_a_person
    assert not heard[-1].active
    assert acknowledged == [WELDED]


async def test_a_cause_that_comes_back_is_told_again() -> None:
    faults, heard = book()
    faults.set(*WELDED, "first")
    faults.set(*WELDED, None)
    faults.set(*WELDED, "second")
    assert [f.is_latched for f in faults.active] == [False]
    assert [e.text for e in heard][-1] == "second"
    faults.set(*WELDED, None)
    faults.set(*WELDED, None)
    assert len(heard) == 4


async def test_other_faults_go_by_themselves_and_cannot_be_acknowledged() -> None:
    faults, _ = book()
    faults.set("link_down", "bus", "gone")
    assert faults.acknowledge() == ()
    assert not faults.needs_a_person
    faults.set("link_down", "bus", None)
    assert faults.active == ()


async def test_whoever_raises_it_may_let_any_fault_latch() -> None:
    faults, _ = book()
    faults.set("cell_over", "b3.7", "4.31 V", level=Level.TRIP, latches=True)
    assert faults.trips
    faults.sync(frozenset({"cell_over"}), {})
    assert [f.is_latched for f in faults.active] == [True]
    assert faults.acknowledge("all") == (("cell_over", "b3.7"),)


async def test_a_level_that_rises_is_told_one_that_falls_is_shown() -> None:
    faults, heard = book()
    codes, key = frozenset({"cell_over"}), ("cell_over", "b3.7")
    for level in (Level.WARN, Level.WARN, Level.TRIP, Level.LIMIT):
        faults.sync(codes, {key: f"{level.name}"}, {key: level})
    assert [e.text for e in heard] == ["WARN", "TRIP"]
    assert [f.level for f in faults.active] == [Level.LIMIT]
    assert [f.since_s for f in faults.active] == [0.0]
    faults.sync(codes, {})
    assert faults.active == ()


async def test_it_is_stored_when_raised_so_that_a_killed_process_finds_it_again() -> None:
    store = MemoryStore()
    faults, _ = book(store)
    faults.set(*WELDED, "closed though open")
    again, _ = book(store)  # nothing ended in order: as after kill -9
    assert [(f.code, f.subject, f.is_latched) for f in again.active] == [(*WELDED, True)]
    assert again.needs_a_person
    assert again.acknowledge() == (WELDED,)
    third, _ = book(store)
    assert third.active == ()


async def test_nothing_is_written_for_faults_that_do_not_latch() -> None:
    store = MemoryStore()
    faults, _ = book(store)
    faults.set("link_down", "bus", "gone")
    faults.set("link_down", "bus", None)
    assert store.values == {}


async def test_a_damaged_store_is_put_aside_and_power_waits_for_a_person() -> None:
    store = Damaged()
    faults, _ = book(store)
    assert store.was_put_aside
    assert [(f.code, f.is_latched) for f in faults.active] == [("latches_lost", True)]
    assert faults.needs_a_person
    assert faults.acknowledge("latches_lost") == (("latches_lost", "gridzero"),)


async def test_faults_of_a_newer_version_are_kept_aside_and_known_ones_stay() -> None:
    store = MemoryStore()
    rows = [
        {"code": "contactor_welded", "subject": "k1", "text": "x"},
        {"code": "from_the_future", "subject": "k2", "text": "y"},
    ]
    store.values = {"version": 1, "latched": rows}
    faults, _ = book(store)
    assert [f.code for f in faults.active] == ["contactor_welded", "latches_lost"]


@given(
    stored=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    )
)
def test_whatever_is_stored_is_read_or_told(stored: Any) -> None:
    for values in ({"version": 1, "latched": stored}, {"version": stored}, {"latched": []}):
        store = MemoryStore()
        store.values = values
        left, lost = Latches(store).load()
        assert lost or left or values == {"version": 1, "latched": []}


@pytest.mark.real_time
async def test_the_file_holds_it_within_a_moment(tmp_path: Path) -> None:
    file = tmp_path / "latched.json"
    faults = FaultBook(LoopClock(), FileStore(file))
    faults.set(*WELDED, "closed though open")
    async with asyncio.timeout(10.0):
        while not file.exists():  # noqa: ASYNC110 - a thread writes it
            await asyncio.sleep(0.01)
    assert json.loads(file.read_text())["latched"][0]["code"] == "contactor_welded"
    file.write_text(file.read_text()[:20])  # a power cut on a bad card
    again = FaultBook(LoopClock(), FileStore(file))
    assert [f.code for f in again.active] == ["latches_lost"]
    assert (tmp_path / "latched.damaged").exists()
