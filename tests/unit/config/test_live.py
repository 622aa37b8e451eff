"""What may change while gridzero runs: one table for the whole schema, and the comparison."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from gridzero.config.live import (
    LIVE,
    are_harmless,
    changes,
    row_of,
    split,
    taken,
)
from gridzero.config.models import Config
from gridzero.config.written import written_differences

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
BEGIN, END = "<!-- live -->\n", "<!-- end of live -->\n"

SMALL: dict[str, Any] = {
    "site": {"name": "Home"},
    "mqtt": {"host": "broker", "username": "me", "password": "tell-nobody"},
    "links": {"bus": {"type": "can", "channel": "can0"}},
    "devices": {"meter": {"driver": "mqtt_meter", "topic": "a/b"}},
    "control": {"target_w": 0.0},
    "prices": {"import_ct": 30.0, "export_ct": 8.0},
}


def config(**changed: Any) -> Config:
    """SMALL with sections merged into; None takes a section out."""
    values = dict(SMALL)
    for name, section in changed.items():
        if section is None:
            values.pop(name, None)
        else:
            values[name] = {**values.get(name, {}), **section}
    return Config.model_validate(values)


def keys_of(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Every key of the schema; what people name themselves ends at the section."""
    for name, field in model.model_fields.items():
        below = [t for t in _types(field.annotation) if issubclass(t, BaseModel)]
        if not below:
            yield f"{above}{name}"
        for section in below:
            yield from keys_of(section, f"{above}{name}.")


def _types(annotation: Any) -> list[type]:
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    if get_args(annotation) and getattr(annotation, "__origin__", None) is not dict:
        return [found for inner in get_args(annotation) for found in _types(inner)]
    return []


def test_each_key_of_the_schema_has_a_row_and_no_row_is_without_a_key() -> None:
    keys = set(keys_of(Config))
    assert {"control.lease_s", "alerts.least", "console.ssh.port", "links"} <= keys
    for key in keys:
        assert any(row is row_of(key) for row in LIVE), f"{key} needs a row in config/live.py"
    for row in LIVE:
        assert any(key == row.key or key.startswith(f"{row.key}.") for key in keys), row.key
    assert len({row.key for row in LIVE}) == len(LIVE)


def test_each_key_of_control_has_a_row_of_its_own() -> None:
    """A new one is not live by itself: somebody must have made it so."""
    keys = {key for key in keys_of(Config) if key.startswith("control.")}
    assert keys == {row.key for row in LIVE if row.key.startswith("control.")}


def test_what_no_row_knows_needs_a_restart_and_is_not_harmless() -> None:
    assert not row_of("something.new").is_live
    assert not are_harmless(["something.new"])


def test_what_limits_the_battery_is_never_live_nor_harmless() -> None:
    for key in ("battery.max_charge_a", "battery.overrides.cell_full", "devices.x.max_w", "links"):
        assert not row_of(key).is_live
        assert not are_harmless([key])
    assert not are_harmless(["alerts.least", "control.mode"])
    assert are_harmless(["alerts.least", "site.log.level", "dashboard.port"])


def test_numbers_are_shown_and_texts_are_not() -> None:
    new = config(control={"target_w": 20.0}, mqtt={"password": "another", "host": "elsewhere"})
    words = [change.words for change in changes(config(), new)]
    assert words == ["mqtt.host", "mqtt.password", "control.target_w (0 -> 20)"]


def test_a_new_section_is_one_change_and_so_is_one_that_is_gone() -> None:
    with_alerts = config(alerts={"least": "warning"})
    assert [c.words for c in changes(config(), with_alerts)] == ["alerts (added)"]
    assert [c.words for c in changes(with_alerts, config())] == ["alerts (removed)"]
    new = config(devices={"fan": {"driver": "gpio_switch", "pin": 3}})
    assert [c.words for c in changes(config(), new)] == ["devices.fan (added)"]


def test_a_default_that_is_written_out_is_no_change() -> None:
    assert changes(config(), config(control={"lease_s": 3.0})) == ()


