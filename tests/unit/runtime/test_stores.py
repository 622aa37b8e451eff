"""Files that somebody has written into, a disk that was full, and a second process."""

from __future__ import annotations

import asyncio
import json
import os
from math import inf
from pathlib import Path
from typing import Any

import pytest

from gridzero.errors import ConfigError
from gridzero.ports.clock import LoopClock
from gridzero.runtime.sparing_store import SparingStore
from gridzero.runtime.state_lock import only_process
from gridzero.runtime.stores import FileStore, MemoryStore, StoreDamaged


class WriteCounter(MemoryStore):
    """Counts what would be written to a card."""

    count = 0
    noted: dict[str, Any] | None = None

    def save(self, values: dict[str, Any]) -> None:
        self.count += 1
        super().save(values)

    def note(self, values: dict[str, Any]) -> None:
        self.noted = dict(values)


async def test_a_file_that_is_nested_too_deeply_is_damaged_and_ends_no_process(
    tmp_path: Path,
) -> None:
    path = tmp_path / "battery.json"
    path.write_text('{"a":' * 200_000)
    with pytest.raises(StoreDamaged):
        FileStore(path).load()


async def test_a_whole_number_beyond_all_floats_is_read_as_infinite(tmp_path: Path) -> None:
    path = tmp_path / "battery.json"
    path.write_text(f'{{"a": 1{"0" * 400}, "b": -1{"0" * 400}, "c": 12}}')
    assert FileStore(path).load() == {"a": inf, "b": -inf, "c": 12}


async def test_what_a_full_disk_refused_is_written_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    loop, path = asyncio.get_running_loop(), tmp_path / "latched.json"
    monkeypatch.setattr(loop, "run_in_executor", lambda _pool, work, *given: work(*given))
    store = FileStore(path)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        store.save({"latched": 1})
        await asyncio.sleep(100)
    assert not path.exists()
    await asyncio.sleep(61)
    assert json.loads(path.read_text()) == {"latched": 1}


async def test_a_disk_that_stays_full_is_tried_once_a_minute_however_often_somebody_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried_s: list[float] = []
    loop = asyncio.get_running_loop()

    def refuse(_fd: int) -> None:
        tried_s.append(loop.time())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop, "run_in_executor", lambda _pool, work, *given: work(*given))
    monkeypatch.setattr(os, "fsync", refuse)
    store = FileStore(tmp_path / "energy.json")
    for minute in range(60):
        store.save({"minute": minute})
        await asyncio.sleep(59.0)
    tried_s.clear()
    await asyncio.sleep(600.0)
    assert 9 <= len(tried_s) <= 11


async def test_a_program_that_steers_every_second_does_not_wear_the_card() -> None:
    written = WriteCounter()
    store = SparingStore(written, LoopClock())
    for number in range(3600):
        store.save({"target_w": number})
        await asyncio.sleep(1.0)
    assert written.count <= 20 + 3600 / 30 + 1
    store.flush()
    assert written.values == {"target_w": 3599}


async def test_what_a_person_changes_is_stored_at_once() -> None:
    written = WriteCounter()
    store = SparingStore(written, LoopClock())
    for number in range(20):
        store.save({"target_w": number})
        assert written.values == {"target_w": number}
    store.save({"target_w": -1})
    store.save({"target_w": -2})
    assert written.values == {"target_w": 19}
    assert written.noted == {"target_w": -2}
    await asyncio.sleep(31.0)
    assert written.values == {"target_w": -2}
    assert written.count == 21


def test_a_second_process_on_the_same_folder_is_refused_and_told_what_to_do(
    tmp_path: Path,
) -> None:
    with only_process(tmp_path / "state"):
        with pytest.raises(ConfigError, match="another gridzero"), only_process(tmp_path / "state"):
            pass
        with only_process(tmp_path / "other"):
            assert (tmp_path / "other" / "lock").exists()
    with only_process(tmp_path / "state"):
        assert (tmp_path / "state" / "lock").exists()


def test_a_folder_that_cannot_be_locked_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with only_process(tmp_path / "file"):
        assert (tmp_path / "file").read_text() == ""
