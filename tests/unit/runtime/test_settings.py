from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.domain.modes import Mode, Wanted
from gridzero.runtime.settings import SettingRefused, Settings
from gridzero.runtime.stores import FileStore, MemoryStore, StoreDamaged


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
    with pytest.raises(SettingRefused, match=r"mode|number"):
        settings.change(**change)  # type: ignore[arg-type]  # table of wrong values
    assert settings.wanted == Wanted(target_w=5.0)


@given(
    st.dictionaries(
        st.sampled_from(["mode", "power_w", "target_w", "x"]),
        st.none()
        | st.floats()
        | st.text()
        | st.lists(st.integers())
        | st.fixed_dictionaries(
            {
                "value": st.none() | st.booleans() | st.floats() | st.text() | st.just("off"),
                "default": st.sampled_from(["auto", 0.0, 3.0]),
            }
        ),
    )
)
def test_a_damaged_store_never_stops_the_start(stored: dict[str, object]) -> None:
    store = MemoryStore()
    store.values = stored
    wanted = Settings(Wanted(target_w=3.0), store).wanted
    assert 0 <= wanted.power_w <= 20_000
    assert -2000 <= wanted.target_w <= 2000


def test_only_what_was_changed_is_stored_and_a_new_default_ends_it() -> None:
    store = MemoryStore()
    Settings(Wanted(target_w=10.0), store).change(mode="hold")
    assert store.values == {"mode": {"value": "hold", "default": "auto"}}
    assert Settings(Wanted(target_w=20.0), store).wanted == Wanted(Mode.HOLD, 0.0, 20.0)
    assert Settings(Wanted(mode=Mode.OFF), store).wanted.mode is Mode.OFF


def test_what_is_the_same_is_not_written_again() -> None:
    store = MemoryStore()
    settings = Settings(Wanted(), store)
    settings.change(mode="auto", target_w=0)
    assert store.values == {}


@pytest.mark.real_time
async def test_settings_survive_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "settings.json"
    settings = Settings(Wanted(), FileStore(path))
    settings.change(mode="hold", target_w=25)
    await asyncio.get_running_loop().shutdown_default_executor()
    stored = json.loads(path.read_text())
    assert {key: entry["value"] for key, entry in stored.items()} == {
        "mode": "hold",
        "target_w": 25.0,
    }
    assert Settings(Wanted(), FileStore(path)).wanted.mode is Mode.HOLD


@pytest.mark.real_time
@pytest.mark.parametrize("content", [b"\xff{", b"[]", b""])
async def test_an_unreadable_file_rests_the_battery_and_is_told(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged):
        FileStore(path).load()
    settings = Settings(Wanted(), FileStore(path))
    assert settings.wanted.mode is Mode.HOLD
    assert "settings.json" in settings.lost
    await asyncio.get_running_loop().shutdown_default_executor()
    assert path.with_suffix(".damaged").read_bytes() == content
    again = Settings(Wanted(), FileStore(path))
    assert again.wanted.mode is Mode.HOLD, "it rests until a person says something else"
    assert not again.lost


_CHANGES = st.sampled_from(["min_soc_pct", "reserve_soc_pct", "max_soc_pct"]).flatmap(
    lambda key: st.tuples(st.just(key), st.integers(0, 100).map(str))
)


@given(
    st.lists(
        _CHANGES | st.sampled_from([("mode", "off"), ("max_charge_w", "0"), ("ev_hold", "on")]),
        max_size=12,
    )
)
def test_whatever_was_accepted_is_the_same_after_a_restart(changes: list[tuple[str, str]]) -> None:
    store, default = MemoryStore(), Wanted(max_soc_pct=50.0, min_soc_pct=10.0)
    settings = Settings(default, store)
    for key, value in changes:
        with suppress(SettingRefused):
            settings.change(**{key: value})
    assert Settings(default, store).wanted == settings.wanted


@pytest.mark.parametrize("key", ["mode", "maintenance", "allow_charge", "ev_hold"])
def test_what_held_the_battery_back_and_cannot_be_read_rests_it(key: str) -> None:
    store, default = MemoryStore(), Wanted()
    store.values = {
        "min_soc_pct": {"value": 20.0, "default": 0.0},
        key: {"value": "of a later version", "default": getattr(default, key)},
    }
    settings = Settings(default, store)
    assert settings.wanted == replace(default, mode=Mode.HOLD, min_soc_pct=20.0)
    assert key in settings.lost
    again = Settings(default, store)
    assert again.wanted == settings.wanted, "it rests until a person says something else"
    assert not again.lost


def test_bounds_that_a_new_configuration_contradicts_give_way() -> None:
    store = MemoryStore()
    Settings(Wanted(), store).change(max_soc_pct=30, reserve_soc_pct=5)
    wanted = Settings(Wanted(min_soc_pct=40.0), store).wanted
    assert wanted == Wanted(min_soc_pct=40.0, reserve_soc_pct=5.0)


def test_a_configuration_that_contradicts_itself_does_not_hang_the_start() -> None:
    store = MemoryStore()
    Settings(Wanted(), store).change(power_w=100)
    contradiction = Wanted(min_soc_pct=40.0, max_soc_pct=30.0)
    assert Settings(contradiction, store).wanted.power_w == 100.0


@given(
    st.dictionaries(
        st.sampled_from(["target_w", "power_w", "peak_w", "min_soc_pct", "max_soc_pct"]),
        st.sampled_from([0.0, 20.0, 60.0, 90.0]),
    ),
    st.sampled_from(list(Mode)),
    st.builds(
        Wanted,
        mode=st.sampled_from([Mode.AUTO, Mode.HOLD]),
        target_w=st.sampled_from([0.0, 20.0]),
        min_soc_pct=st.sampled_from([0.0, 30.0]),
        max_soc_pct=st.sampled_from([50.0, 100.0]),
    ),
)
def test_new_defaults_while_running_are_what_a_restart_would_give(
    changes: dict[str, float], mode: Mode, default: Wanted
) -> None:
    store = MemoryStore()
    settings = Settings(Wanted(), store)
    for key, value in {**changes, "mode": mode.value}.items():
        with suppress(SettingRefused):
            settings.change(**{key: value})
    restarted = MemoryStore()
    restarted.values = json.loads(json.dumps(store.values))
    settings.renew(default)
    assert settings.wanted == Settings(default, restarted).wanted
    assert Settings(default, store).wanted == settings.wanted
