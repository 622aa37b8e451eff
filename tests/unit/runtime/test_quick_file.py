"""What is only noted survives the process, and never covers what is newer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.runtime.quick_file import QuickFile
from gridzero.runtime.stores import FileStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def noted(path: Path) -> dict[str, Any]:
    """What a next process would find."""
    return FileStore(path).load()


def restore(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values))


def on_disk(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest_asyncio.fixture
async def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker threads have no place in simulated time."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "run_in_executor", lambda _pool, work, *given: work(*given))


@pytest.mark.usefixtures("at_once")
async def test_what_was_noted_is_found_by_the_next_process(path: Path) -> None:
    store = FileStore(path)
    store.note({"power_w": 1})
    assert noted(path) == {"power_w": 1}, "before the first save"
    store.save({"power_w": 2})
    await asyncio.sleep(0)
    assert noted(path) == {"power_w": 2}
    store.note({"power_w": 3})
    assert on_disk(path) == {"power_w": 2}, "the file itself is spared"
    assert noted(path) == {"power_w": 3}
    store.save({"power_w": 4})
    assert noted(path) == {"power_w": 4}


@pytest.mark.usefixtures("at_once")
async def test_a_file_from_a_backup_counts_more_than_what_was_noted_over_another(
    path: Path,
) -> None:
    store = FileStore(path)
    store.save({"power_w": 2})
    store.note({"power_w": 3})
    restore(path, {"power_w": 7})
    assert noted(path) == {"power_w": 7}


@pytest.mark.usefixtures("at_once")
async def test_who_asks_is_told_once_it_is_kept(path: Path) -> None:
    store, told = FileStore(path), []
    store.when_kept(lambda: told.append("nothing waits"))
    store.note({"power_w": 1})
    store.when_kept(lambda: told.append("noted"))
    store.save({"power_w": 2})
    store.when_kept(lambda: told.append("saved"))
    assert told == ["nothing waits"]
    await asyncio.sleep(0)
    assert told == ["nothing waits", "noted", "saved"]


@pytest.mark.usefixtures("at_once")
async def test_who_asks_while_nothing_can_be_stored_waits_until_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.write_text("a file where the folder should be")
    store, told = FileStore(folder / "settings.json"), []
    store.save({"power_w": 1})
    store.when_kept(lambda: told.append("kept"))
    await asyncio.sleep(59.0)
    assert told == []
    folder.unlink()
    await asyncio.sleep(61.0)
    assert told == ["kept"]
    assert noted(folder / "settings.json") == {"power_w": 1}


@pytest.mark.usefixtures("at_once")
async def test_what_is_too_long_for_a_block_is_saved_instead(path: Path) -> None:
    FileStore(path).note({"note": "x" * 5000})
    assert len(on_disk(path)["note"]) == 5000


_VALUES = st.dictionaries(st.text(max_size=20), st.floats(allow_nan=False) | st.text(max_size=40))


@settings(max_examples=100)
@given(values=_VALUES.filter(bool), cut=st.floats(0.0, 1.0), junk=st.binary(max_size=64))
def test_half_a_block_is_no_block(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any], cut: float, junk: bytes
) -> None:
    """After a power cut: cut off anywhere, followed by anything."""
    main = tmp_path_factory.mktemp("cut") / "settings.json"
    quick = main.with_suffix(".quick")
    assert QuickFile(main).write(values)
    whole = quick.read_bytes()
    assert QuickFile(main).load(b"") == values
    place = int(cut * (len(whole) - 1))
    quick.write_bytes(whole[:place] + junk)
    found = QuickFile(main).load(b"")
    assert found == {} or (found == values and (whole[:place] + junk).startswith(whole[:-1]))
