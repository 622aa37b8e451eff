from __future__ import annotations

import pytest

from gridzero.domain.events import Event, Severity
from gridzero.domain.faults import FAULTS
from gridzero.ports.clock import LoopClock
from gridzero.runtime.fault_book import FaultBook


async def test_each_change_is_said_once_with_what_to_do() -> None:
    book, heard = FaultBook(LoopClock()), list[Event]()
    book.on_event(heard.append)
    report = book.reporter("battery")
    for _ in range(3):
        report("bus_silent", active=True, text="nothing on bus a", subject="a")
    for _ in range(3):
        report("bus_silent", active=False, subject="a")
    assert [(e.code, e.subject, e.active) for e in heard] == [
        ("bus_silent", "battery.a", True),
        ("bus_silent", "battery.a", False),
    ]
    assert heard[0].remedy == FAULTS["bus_silent"].remedy
    assert heard[0].severity is Severity.FAULT


async def test_derived_faults_come_and_go_without_touching_the_others() -> None:
    book = FaultBook(LoopClock())
    book.set("link_down", "battery_a", "gone")
    codes = frozenset({"module_silent"})
    book.sync(codes, {("module_silent", "a3"): "silent"})
    assert {(f.code, f.subject) for f in book.active} == {
        ("link_down", "battery_a"),
        ("module_silent", "a3"),
    }
    book.sync(codes, {})
    assert [f.code for f in book.active] == ["link_down"]
    assert book.stands("link_down")
    assert not book.stands("module_silent")


async def test_a_code_without_a_row_is_a_bug() -> None:
    with pytest.raises(KeyError):
        FaultBook(LoopClock()).set("no_such_fault", "x", "y")