def test_faces_wait_with_the_rest_because_they_read_the_whole_file() -> None:
    new = config(alerts={"least": "warning"}, control={"target_w": 20.0}, battery={"module_ah": 30})
    parts = split(changes(config(), new))
    assert [c.key for c in parts.now] == ["control.target_w"]
    assert [c.key for c in parts.waiting] == ["battery.module_ah", "alerts"]
    assert parts.beside == frozenset()
    parts = split(changes(config(), config(alerts={}, control={"target_w": 20.0})))
    assert parts.waiting == ()
    assert parts.beside == {"companion"}


def test_prices_may_change_and_a_section_of_prices_may_not_come_or_go() -> None:
    assert not split(changes(config(), config(prices={"import_ct": 31.0}))).waiting
    assert [c.key for c in split(changes(config(), config(prices=None))).waiting] == ["prices"]


SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "site": st.fixed_dictionaries(
            {"name": st.sampled_from(["Home", "Away"])},
            optional={"log": st.just({"level": "debug"}), "state_dir": st.just("elsewhere")},
        ),
        "mqtt": st.just({"host": "other", "username": None, "password": None}),
        "battery": st.fixed_dictionaries({"max_charge_a": st.sampled_from([10.0, 50.0])}),
        "control": st.fixed_dictionaries(
            {},
            optional={
                "target_w": st.floats(-100, 100),
                "mode": st.sampled_from(["auto", "hold"]),
                "lease_s": st.floats(1, 10),
                "meter_lost_s": st.floats(5, 20),
                "target_topic": st.sampled_from(["a", "b"]),
            },
        ),
        "prices": st.none() | st.just({"import_ct": 40.0, "import_topic": "now"}),
        "production": st.none() | st.just({"topic": "pv"}),
        "alerts": st.just({"least": "warning"}),
        "dashboard": st.just({"port": 9000}),
        "history": st.just({"enabled": False}),
        "devices": st.just({"fan": {"driver": "gpio_switch", "pin": 3}}),
    },
)


@given(SECTIONS, SECTIONS)
def test_what_is_taken_and_what_waits_are_all_that_differs(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> None:
    old, new = config(**one), config(**other)
    parts = split(changes(old, new))
    runs = taken(old, new, parts)
    assert {c.key for c in changes(runs, new)} == {c.key for c in parts.waiting}
    assert {c.key for c in changes(old, runs)} == {c.key for c in parts.now}
    for section in ("mqtt", "links", "devices", "battery", "thermal", "watchdog"):
        assert getattr(runs, section) == getattr(old, section)
    assert runs.site.state_dir == old.site.state_dir
    if not parts.waiting:
        assert runs == new


def test_files_are_compared_as_they_are_written_without_looking_anything_up() -> None:
    old = "site: {name: A}\nmqtt: {password: !secret a}\nalerts: {least: fault}\n"
    new = "site: {name: A}\nmqtt: {password: !secret b}\nalerts: {leest: 1}\n"
    assert written_differences(old, old) == ()
    assert written_differences(old, new) == ("mqtt.password", "alerts.least", "alerts.leest")
    assert written_differences(old, "site: [\n") is None
    assert written_differences(old, "") is None
    assert written_differences(old, yaml.safe_dump([1])) is None


def table() -> str:
    rows = "".join(f"| `{row.key}` | {_when(row)} |\n" for row in LIVE)
    return f"| Key | A change takes effect |\n|---|---|\n{rows}"


def _when(row: Any) -> str:
    if not row.is_live:
        return "with a restart"
    beside = " and ".join(f"the {name}" for name in row.beside)
    if row.control:
        return (
            f"at once; {beside} starts again"
            if len(row.beside) == 1
            else (f"at once; {beside} start again" if beside else "at once")
        )
    return f"when {beside} {'has' if len(row.beside) == 1 else 'have'} started again, by itself"


def test_the_page_shows_the_table() -> None:
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        PAGE.write_text(wanted)
    assert re.search(r"with a restart", table())
    assert PAGE.read_text() == wanted
