"""What is learned on disk: checked when it is read, seldom written, kept aside when damaged."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from runtime_fakes import SPEC, FakeHouse

from gridzero.control.learned import Learned
from gridzero.domain.events import Event
from gridzero.domain.modes import Mode, Wanted
from gridzero.runtime.learning import Learning
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.stores import FileStore, MemoryStore

SLOW = Learned(dead_time_s=1.0, rise_w_per_s=5e5, fall_w_per_s=1e6, gain=0.9, sure=0.7, moves=30)


class Counting(MemoryStore):
    def __init__(self, values: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.values = values or {}
        self.saves = 0

    def save(self, values: dict[str, Any]) -> None:
        super().save(values)
        self.saves += 1


def learning(store: Any, house: FakeHouse | None = None) -> tuple[Learning, FakeHouse, list[Event]]:
    house = house or FakeHouse()
    events: list[Event] = []
    house.faults.on_event(events.append)
    return Learning(house.site, store, house.faults, house.clock), house, events


async def stored(learned: Learned = SLOW) -> dict[str, Any]:
    """What a house writes that has learned this."""
    store = Counting()
    made, house, _ = learning(store)
    house.site.identification.restore({"inverter": learned})
    made.save()
    return json.loads(json.dumps(store.values))  # type: ignore[no-any-return]


async def test_it_goes_on_where_it_ended() -> None:
    made, _, _ = learning(Counting(await stored()))
    assert made.learned["inverter"] == SLOW
    assert made.learned["charger"].moves == 0


async def test_other_nominal_dynamics_end_what_was_learned() -> None:
    house = FakeHouse()
    house.inverter.spec = replace(SPEC, dynamics=replace(SPEC.dynamics, dead_time_s=0.7))
    made, _, _ = learning(Counting(await stored()), house)
    assert made.learned["inverter"].moves == 0


@pytest.mark.parametrize(
    "damage",
    [
        {"learned": {"gain": 1.0}},
        {"learned": None},
        {"learned": {**SLOW.to_dict(), "gain": float("nan")}},
        {"nominal": 7},
        {"usual": {"gain": "much"}},
    ],
)
async def test_what_does_not_fit_is_dropped(damage: dict[str, Any]) -> None:
    values = await stored()
    values["inverter"] |= damage
    made, _, _ = learning(Counting(values))
    assert made.learned["inverter"].gain == 1.0


@pytest.mark.parametrize("whole", [{"inverter": 3}, {"inverter": []}, {"stranger": {}}])
async def test_a_file_of_other_things_is_nothing(whole: dict[str, Any]) -> None:
    made, _, _ = learning(Counting(whole))
    assert made.learned["inverter"].moves == 0


async def test_values_out_of_bounds_are_brought_back() -> None:
    values = await stored(replace(SLOW, gain=0.9))
    values["inverter"]["learned"]["gain"] = 40.0
    made, _, _ = learning(Counting(values))
    assert made.learned["inverter"].gain == 1.3


async def test_it_writes_every_ten_minutes_and_only_news() -> None:
    store = Counting()
    made, house, _ = learning(store)
    task = asyncio.create_task(made.run())
    await asyncio.sleep(1300)
    assert store.saves == 0, "nothing was learned"
    house.site.identification.restore({"inverter": SLOW})
    await asyncio.sleep(1300)
    assert store.saves == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_damaged_file_is_kept_aside_and_told(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    path.write_text("{")
    made, _, events = learning(FileStore(path, "It is learned again"))
    assert made.learned["inverter"].gain == 1.0
    assert [event.code for event in events] == ["learned_lost"]
    assert "learned again" in events[0].text
    assert (tmp_path / "learned.damaged").read_text() == "{"


async def test_a_gain_that_falls_is_told_and_cleared() -> None:
    store = Counting(await stored(replace(SLOW, gain=1.0)))
    made, house, events = learning(store)
    task = asyncio.create_task(made.run())
    await asyncio.sleep(6)
    assert not events
    house.site.identification.restore({"inverter": replace(SLOW, gain=0.78)})
    await asyncio.sleep(6)
    assert [(e.code, e.subject, e.active) for e in events] == [
        ("actuator_changed", "inverter", True)
    ]
    assert "78%" in events[0].text
    assert "100%" in events[0].text
    house.site.identification.restore({"inverter": replace(SLOW, gain=0.98)})
    await asyncio.sleep(6)
    assert not house.faults.stands("actuator_changed")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_converter_that_was_always_late_is_told_until_it_is_tested() -> None:
    made, house, events = learning(Counting())
    house.site.identification.restore({"inverter": replace(SLOW, dead_time_s=3.5, moves=14)})
    task = asyncio.create_task(made.run())
    await asyncio.sleep(6)
    assert [(e.code, e.subject) for e in events] == [("actuator_changed", "inverter")]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [(Wanted(), "not begun"), (Wanted(mode=Mode.HOLD), "hold"), (Wanted(), "meter")],
)
async def test_a_test_is_refused_while_nothing_can_be_seen(wanted: Wanted, says: str) -> None:
    made, house, _ = learning(Counting(), FakeHouse(wanted=wanted))
    if says != "not begun":
        house.site.tick()
    with pytest.raises(SettingRefused, match=says):
        made.ask("inverter")


async def test_a_test_is_refused_without_room_and_while_one_runs() -> None:
    made, house, _ = learning(Counting(), FakeHouse(shunt=True))
    house.meter.say(300.0)
    house.site.tick()
    made.ask("inverter")
    with pytest.raises(SettingRefused, match="is running"):
        made.ask("charger")
    made.ask("cancel")
    assert made.progress.ended == "it was cancelled"
    house.cells.volts = 3.0
    house.meter.say(300.0)
    with pytest.raises(SettingRefused, match="no room"):
        made.ask("inverter")
    with pytest.raises(SettingRefused, match="there is no converter 'lamp'"):
        made.ask("lamp")
