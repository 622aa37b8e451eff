"""Prices that grow stale, an outlook that is learned or told, and what a restart keeps of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime_fakes import FakeHouse

from gridzero.domain.events import Event
from gridzero.domain.reasons import Because
from gridzero.domain.value import Outlook, Prices
from gridzero.links.memory import MemoryBroker
from gridzero.outputs.market_in import listen
from gridzero.outputs.mqtt_in import MqttIn
from gridzero.ports.clock import LoopClock
from gridzero.runtime.desk import desk_of
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.market import Market
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.stores import FileStore, MemoryStore, Store
from gridzero.sim.loop import run_simulated

FIXED = Prices(30.0, 8.0)
SET_S = 1_800_000_000.0
HOUR_S = 3600.0


class Watch:
    """A calendar beside the monotonic clock. ahead_s: UTC less that clock."""

    def __init__(self, ahead_s: float = SET_S) -> None:
        self.ahead_s = ahead_s

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead_s


def market(store: Store | None = None, utc: Watch | None = None) -> Market:
    clock = LoopClock()
    return Market(FIXED, store or MemoryStore(), FaultBook(clock), clock, utc or Watch())


def show(made: Market, charge: Because, discharge: Because) -> None:
    """The battery's limits act now."""
    made._watch.note(asyncio.get_running_loop().time(), charge, discharge)


def emptied(made: Market) -> Market:
    show(made, Because.CURRENT_LIMIT, Because.CELL_EMPTY)
    return made


async def test_a_live_price_holds_for_two_hours() -> None:
    made = market()
    assert made.prices() == FIXED
    made.take_price("import_ct", "41.5")
    made.take_price("stored_ct", " 12 ")
    assert made.prices() == Prices(41.5, 8.0, 12.0)
    await asyncio.sleep(2 * HOUR_S - 1)
    made.take_price("export_ct", "-3")
    assert made.prices() == Prices(41.5, -3.0, 12.0)
    await asyncio.sleep(2)
    assert made.prices() == Prices(30.0, -3.0)


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e9", "off", "12,5"])
async def test_what_is_no_price_ends_the_last_one(text: str) -> None:
    made = market()
    made.take_price("import_ct", "41.5")
    made.take_price("import_ct", text)
    assert made.prices() == FIXED


async def test_the_outlook_survives_a_restart_with_another_monotonic_clock() -> None:
    store = MemoryStore()
    emptied(market(store)).save()
    values = json.loads(json.dumps(store.values))
    later = MemoryStore()
    later.values = values
    assert market(later, Watch(SET_S + 30 * HOUR_S)).outlook() is Outlook.EMPTYING
    assert market(later, Watch(SET_S + 37 * HOUR_S)).outlook() is Outlook.UNKNOWN


async def test_what_was_told_survives_too_and_ends_after_a_day() -> None:
    store = MemoryStore()
    made = emptied(market(store))
    made.save()
    made.tell_outlook("filling")
    again = market(store, Watch(SET_S + 20 * HOUR_S))
    assert again.outlook() is Outlook.FILLING
    await asyncio.sleep(5 * HOUR_S)
    assert again.outlook() is Outlook.EMPTYING


async def test_auto_takes_back_what_was_told() -> None:
    store = MemoryStore()
    made = emptied(market(store))
    made.tell_outlook("filling")
    made.tell_outlook(" Auto ")
    assert made.outlook() is Outlook.EMPTYING
    assert "told" not in store.values


async def test_another_word_is_refused_and_changes_nothing() -> None:
    made = market()
    made.tell_outlook("emptying")
    with pytest.raises(SettingRefused, match="emptying, filling, unknown"):
        made.tell_outlook("rainy")
    assert made.outlook() is Outlook.EMPTYING


