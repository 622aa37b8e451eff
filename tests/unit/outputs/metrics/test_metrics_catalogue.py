"""Metrics: rows with names that Prometheus likes; unknown and old values have no sample."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as open_metrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from gridzero.links.memory import MemoryBroker, MemoryMqtt
from gridzero.outputs.feed import TOPICS, Feed
from gridzero.outputs.metrics.catalogue import METRICS
from gridzero.outputs.metrics.collector import FRESH_S, OWN, FeedCollector
from gridzero.outputs.metrics.reading import MOST_SAMPLES
from gridzero.ports.clock import LoopClock
from gridzero.sim.loop import run_simulated

UNITS = ("watts", "joules", "volts", "amperes", "ohms", "coulombs", "celsius", "seconds", "ratio")
FOREIGN = re.compile(r"_(w|v|a|wh|kwh|ah|pct|percent|c|h|hours|minutes|ms|milli\w*|kilo\w*)(_|$)")


class Listening:
    """A feed in memory, and what Prometheus would see of it."""

    def __init__(self) -> None:
        broker = MemoryBroker()
        self.person: MemoryMqtt = broker.attach()
        self.feed = Feed(broker.attach(), LoopClock(), "gridzero")
        self.registry = CollectorRegistry()
        self.registry.register(FeedCollector(self.feed))

    async def say(self, topic: str, payload: Any) -> None:
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        self.person.publish(f"gridzero/{topic}", text)
        await asyncio.sleep(0.001)

    def samples(self) -> dict[str, dict[tuple[str, ...], float]]:
        """By name, then by the values of the labels in the order of their names' alphabet."""
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in parse(generate_latest(self.registry).decode()):
            for sample in family.samples:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                found.setdefault(sample.name, {})[labels] = sample.value
        return found


def names() -> Iterator[str]:
    yield from (metric.name for metric in METRICS)
    yield from (name for name, _, _ in OWN)


def test_names_follow_the_rules_of_prometheus() -> None:
    assert len(set(names())) == len(list(names()))
    for name in names():
        assert re.fullmatch(r"gridzero(_[a-z]+)+", name), name
        assert not FOREIGN.search(name), f"{name} has a unit that is no base unit"
        assert not any(unit[:-1] + "_" in name for unit in ("watts", "joules", "volts")), name


def test_a_unit_stands_at_the_end_and_totals_behind_it() -> None:
    for name in names():
        parts = name.removesuffix("_total").split("_")
        assert not set(parts[:-1]) & set(UNITS), name


def test_every_metric_reads_a_topic_that_the_feed_keeps() -> None:
    assert {metric.topic for metric in METRICS} <= set(TOPICS)
    assert set(TOPICS) == set(FRESH_S)


async def test_before_anything_is_heard_only_the_age_of_nothing_is_known() -> None:
    listening = Listening()
    samples = listening.samples()
    assert samples["gridzero_up"] == {(): 0.0}
    assert set(samples) == {"gridzero_up", "gridzero_build_info"}


async def test_what_is_said_is_there_in_base_units() -> None:
    listening = Listening()
    await listening.say("status", "online")
    await listening.say(
        "state",
        {
            "grid_w": -12.5,
            "mode": "auto",
            "battery": {"soc_pct": 55.5, "out_wh": 2.0, "is_full": False, "current_a": None},
            "inverters": {"i1": {"ac_w": 300, "hours": 2.0, "state": "running", "alarms": []}},
            "faults": [{"code": "meter_lost", "subject": "meter", "level": None}] * 2,
        },
    )
    samples = listening.samples()
    assert samples["gridzero_up"] == {(): 1.0}
    assert samples["gridzero_grid_power_watts"] == {(): -12.5}
    assert samples["gridzero_battery_soc_ratio"][()] == pytest.approx(0.555)
    assert samples["gridzero_battery_available_joules"] == {(): 7200.0}
    assert samples["gridzero_battery_full"] == {(): 0.0}
    assert "gridzero_battery_amperes" not in samples, "unknown is absent, not 0"
    assert samples["gridzero_converter_running_seconds_total"] == {("i1", "inverter"): 7200.0}
    assert samples["gridzero_converter_state"] == {("i1", "inverter", "running"): 1.0}
    assert samples["gridzero_mode"][("auto",)] == 1.0
    assert samples["gridzero_mode"][("hold",)] == 0.0
    assert samples["gridzero_fault"] == {("meter_lost", "", "meter"): 1.0}
    assert samples["gridzero_faults"] == {(): 2.0}


