from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.domain.modes import Mode, Wanted
from gridzero.runtime.settings import FileStore, MemoryStore, SettingRefused, Settings


def test_a_change_is_checked_stored_and_said() -> None:
    store = MemoryStore()
    settings, heard = Settings(Wanted(), store), []
    settings.on_change(heard.append)
    settings.change(mode=" Charge ", power_w="800")
    assert settings.wanted == Wanted(mode=Mode.CHARGE, power_w=800.0)
    assert heard == [settings.wanted]
    assert Settings(Wanted(), store).wanted == settings.wanted


@pytest.mark.parametrize(
    "change", [{"mode": "turbo"}, {"power_w": "nan"}, {"power_w": -1}, {"target_w": "9e9"}]
)
def test_what_cannot_be_taken_is_refused_with_a_reason(change: dict[str, str]) -> None:
    settings = Settings(Wanted(target_w=5.0), MemoryStore())
    with pytest.raises(SettingRefused, match="mode|number"):
        settings.change(**change)  # type: ignore[arg-type]  # table of wrong values
    assert settings.wanted == Wanted(target_w=5.0)


@given(
    st.dictionaries(
        st.sampled_from(["mode", "power_w", "target_w", "x"]),
        st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.integers()),
    )
)
def test_a_damaged_store_never_stops_the_start(stored: dict[str, object]) -> None:
    store = MemoryStore()
    store.values = stored
    wanted = Settings(Wanted(target_w=3.0), store).wanted
    assert 0 <= wanted.power_w <= 20_000
    assert -2000 <= wanted.target_w <= 2000


@pytest.mark.real_time
async def test_settings_survive_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "settings.json"
    settings = Settings(Wanted(), FileStore(path))
    settings.change(mode="hold", target_w=25)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert json.loads(path.read_text()) == {"mode": "hold", "power_w": 0.0, "target_w": 25.0}
    assert Settings(Wanted(), FileStore(path)).wanted.mode is Mode.HOLD


def test_a_file_that_is_not_ours_counts_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xff{")
    assert FileStore(path).load() == {}
