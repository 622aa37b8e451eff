"""Counters survive restarts, days are those of the calendar, and readers never see a step back."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.control.energy import Energy
from gridzero.control.ledger import Ledger
from gridzero.control.score import Score
from gridzero.domain.decision import Work
from gridzero.domain.energy import Counted, Money
from gridzero.domain.events import Event
from gridzero.outputs.energy import energy_of
from gridzero.ports.clock import LoopClock
from gridzero.runtime.energy_memory import DAYS, VERSION, EnergyMemory
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.stores import FileStore, MemoryStore

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=BERLIN)


class Life:
    """One run of the process, on a clock that the test sets."""

    def __init__(
        self,
        store: Any = None,
        days: Any = None,
        at: datetime = NOON,
        zone: ZoneInfo = BERLIN,
    ) -> None:
        ledger = Ledger({}, {})
        self.energy = Energy(ledger, Score(ledger, 1.5))
        self.store, self.days = store or MemoryStore(), days or MemoryStore()
        self.utc_s, self.zone = at.timestamp(), zone
        self.work: dict[str, Work] = {}
        self.events: list[Event] = []
        faults = FaultBook(LoopClock())
        faults.on_event(self.events.append)
        self.memory = EnergyMemory(
            self.energy,
            self.store,
            self.days,
            faults,
            LoopClock(),
            work=lambda: self.work,
            utc_s=lambda: self.utc_s,
            zone=zone,
        )

    def flows(self, kwh: float, at: datetime | None = None) -> None:
        if at is not None:
            self.utc_s = at.timestamp()
        self.energy.sums[Counted.HOUSE] += kwh
        self.memory.collect()

    def told(self) -> dict[str, Any]:
        told = energy_of(self.memory.shown, self.zone)
        assert told is not None
        assert json.loads(json.dumps(told, allow_nan=False)) == told
        return told


async def test_nothing_is_told_before_anything_is_stored() -> None:
    life = Life()
    life.flows(1.0)
    assert energy_of(life.memory.shown) is None


async def test_counters_go_on_after_a_restart() -> None:
    first = Life()
    first.flows(1.5)
    first.work["inverter"] = Work(2.0, 3, None)
    first.energy.money[Money.SAVINGS], first.energy.knows_prices = -4.25, True
    first.memory.save()
    again = Life(first.store, first.days)
    assert again.told()["house_kwh"] == 1.5, "before anything is counted"
    again.work["inverter"] = Work(1.0, 1, None)
    again.flows(0.25)
    again.memory.save()
    told = again.told()
    assert told["house_kwh"] == told["today"]["house_kwh"] == 1.75
    assert told["savings_ct"] == told["today"]["savings_ct"] == -4.25
    assert told["converters"] == {"inverter": {"hours": 3.0, "starts": 4}}
    assert (told["today"]["starts"], told["today"]["hours"]) == (4, 3.0)
    assert told["import_cost_ct"] == 0.0


async def test_a_converter_that_is_counted_anew_takes_nothing_back() -> None:
    life = Life()
    for hours, starts in ((2.0, 3), (0.0, 0), (1.0, 1)):
        life.work["inverter"] = Work(hours, starts, None)
        life.memory.save()
    assert life.told()["converters"] == {"inverter": {"hours": 3.0, "starts": 4}}


async def test_what_nobody_measures_is_null() -> None:
    life = Life()
    life.memory.save()
    told = life.told()
    assert told["battery_in_dc_kwh"] is told["savings_ct"] is told["today"]["autarky_pct"] is None
    assert told["grid_import_kwh"] == 0.0
    life.energy.knows_dc = True
    life.memory.save()
    assert life.told()["battery_in_dc_kwh"] == 0.0


async def test_shares_of_the_day() -> None:
    life = Life()
    sums = life.energy.sums
    sums[Counted.HOUSE], sums[Counted.HOUSE_FROM_BATTERY] = 4.0, 3.0
    sums[Counted.SURPLUS], sums[Counted.CHARGED_FROM_SURPLUS] = 8.0, 2.0
    sums[Counted.PRODUCED], sums[Counted.CONSUMED] = 12.0, 10.0
    life.memory.save()
    told = energy_of(life.memory.shown, BERLIN, has_production=True)
    assert told is not None
    today = told["today"]
    assert (today["autarky_pct"], today["surplus_used_pct"]) == (90.0, 25.0)
    assert (today["self_consumption_pct"], today["produced_kwh"]) == (50.0, 12.0)
    without = life.told()
    assert without["produced_kwh"] is without["today"]["self_consumption_pct"] is None
    assert without["today"]["autarky_pct"] == 90.0


async def test_a_day_ends_at_local_midnight() -> None:
    life = Life(at=datetime(2026, 3, 10, 23, 59, tzinfo=BERLIN))
    life.flows(1.0)
    life.flows(2.0, datetime(2026, 3, 11, 0, 1, tzinfo=BERLIN))
    life.memory.save()
    told = life.told()
    assert (told["today"]["date"], told["today"]["house_kwh"]) == ("2026-03-11", 2.0)
    assert told["today"]["since"] == "2026-03-11T00:00:00+01:00"
    assert [(day["date"], day["house_kwh"]) for day in told["days"]] == [("2026-03-10", 1.0)]
    assert told["house_kwh"] == 3.0


@pytest.mark.parametrize(
    ("day", "hours", "offset"),
    [((2026, 3, 29), 23, "+01:00"), ((2026, 10, 25), 25, "+02:00")],
    ids=["spring", "autumn"],
)
async def test_days_of_23_and_25_hours(day: tuple[int, int, int], hours: int, offset: str) -> None:
    begins_s = datetime(*day, tzinfo=BERLIN).timestamp()
    life = Life(at=datetime.fromtimestamp(begins_s - 1800.0, UTC))
    for half_hour in range(2 * 26):
        life.utc_s = begins_s - 1800.0 + half_hour * 1800.0 + 60.0
        life.flows(0.5)
    life.memory.save()
    told = life.told()
    by_day = {one["date"]: one["house_kwh"] for one in (told["today"], *told["days"])}
    assert by_day[f"{day[0]}-{day[1]:02}-{day[2]:02}"] == hours
    assert sum(by_day.values()) == told["house_kwh"] == 26.0
    life.utc_s = begins_s + 3600.0
    life.memory.save()
    assert life.told()["today"]["since"].endswith(offset)


async def test_a_clock_that_is_wrong_gives_no_day() -> None:
    life = Life(at=datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    life.flows(1.0)
    life.memory.save()
    told = life.told()
    assert told["house_kwh"] == 1.0
    assert told["today"]["date"] is told["today"]["house_kwh"] is told["today"]["starts"] is None
    life.flows(0.5, NOON)
    life.memory.save()
    assert life.told()["today"]["house_kwh"] == 0.5
    assert life.told()["house_kwh"] == 1.5


async def test_a_clock_set_back_adds_to_the_day_that_was() -> None:
    life = Life(at=datetime(2026, 3, 11, 0, 1, tzinfo=BERLIN))
    life.flows(1.0)
    life.flows(1.0, datetime(2026, 3, 10, 23, 59, tzinfo=BERLIN))
    life.flows(1.0, datetime(2026, 3, 11, 0, 2, tzinfo=BERLIN))
    life.memory.save()
    told = life.told()
    assert told["today"]["house_kwh"] == 2.0
    assert told["days"][0]["house_kwh"] == 1.0


async def test_days_are_kept_for_a_year_and_a_week_is_told() -> None:
    life = Life()
    for day in range(DAYS + 20):
        life.flows(1.0, datetime.fromtimestamp(NOON.timestamp() + day * 86_400.0, UTC))
        life.memory.save()
    assert len(life.told()["days"]) == 7
    assert len(life.days.values["days"]) == DAYS - 1, "today is not over"
    assert len(json.dumps(life.store.values)) < 2500, "what is written each minute stays small"
    again = Life(life.store, life.days, datetime.fromtimestamp(life.utc_s, UTC))
    assert again.told() == life.told()


@pytest.mark.parametrize("ahead", [1, 2, 30, 4000])
async def test_a_clock_that_was_ahead_for_two_days_costs_no_later_day(ahead: int) -> None:
    def at(day: int) -> datetime:
        return datetime.fromtimestamp(NOON.timestamp() + day * 86_400.0, UTC)

    life = Life()
    for day in (0, ahead, ahead + 1, 0, 1, 2, 3):
        life.flows(1.0, at(day))
        life.memory.save()
    again = Life(life.store, life.days, at(3))
    again.memory.save()
    assert again.told()["today"] == life.told()["today"]
    assert again.told()["today"]["house_kwh"] >= 1.0
    assert [day["house_kwh"] for day in again.told()["days"]][:2] == [
        day["house_kwh"] for day in life.told()["days"]
    ][:2]
    assert again.told()["house_kwh"] == 7.0


async def test_the_days_are_written_once_a_day() -> None:
    class Counting(MemoryStore):
        saves = 0

        def save(self, values: dict[str, Any]) -> None:
            self.saves += 1
            super().save(values)

    days = Counting()
    life = Life(days=days)
    for hour in range(49):
        life.flows(1.0, datetime.fromtimestamp(NOON.timestamp() + hour * 3600.0, UTC))
        life.memory.save()
    assert days.saves == 2


async def test_it_is_saved_each_minute_and_when_a_day_begins() -> None:
    life = Life(at=datetime(2026, 3, 10, 23, 58, tzinfo=BERLIN))
    began_s = asyncio.get_running_loop().time()
    life.memory._utc_s = lambda: life.utc_s + asyncio.get_running_loop().time() - began_s
    saved: list[float] = []
    life.store.on_stored(lambda values: saved.append(values["utc_s"] - life.utc_s))
    running = asyncio.create_task(life.memory.run())
    await asyncio.sleep(290.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert saved == [0.0, 60.0, 120.0, 180.0, 240.0]
    assert life.told()["today"]["date"] == "2026-03-11"


# --- stored files -------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["{", "[]", "", '{"version": 99, "total": {}}', '{"a": 1}'])
async def test_what_cannot_be_read_is_kept_aside_and_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "energy.json"
    path.write_text(content)
    life = Life(FileStore(path))
    assert [(event.code, event.subject) for event in life.events] == [("energy_lost", "counters")]
    assert (tmp_path / "energy.damaged").read_text() == content
    assert life.memory.shown is None


@pytest.mark.parametrize(
    "total", [None, [], {"house_kwh": -3.0}, {"house_kwh": True}, {"house_kwh": "9"}, {"x": {}}]
)
async def test_what_cannot_be_is_left_out(total: Any) -> None:
    store = MemoryStore()
    store.save(
        {"version": VERSION, "utc_s": 1e9, "total": total, "days": {"x": 1, "2026-03-09": 2}}
    )
    life = Life(store)
    life.flows(1.0)
    life.memory.save()
    assert life.told()["house_kwh"] == 1.0


async def test_the_meter_is_followed_over_a_restart() -> None:
    first = Life()
    first.energy.grid_import.follow(5000.0, 0.0)
    first.memory.save()
    later = datetime.fromtimestamp(first.utc_s + 3600.0, UTC)
    again = Life(first.store, at=later)
    again.energy.grid_import.follow(5004.0, asyncio.get_running_loop().time())
    assert again.energy.grid_import.total_kwh == pytest.approx(4.0)
    unset = Life(first.store, at=datetime(1970, 1, 1, tzinfo=UTC))
    unset.energy.grid_import.follow(5004.0, asyncio.get_running_loop().time())
    assert unset.energy.grid_import.total_kwh == 0.0, "nobody knows how long it was"


@pytest.mark.real_time
async def test_only_what_is_on_the_disk_is_told(tmp_path: Path) -> None:
    """A disk that takes nothing: what was told stands still, and nothing is lost without a crash."""
    store = FileStore(tmp_path / "energy.json")
    life = Life(store)
    stored = asyncio.Event()
    store.on_stored(lambda _: stored.set())
    life.flows(1.0)
    life.memory.save()
    await asyncio.wait_for(stored.wait(), 10.0)
    assert life.told()["house_kwh"] == 1.0
    (tmp_path / "energy.new").mkdir()  # as a full disk: it cannot be written
    life.flows(1.0)
    life.memory.save()
    await asyncio.get_running_loop().run_in_executor(None, store._turn.acquire)
    store._turn.release()
    await asyncio.sleep(0)
    assert life.told()["house_kwh"] == 1.0
    (tmp_path / "energy.new").rmdir()
    stored.clear()
    life.memory.save()
    await asyncio.wait_for(stored.wait(), 10.0)
    assert life.told()["house_kwh"] == 2.0


class _Disk(MemoryStore):
    """Writes late, as a real one does: only ``sync`` brings it to the medium."""

    def __init__(self) -> None:
        super().__init__()
        self.newest: dict[str, Any] = {}

    def save(self, values: dict[str, Any]) -> None:
        self.newest = json.loads(json.dumps(values))

    def sync(self) -> None:
        if self.newest:
            super().save(self.newest)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["flow", "save", "sync", "kill"]), st.floats(0.0, 3.0)),
        max_size=60,
    )
)
async def test_no_reader_sees_a_counter_run_backwards(steps: list[tuple[str, float]]) -> None:
    disk, days = _Disk(), _Disk()
    life = Life(disk, days)
    seen_kwh = 0.0
    for what, kwh in steps:
        if what == "flow":
            life.flows(kwh / 7.0)
        elif what == "save":
            life.memory.save()
        elif what == "sync":
            disk.sync()
        else:
            fresh = _Disk()
            fresh.values = disk.values
            disk = fresh
            life = Life(disk, days)
        if life.memory.shown is not None:
            told_kwh = life.told()["house_kwh"]
            assert told_kwh >= seen_kwh
            seen_kwh = told_kwh