async def test_cells_carry_module_and_cell() -> None:
    listening = Listening()
    cells = {"cells_v": [3.7, None, 3.71], "bleeding": [3], "suspect": [], "temps_c": []}
    await listening.say("cells", {"b3": cells})
    samples = listening.samples()
    assert samples["gridzero_cell_volts"] == {("1", "b3"): 3.7, ("3", "b3"): 3.71}
    assert samples["gridzero_cell_bleeding"][("3", "b3")] == 1.0
    assert samples["gridzero_cell_bleeding"][("1", "b3")] == 0.0


async def test_energy_is_counted_in_joules() -> None:
    listening = Listening()
    await listening.say("energy", {"grid_import_kwh": 2.5, "known_h": 2.0, "savings_ct": -3.5})
    samples = listening.samples()
    assert samples["gridzero_grid_import_joules_total"] == {(): 9e6}
    assert samples["gridzero_known_seconds_total"] == {(): 7200.0}
    assert samples["gridzero_savings_cents"] == {(): -3.5}
    assert "gridzero_house_joules_total" not in samples


async def test_switches_and_numbers_are_settings() -> None:
    listening = Listening()
    values = {"mode": "auto", "power_w": 500.0, "automatic": True, "ev_hold": "off"}
    shown = {key: {"value": value} for key, value in values.items()}
    await listening.say("settings", {"settings": shown})
    samples = listening.samples()["gridzero_setting"]
    assert samples == {("power_w",): 500.0, ("automatic",): 1.0, ("ev_hold",): 0.0}


async def test_what_is_old_is_absent_and_its_age_tells_why() -> None:
    listening = Listening()
    await listening.say("status", "online")
    await listening.say("state", {"grid_w": 10.0})
    await asyncio.sleep(FRESH_S["state"] + 1.0)
    samples = listening.samples()
    assert "gridzero_grid_power_watts" not in samples
    assert samples["gridzero_up"] == {(): 0.0}
    assert samples["gridzero_topic_age_seconds"][("state",)] == pytest.approx(11.0, abs=0.1)


async def test_offline_is_not_up_even_with_a_fresh_state() -> None:
    listening = Listening()
    await listening.say("state", {"grid_w": 10.0})
    await listening.say("status", "offline")
    assert listening.samples()["gridzero_up"] == {(): 0.0}


async def test_one_metric_cannot_fill_prometheus() -> None:
    listening = Listening()
    module = {"cells_v": [3.7] * 60}
    await listening.say("cells", {f"m{number}": module for number in range(100)})
    assert len(listening.samples()["gridzero_cell_volts"]) == MOST_SAMPLES


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["modules", "b3", "cells_v", "faults", "code", "subject", "value"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = sorted({"grid_w", "battery", "chargers", "faults", "modules", "hour", "settings", "b3"})


@settings(max_examples=60)
@given(topic=st.sampled_from(TOPICS), values=st.dictionaries(st.sampled_from(KEYS), JUNK))
def test_no_junk_spoils_a_scrape(topic: str, values: dict[str, Any]) -> None:
    async def scrape() -> None:
        listening = Listening()
        await listening.say(topic, json.dumps(values))
        assert listening.samples()["gridzero_up"] == {(): 0.0}
        text = open_metrics.generate_latest(listening.registry, version="1.0.0").decode()
        assert list(parse_open(text))

    run_simulated(scrape())


async def test_half_a_character_in_a_name_spoils_nothing() -> None:
    listening = Listening()
    await listening.say("cells", '{"\\ud800": {"cells_v": [3.7]}}')
    assert listening.samples()["gridzero_cell_volts"] == {("1", "?"): 3.7}
