"""The battery's contactor: closed for a reason, opened in the right order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gridzero.ports.clock import LoopClock
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.pack_contactor import LEASE_S, ContactorState, PackContactor

TICK_S = 0.25


class Contacts:
    """A switch that obeys at once, as long as its lease holds."""

    name = "k2"

    def __init__(self) -> None:
        self.until_s = float("-inf")
        self.says: bool | None = None

    def close(self, until_s: float) -> None:
        self.until_s = until_s

    def open(self) -> None:
        self.until_s = float("-inf")

    def is_closed(self) -> bool | None:
        return self.says

    async def run(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass
class Rig:
    """Ticks four times a second."""

    contacts: Contacts = field(default_factory=Contacts)
    now_s: float = 100.0

    def __post_init__(self) -> None:
        self.faults = FaultBook(LoopClock())
        self.contactor = PackContactor(self.contacts, self.faults)

    @property
    def is_closed(self) -> bool:
        return self.now_s < self.contacts.until_s

    def run(self, seconds: float, **world: Any) -> None:
        known = {
            "trip": False,
            "current_a": 0.0,
            "ready": True,
            "commands_zero": True,
            **world,
        }
        for _ in range(round(seconds / TICK_S)):
            self.now_s += TICK_S
            self.contactor.update(self.now_s, **known)

    def opened_within(self, limit_s: float, **world: Any) -> float:
        began_s = self.now_s
        while self.is_closed:
            self.run(TICK_S, **world)
            assert self.now_s - began_s <= limit_s
        return self.now_s - began_s


async def closed() -> Rig:
    rig = Rig()
    rig.run(2.0)
    assert rig.is_closed
    assert rig.contactor.carries
    return rig


async def test_it_closes_only_when_ready_for_a_second_with_commands_at_zero() -> None:
    rig = Rig()
    rig.run(10.0, ready=False)
    rig.run(10.0, commands_zero=False)
    rig.run(10.0, trip=True)
    rig.run(0.75)
    assert not rig.is_closed
    rig.run(0.5)
    assert rig.is_closed


async def test_after_a_trip_it_waits_for_the_current_to_fall() -> None:
    rig = await closed()
    rig.run(1.0, current_a=40.0, commands_zero=False)
    rig.run(1.0, trip=True, current_a=15.0)
    assert rig.is_closed, "current still flows"
    assert not rig.contactor.carries, "and nothing is commanded any more"
    assert rig.opened_within(1.0, trip=True, current_a=0.4) >= 0.5
    assert rig.faults.active == ()


async def test_a_current_that_does_not_fall_is_broken_under_load_and_told() -> None:
    rig = await closed()
    assert rig.opened_within(4.5, trip=True, current_a=-48.0, commands_zero=False) >= 4.0
    (fault,) = rig.faults.active
    assert fault.code == "contactor_under_load"
    assert fault.is_latched
    assert "-48.0 A" in fault.text


async def test_an_unknown_current_counts_as_one_but_wears_no_contact() -> None:
    rig = await closed()
    assert rig.opened_within(4.5, trip=True, current_a=None) >= 4.0
    assert rig.faults.active == ()


async def test_a_current_on_its_way_down_is_waited_for_but_not_for_ever() -> None:
    """An inverter comes down with 100 W/s, which is 2.3 A/s; half of that is nobody's way."""
    for amps_per_tick, waits in ((0.55, True), (0.25, False)):
        rig = await closed()
        began_s, current_a = rig.now_s, 20.0
        while rig.is_closed:
            rig.run(TICK_S, trip=True, current_a=current_a)
            current_a = max(0.0, current_a - amps_per_tick)
        assert rig.now_s - began_s <= 12.3
        assert (rig.faults.active == ()) is waits


async def test_it_stays_open_while_the_trip_stands_and_closes_after_it() -> None:
    rig = await closed()
    rig.run(3.0, trip=True)
    assert rig.contactor.state is ContactorState.OPEN
    rig.run(60.0, trip=True)
    assert not rig.is_closed
    rig.run(2.0)
    assert rig.is_closed


async def test_a_battery_that_is_not_ready_for_a_moment_does_not_clatter() -> None:
    rig = await closed()
    for _ in range(10):
        rig.run(20.0, ready=False)
        rig.run(2.0)
        assert rig.is_closed
    rig.run(29.0, ready=False)
    assert rig.is_closed
    rig.run(3.0, ready=False)
    assert not rig.is_closed


async def test_without_a_trip_it_never_opens_under_load() -> None:
    rig = await closed()
    rig.run(120.0, ready=False, current_a=10.0)
    assert rig.is_closed
    assert not rig.contactor.carries


async def test_nobody_who_ticks_means_open_after_the_lease() -> None:
    rig = await closed()
    rig.now_s += LEASE_S + 0.1
    assert not rig.is_closed


async def test_a_contact_that_says_open_carries_nothing() -> None:
    rig = await closed()
    rig.contacts.says = False
    assert not rig.contactor.carries


@given(
    worlds=st.lists(
        st.tuples(
            st.booleans(),
            st.one_of(st.none(), st.floats()),
            st.booleans(),
            st.booleans(),
            st.integers(1, 40),
        ),
        max_size=12,
    )
)
def test_whatever_comes_a_standing_trip_ends_open(worlds: list[Any]) -> None:
    async def live() -> None:
        rig = Rig()
        for trip, current_a, ready, commands_zero, ticks in worlds:
            rig.run(
                ticks * TICK_S,
                trip=trip,
                current_a=current_a,
                ready=ready,
                commands_zero=commands_zero,
            )
        rig.run(4.5, trip=True, current_a=float("nan"), commands_zero=False)
        assert not rig.is_closed
        assert not rig.contactor.carries

    asyncio.run(live())
