"""The table of settings: what is taken, what is refused, and what is stored of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.domain.modes import NO_CAP_W, Mode, Strategy, Wanted
from gridzero.domain.settings import SETTING_OF, SETTINGS, Kind
from gridzero.runtime.setting_values import moment_of
from gridzero.runtime.settings import SettingRefused, Settings
from gridzero.runtime.stores import MemoryStore

KEYS = sorted(SETTING_OF)
NOON = "2027-01-15T12:00:00Z"
NOON_S = 1_800_014_400.0


def made(store: MemoryStore | None = None, now_s: float = NOON_S - 3600.0, **more: Any) -> Settings:
    return Settings(Wanted(), store or MemoryStore(), utc_s=lambda: now_s, **more)


GARBAGE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=300)
    | st.lists(st.integers(), max_size=2)
    | st.sampled_from(
        ["9" * 400, "1e999", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-23:59"]
    )
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(KEYS), GARBAGE), max_size=5))
def test_garbage_is_refused_and_what_is_taken_is_within_its_row(
    wishes: list[tuple[str, object]],
) -> None:
    store = MemoryStore()
    found = made(store)
    for key, value in wishes:
        before = found.wanted
        with suppress(SettingRefused):
            found.change(**{key: value})
            continue
        assert found.wanted == before
    for row in SETTINGS:
        value = getattr(found.wanted, row.key)
        if row.kind is Kind.NUMBER:
            assert row.low is not None
            assert row.high is not None
            assert row.low <= value <= row.high
    assert found.wanted.min_soc_pct < found.wanted.max_soc_pct
    assert made(store).wanted == found.wanted, "a restart changes nothing"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("strategy", " Peak_Shave ", Strategy.PEAK_SHAVE),
        ("ev_hold", "ON", True),
        ("allow_charge", "false", False),
        ("allow_discharge", False, False),
        ("max_soc_pct", "85", 85.0),
        ("override_note", " for the electrician ", "for the electrician"),
        ("override_until", "2027-01-15 13:00+01:00", NOON),
        ("override_until", "2027-01-15T12:00", NOON),
        ("override_until", "", ""),
    ],
)
def test_each_kind_is_read(key: str, text: object, value: object) -> None:
    found = made()
    assert getattr(found.change(**{key: text}), key) == value


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"min_soc_pct": 100}, "max_soc_pct"),
        ({"reserve_soc_pct": 80, "max_soc_pct": 70}, "max_soc_pct"),
        ({"override_note": "x" * 201}, "too long"),
        ({"override_note": "a\x1b[31mb"}, "cannot be shown"),
        ({"override_until": "2027-01-15T10:59:00Z"}, "is over"),
        ({"override_until": "2028-02-15T10:59:00Z"}, "more than a year"),
        ({"maintenance": "maybe"}, "on nor off"),
        ({"sesame": "open"}, "no setting"),
        ({"power_w": True}, "not a number"),
    ],
)
def test_what_contradicts_is_refused_as_a_whole(change: dict[str, Any], says: str) -> None:
    found = made()
    with pytest.raises(SettingRefused, match=says):
        found.change(**change)
    assert found.wanted == Wanted()


def test_a_clock_that_is_not_set_knows_no_moment() -> None:
    with pytest.raises(SettingRefused, match="clock"):
        made(now_s=30.0).change(override_until=NOON)


def test_an_override_ends_once_its_time_has_come() -> None:
    store, now_s = MemoryStore(), [NOON_S - 60.0]
    found = Settings(Wanted(), store, utc_s=lambda: now_s[0])
    found.change(mode="charge", override_until=NOON, override_note="cheap")
    found.end_override()
    assert found.wanted.mode is Mode.CHARGE
    now_s[0] = NOON_S
    found.end_override()
    assert found.wanted == Wanted()
    assert made(store).wanted == Wanted()


def test_an_override_waits_for_a_clock_that_is_set_after_a_restart() -> None:
    store = MemoryStore()
    made(store).change(mode="hold", override_until=NOON)
    now_s = [12.0]
    again = Settings(Wanted(), store, utc_s=lambda: now_s[0])
    modes = []
    for moment_s in (12.0, NOON_S + 86_400.0):
        now_s[0] = moment_s
        again.end_override()
        modes.append(again.wanted.mode)
    assert modes == [Mode.HOLD, Mode.AUTO]


def test_choosing_auto_ends_an_override_and_automatic_is_the_mode() -> None:
    found = made()
    found.change(automatic="off", override_until=NOON)
    assert found.wanted.mode is Mode.HOLD
    assert found.shown("automatic") is False
    found.change(automatic="on")
    assert found.wanted == Wanted()


def test_a_cap_at_its_end_is_no_cap_and_shown_as_what_there_is() -> None:
    store = MemoryStore()
    found = made(store, most_w={"max_charge_w": 2800.0, "max_discharge_w": 0.0})
    assert (found.shown("max_charge_w"), found.shown_default("max_charge_w")) == (2800.0, 2800.0)
    assert found.change(max_charge_w=2800).max_charge_w == NO_CAP_W
    found.change(max_charge_w=1500)
    with pytest.raises(SettingRefused, match="2800"):
        found.change(max_charge_w=2801)
    rows = {row.key: row for row in found.rows}
    assert rows["max_discharge_w"].high == 50.0, "a slider needs room"
    fewer = made(store, most_w={"max_charge_w": 1000.0})
    assert (fewer.wanted.max_charge_w, fewer.shown("max_charge_w")) == (1500.0, 1000.0)


def test_a_tariff_without_prices_is_refused_and_a_stored_one_dropped() -> None:
    store = MemoryStore()
    made(store).change(strategy="tariff")
    found = made(store, has_prices=False)
    assert found.wanted.strategy is Strategy.SELF_USE
    with pytest.raises(SettingRefused, match="prices"):
        found.change(strategy="tariff")


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([*KEYS, "shunt_flipped", "x"]), GARBAGE, max_size=6))
def test_a_store_with_anything_in_it_never_stops_the_start(values: dict[str, object]) -> None:
    store = MemoryStore()
    defaults = {**asdict(Wanted()), "automatic": True, "x": 0}
    store.values = {key: {"value": v, "default": defaults[key]} for key, v in values.items()}
    found = made(store).wanted
    assert found.min_soc_pct < found.max_soc_pct
    assert isinstance(found.shunt_flipped, bool)
    moment_of(found.override_until)
