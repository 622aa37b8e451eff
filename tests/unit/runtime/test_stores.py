"""Files that somebody has written into, a disk that was full, and a second process."""

from __future__ import annotations

import asyncio
import json
import os
from math import inf
from pathlib import Path

import pytest

from gridzero.errors import ConfigError
from gridzero.runtime.state_lock import only_process
from gridzero.runtime.stores import FileStore, StoreDamaged


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
