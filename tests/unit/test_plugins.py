"""Drivers are found by entry point; a broken one is named and hides no other."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest
import structlog

from gridzero import plugins
from gridzero.plugins import GROUP, find_plugins, load_plugins
from gridzero.ports.plugin import DriverPlugin

SHIPPED = {"ads1115_shunt", "mqtt_meter", "soyosource", "vertiv_r48", "vw_gte"}


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module of a stranger."""
    module = ModuleType("acme_drivers")
    monkeypatch.setitem(sys.modules, "acme_drivers", module)
    yield module
    sys.modules.pop("acme_drivers", None)


@pytest.fixture
def meter() -> DriverPlugin:
    return load_plugins()["mqtt_meter"]


def test_the_shipped_drivers_are_installed() -> None:
    found = find_plugins()
    assert found.plugins.keys() >= SHIPPED
    assert found.broken == {}
    assert list(found.plugins) == sorted(found.plugins)
    assert load_plugins().keys() == found.plugins.keys()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("acme_missing:plugin", "cannot be imported: ModuleNotFoundError"),
        ("acme_drivers:plugin", "cannot be imported: AttributeError"),
        ("acme_drivers:text", "is a str, not a DriverPlugin"),
        ("acme_drivers:renamed", "calls itself 'other'"),
        ("acme_drivers:bare", "no subclass of Options"),
    ],
)
def test_a_broken_driver_is_named_and_the_others_stay(
    acme: Any, meter: DriverPlugin, value: str, what: str
) -> None:
    acme.text = "hello"
    acme.renamed = replace(meter, name="other")
    not_options: Any = dict
    acme.bare = replace(meter, name="acme", options=not_options)
    good = point("mqtt_meter", "gridzero_drivers.mqtt_meter:plugin")
    found = find_plugins([point("acme", value), good])
    assert found.plugins == {"mqtt_meter": meter}
    assert what in found.reasons["acme"]
    assert str(found.broken["acme"]).startswith("driver acme: ")


def test_a_driver_that_raises_on_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "acme_raises.py").write_text("raise RuntimeError('no such bus')")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find_plugins([point("acme", "acme_raises:plugin")])
    assert "RuntimeError: no such bus" in found.reasons["acme"]


def test_of_two_drivers_with_one_name_neither_is_taken(acme: Any, meter: DriverPlugin) -> None:
    acme.plugin = meter
    mine = point("mqtt_meter", "gridzero_drivers.mqtt_meter:plugin")
    found = find_plugins([mine, point("mqtt_meter", "acme_drivers:plugin")])
    assert found.plugins == {}
    assert "has the same name" in found.reasons["mqtt_meter"]


def test_one_driver_found_twice_is_one(meter: DriverPlugin) -> None:
    same = point("mqtt_meter", "gridzero_drivers.mqtt_meter:plugin")
    assert find_plugins([same, same]) == ({"mqtt_meter": meter}, {})


def test_broken_drivers_are_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(*, group: str) -> list[EntryPoint]:
        return [point("acme", "acme_missing:plugin")] if group == GROUP else []

    monkeypatch.setattr(plugins, "entry_points", points)
    with structlog.testing.capture_logs() as logs:
        found: Mapping[str, DriverPlugin] = load_plugins()
    assert found == {}
    assert [(entry["event"], entry["driver"]) for entry in logs] == [("driver.broken", "acme")]