@pytest.mark.parametrize("ahead_s", [0.0, SET_S - 30 * HOUR_S], ids=["1970", "it ran backwards"])
async def test_a_clock_that_cannot_be_right_drops_what_is_stored(ahead_s: float) -> None:
    store = MemoryStore()
    emptied(market(store)).save()
    assert market(store, Watch(ahead_s)).outlook() is Outlook.UNKNOWN


async def test_nothing_is_saved_before_the_clock_is_set() -> None:
    store = MemoryStore()
    emptied(market(store, Watch(0.0))).save()
    assert store.values == {}


async def test_it_is_saved_each_hour_if_it_changed() -> None:
    store = MemoryStore()
    made = market(store)
    task = asyncio.create_task(made.run())
    await asyncio.sleep(HOUR_S + 1)
    assert store.values == {}
    emptied(made)
    await asyncio.sleep(HOUR_S)
    assert store.values.keys() == {"empty_utc_s"}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_damaged_file_is_put_aside_and_told(tmp_path: Path) -> None:
    path = tmp_path / "outlook.json"
    path.write_text("{")
    events: list[Event] = []
    clock = LoopClock()
    faults = FaultBook(clock)
    faults.on_event(events.append)
    made = Market(FIXED, FileStore(path, "It is learned again"), faults, clock, Watch())
    assert made.outlook() is Outlook.UNKNOWN
    assert [(e.code, e.subject) for e in events] == [("learned_lost", "outlook")]
    assert (tmp_path / "outlook.damaged").exists()


junk = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
stored = st.dictionaries(
    st.sampled_from(["empty_utc_s", "full_utc_s", "told_utc_s", "told", "more"]), junk
)


@given(stored)
def test_whatever_is_stored_it_starts(values: dict[str, Any]) -> None:
    async def start() -> Outlook:
        store = MemoryStore()
        store.values = values
        return market(store).outlook()

    assert run_simulated(start()) in set(Outlook)


async def heard(*messages: tuple[str, bytes, bool]) -> tuple[Market, list[Event]]:
    """A market that has heard these: (topic, payload, retained)."""
    clock, events = LoopClock(), list[Event]()
    site = FakeHouse().site
    faults = site.faults
    faults.on_event(events.append)
    made = Market(FIXED, MemoryStore(), faults, clock, Watch())
    broker = MemoryBroker()
    link, sender = broker.attach(), broker.attach()
    topics = {"import_ct": "tariff/now", "export_ct": None, "stored_ct": "planner/stored"}
    for topic, payload, retained in messages:
        if retained:
            sender.publish(topic, payload, retain=True)
    await asyncio.sleep(0.1)
    listen(made, link, topics)
    MqttIn(desk_of(site, clock, market=made), link, "house", lambda: None)
    await asyncio.sleep(0.1)
    for topic, payload, retained in messages:
        if not retained:
            sender.publish(topic, payload)
    await asyncio.sleep(0.1)
    return made, events


async def test_live_messages_count() -> None:
    made, events = await heard(
        ("house/outlook/set", b"filling", False),
        ("tariff/now", b"22.5", False),
        ("planner/stored", b"15", False),
    )
    assert made.outlook() is Outlook.FILLING
    assert made.prices() == Prices(22.5, 8.0, 15.0)
    assert events == []


async def test_retained_messages_do_not() -> None:
    made, _ = await heard(("house/outlook/set", b"filling", True), ("tariff/now", b"22.5", True))
    assert made.outlook() is Outlook.UNKNOWN
    assert made.prices() == FIXED


async def test_nonsense_is_told_once_and_changes_nothing() -> None:
    made, events = await heard(("house/outlook/set", b"\xff" * 100_000, False))
    assert made.outlook() is Outlook.UNKNOWN
    assert [(e.code, e.subject) for e in events] == [("setting_refused", "outlook")]
    assert len(events[0].text) < 200


async def test_a_site_without_a_market_knows_no_prices() -> None:
    house = FakeHouse()
    house.meter.say(300.0)
    assert house.site.last is not None
    now, decision = house.site.last
    assert now.prices is None
    assert decision.bias_w == 0.0
