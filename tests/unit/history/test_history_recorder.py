"""The recorder: what is said is written, whatever is said and whatever the disk does."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from history_house import NOON_S, House, cells, rows_in, state
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.outputs.history.catalogue import known
from gridzero.outputs.history.ear import MOST_SAMPLES
from gridzero.outputs.history.intake import happening, setting_values, state_values
from gridzero.outputs.history.opening import only_recorder
from gridzero.outputs.history.reader import HistoryError, HistoryReader, Level
from gridzero.outputs.history.store import Store
from gridzero.sim.loop import run_simulated

SPAN = NOON_S - 10**5, NOON_S + 10**5, 10**8  # finer than anything stored
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30)),
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=12), below, max_size=4)
    ),
    max_leaves=12,
)


def all_of(house: House, name: str, level: Level = Level.RAW) -> list[float | str | None]:
    with HistoryReader(house.file) as reader:
        found = reader.series([name], *SPAN, level)
    return list(found.columns[name].last)


async def test_every_state_is_there_after_an_orderly_end(tmp_path: Path) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        await house.live(200)
    expected = [round(state(n)["grid_w"]) for n in range(200)]
    assert all_of(house, "grid_w") == expected


async def test_a_few_writes_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    write = Store.write
    monkeypatch.setattr(
        Store,
        "write",
        lambda self, batch: (writes.append(len(batch.samples)), write(self, batch))[1],
    )
    house = House(tmp_path / "h.sqlite", batch_s=30)
    async with house.recording():
        await house.live(600)
        assert len(writes) <= 20
    assert sum(writes) == 600


async def test_reasons_and_events_and_settings_are_told_in_words(tmp_path: Path) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        house.say("settings", {"settings": {"mode": {"value": "auto"}, "power_w": {"value": None}}})
        await house.live(20, because="balanced")
        house.say(
            "event",
            {
                "code": "meter_lost",
                "subject": "meter",
                "severity": "fault",
                "text": "no word",
                "remedy": "look",
                "active": True,
            },
        )
        house.say("settings", {"settings": {"mode": {"value": "hold"}, "power_w": {"value": 300}}})
        await house.live(20, because="cell_full")
    with HistoryReader(house.file) as reader:
        events = reader.events(0, house.now_s + 1)
        decisions = reader.events(0, house.now_s + 1, kinds=["decision"])
    told = {(one.kind, one.code, one.text) for one in events}
    assert told == {
        ("event", "meter_lost", "no word"),
        ("setting", "mode", "mode: auto -> hold"),
        ("setting", "power_w", "power_w: unset -> 300"),
    }
    assert [one.code for one in decisions] == ["cell_full", "balanced"]
    assert decisions[0].text == "the highest cell is full"


async def test_cells_are_written_each_minute_while_they_move(tmp_path: Path) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        for number in range(60):
            house.say("cells", cells(min(30, number)))
            await house.live(10)
    with HistoryReader(house.file) as reader:
        found = reader.cells(*SPAN)
    assert len(found.columns) == 2 * 13
    assert 5 <= len(found.at_s) <= 7, "nothing has moved in the second half"
    assert found.columns["cell.a3.12"].last[0] == 3.711
    assert found.columns["temp.b1.1"].last[0] == 17.5


async def test_counters_are_kept_each_five_minutes(tmp_path: Path) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        for number in range(90):
            house.say("energy", {"grid_import_kwh": 12 + number / 1000, "savings_ct": None, "x": 1})
            await house.live(10, pv_w=720)
    counted = [value for value in all_of(house, "energy.grid_import_kwh") if value is not None]
    assert counted == [12.0, 12.03, 12.06]
    with HistoryReader(house.file) as reader:
        assert "energy.savings_ct" not in reader.names()
        made = reader.series(["pv_wh"], *SPAN).columns["pv_wh"].mean
    assert sum(value or 0 for value in made) == pytest.approx(720 * 900 / 3600)


async def test_cells_at_rest_are_written_each_quarter_of_an_hour(tmp_path: Path) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        for _ in range(360):
            house.say("cells", cells(1))
            await asyncio.sleep(10)
    with HistoryReader(house.file) as reader:
        assert len(reader.cells(*SPAN).at_s) == 4


@settings(max_examples=40)
@given(
    junk=st.lists(
        st.tuples(st.sampled_from(["state", "cells", "event", "settings", "energy"]), JUNK),
        max_size=8,
    )
)
def test_garbage_never_stops_it(
    tmp_path_factory: pytest.TempPathFactory, junk: list[tuple[str, Any]]
) -> None:
    file = tmp_path_factory.mktemp("history") / "h.sqlite"

    async def live() -> House:
        house = House(file)
        async with house.recording():
            await house.live(5)
            for topic, values in junk:
                house.say(topic, values)
                house.say(
                    topic,
                    {
                        "because": values,
                        "battery": values,
                        "grid_w": values,
                        "settings": values,
                        "b1": values,
                        "code": values,
                    },
                )
                await asyncio.sleep(1)
            await house.live(40)
        return house

    house = run_simulated(live())
    assert len(all_of(house, "net_load_w")) >= 45
    assert Store.open(file).close() is None


@settings(max_examples=80)
@given(values=st.dictionaries(st.sampled_from([*state(1), "code", "settings", "severity"]), JUNK))
def test_whatever_is_said_becomes_numbers_of_a_possible_size(values: dict[str, Any]) -> None:
    for name, value in state_values(values).items():
        assert known(name)
        assert isinstance(value, str) or -(2**48) < value < 2**48
    told = happening(values)
    assert told is None or told.severity in {"info", "warning", "fault"}
    assert all(isinstance(value, str) for value in setting_values(values).values())


async def test_a_flood_of_states_is_counted_and_not_stored(tmp_path: Path) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        for number in range(3000):
            house.say("state", state(number))
            house.say("event", {"code": f"flood_{number}"})
            await asyncio.sleep(0.001)
        await asyncio.sleep(40)
    assert len(all_of(house, "grid_w")) == 10
    assert house.ear.dropped["too close"] == 2990
    with HistoryReader(house.file) as reader:
        assert reader.events(0, house.now_s + 1)[-1].code == "flood_0", "how it began"


async def test_nothing_is_written_in_1970_and_all_of_it_once_the_time_is_known(
    tmp_path: Path,
) -> None:
    house = House(tmp_path / "h.sqlite")
    house.ahead_s = 100.0
    async with house.recording():
        await house.live(90)
        with HistoryReader(house.file) as reader:
            assert reader.names() == []
        house.ahead_s = NOON_S
        await house.live(60)
    with HistoryReader(house.file) as reader:
        found = reader.series(["grid_w"], *SPAN, Level.RAW)
    assert len(found.at_s) == 150
    assert found.at_s[0] == NOON_S, "stamped with what the clock should have shown"


@pytest.mark.parametrize("jump_s", [-7200, -40, 3600, 10**10, -(10**9)])
async def test_a_clock_that_jumps_loses_and_doubles_nothing(tmp_path: Path, jump_s: int) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        await house.live(100)
        house.ahead_s += jump_s
        await house.live(100)
        if abs(jump_s) > 10**6:
            house.ahead_s -= jump_s
            await house.live(40)
    with HistoryReader(house.file) as reader:
        found = reader.series(["grid_w"], *SPAN, Level.RAW)
    assert rows_in(house.file) == (240 if abs(jump_s) > 10**6 else 200)
    assert min(found.at_s) >= NOON_S + min(jump_s, 0) * (abs(jump_s) < 10**6)
    assert max(found.at_s) <= NOON_S + 10_000


async def test_a_second_recorder_is_refused(tmp_path: Path) -> None:
    house = House(tmp_path / "h.sqlite")
    with only_recorder(house.file), pytest.raises(HistoryError, match="another gridzero records"):
        await house.recorder.run()


@pytest.mark.parametrize("spoil", ["whole", "middle"])
async def test_a_damaged_file_is_kept_aside_and_told(tmp_path: Path, spoil: str) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        await house.live(400)
    size = house.file.stat().st_size
    with house.file.open("r+b") as file:
        file.seek(0 if spoil == "whole" else 4096)
        file.write(b"\x5a" * (size if spoil == "whole" else size - 8192))
    async with house.recording():
        await house.live(100)
        assert [e["code"] for e in house.events][-1:] == ["history_damaged"] or spoil == "middle"
        await house.live(100)
    assert len(all_of(house, "grid_w")) >= 150
    assert (tmp_path / "h.sqlite.damaged-1").exists()
    assert "history_damaged" in {event["code"] for event in house.events}


async def test_a_file_that_is_spoilt_while_it_is_open_is_replaced(tmp_path: Path) -> None:
    house = House(tmp_path / "h.sqlite")
    async with house.recording():
        await house.live(400)
        connection = sqlite3.connect(house.file)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        with house.file.open("r+b") as file:
            file.write(b"\xa5" * house.file.stat().st_size)
        await house.live(200)
    assert "history_damaged" in {event["code"] for event in house.events}
    assert len(all_of(house, "grid_w")) >= 100


async def test_what_cannot_be_written_is_kept_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path / "h.sqlite")
    write, full = Store.write, [False]

    def writes(self: Store, batch: Any) -> None:
        if full[0]:
            raise sqlite3.OperationalError("database or disk is full")
        write(self, batch)

    monkeypatch.setattr(Store, "write", writes)
    async with house.recording():
        await house.live(100)
        full[0] = True
        await house.live(300)
        full[0] = False
        await house.live(100)
    told = [event["active"] for event in house.events if event["code"] == "history_not_written"]
    assert told == [True, False]
    assert len(all_of(house, "grid_w")) == 500


async def test_memory_is_bounded_while_nothing_can_be_written(tmp_path: Path) -> None:
    house = House(tmp_path / "no" / "h.sqlite")
    (tmp_path / "no").write_text("a file where a folder should be")
    async with house.recording():
        await house.live(MOST_SAMPLES + 300)
        assert len(house.ear._samples) == MOST_SAMPLES
        assert [e["code"] for e in house.events] == ["history_not_written"]
        (tmp_path / "no").unlink()
        await house.live(60)
    assert len(all_of(house, "grid_w")) >= MOST_SAMPLES
