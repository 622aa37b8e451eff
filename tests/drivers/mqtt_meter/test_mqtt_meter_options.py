from __future__ import annotations

from typing import Any

import pytest
from mqtt_meter_site import options
from pydantic import ValidationError

from gridzero.ports.devices import Role
from gridzero_drivers.mqtt_meter import plugin

PHASES = [{"topic": "a"}, {"topic": "b", "scale": 1000}]


def test_the_short_form_is_one_source() -> None:
    (term,) = options(topic="t", path="SML.P", scale=1000, sign="export_positive").terms()
    assert (term.topic, term.path, term.factor) == ("t", ("SML", "P"), -1000)


def test_sources_are_phases() -> None:
    assert [(t.topic, t.factor) for t in options(sources=PHASES).terms()] == [("a", 1), ("b", 1000)]


def test_an_export_counts_negative() -> None:
    same, other = options(path="P", export_path="PO").terms()
    assert (same.factor, other.factor, other.topic, other.path) == (1, -1, "m", ("PO",))
    _, elsewhere = options(export_topic="x", scale=1000).terms()
    assert (elsewhere.topic, elsewhere.path, elsewhere.factor) == ("x", None, -1000)


@pytest.mark.parametrize(
    ("interval_s", "given_s", "window_s"), [(0.25, None, 1.0), (5.0, None, 10.0), (5.0, 3.0, 3.0)]
)
def test_the_pair_window(interval_s: float, given_s: float | None, window_s: float) -> None:
    made = options(expected_interval_s=interval_s, pair_window_s=given_s)
    assert made.window_s == window_s


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"topic": None}, "either topic or sources"),
        ({"topic": "m", "sources": PHASES}, "either topic or sources"),
        ({"sources": PHASES, "scale": 1000, "path": "x"}, "path, scale belongs into each source"),
        ({"topic": "meter/#"}, "one topic"),
        ({"topic": ""}, "at least 1 character"),
        ({"path": "a."}, "key is missing, at character 3"),
        ({"path": "a", "export_path": "a"}, "count twice"),
        ({"sources": [{"topic": "a"}, {"topic": "a"}]}, "count twice"),
        ({"sources": [{"topic": "a"}, {"topic": "a", "path": "b"}]}, "plain number and JSON"),
        ({"export_path": "a"}, "export_path needs"),
        ({"time_path": "a"}, "time_path needs"),
        ({"scale": 0}, "greater than 0"),
        ({"scale": float("inf")}, "finite"),
        ({"plausible_w": float("nan")}, "less than or equal"),
        ({"latency_s": -1}, "greater than or equal"),
        ({"colour": "red"}, "not permitted"),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        options(**given)


def test_the_plugin() -> None:
    assert plugin.role is Role.METER
    assert plugin.link_names(options()) == (("mqtt", "mqtt"),)
