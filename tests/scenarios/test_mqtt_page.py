"""docs/mqtt.md names every topic and every key that there is, and no other."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scenario import DEMO, house

from gridzero.config.loader import load_text
from gridzero.configured.reloading import Reloader
from gridzero.configured.rollback import Chosen
from gridzero.domain.ageing import (
    CellHealth,
    Estimate,
    HealthReport,
    Maintenance,
    ModuleHealth,
    RemainingLife,
    Throughput,
    Urgency,
)
from gridzero.domain.alarms import Alarm, Level
from gridzero.domain.balancing import BalanceReason, BalancingState, ModuleBalancing
from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge
from gridzero.domain.condition import Condition
from gridzero.domain.thermal import ThermalState
from gridzero.domain.trust import Blame, CellDoubt, Oddity, Trust
from gridzero.outputs.battery import battery_of, health_of
from gridzero.plugins import find_plugins
from gridzero.runtime.config_keep import ConfigKeep

PAGE = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text()
PRICES = "\nprices: {import_ct: 30, export_ct: 8}\n"
NAMED = {
    *("chargers", "inverters", "modules", "balancing.modules"),
    *("converters", "today.converters"),
}
"""Objects whose keys are names of modules and devices."""
FIGURE = {"value", "sigma", "from", "to"}
WHOLE = {
    *(
        "chargers.NAME.learned",
        "inverters.NAME.learned",
        "identify.done",
        "score",
        "hour",
        "day",
        "switches",
    ),
    *("trust.modules", "thermal.predicted_c"),
}
"""Objects that another page explains, or of names and texts."""

ONE = Estimate(1.0, 0.1)
CONDITION = Condition(
    charge=BatteryCharge(
        at_s=0.0,
        soc=0.5,
        sigma=0.03,
        capacity_ah=180.0,
        out_ah=90.0,
        in_ah=90.0,
        out_wh=3900.0,
        in_wh=4100.0,
        to_empty_s=None,
        to_full_s=3600.0,
        is_full=False,
        is_empty=False,
        anchored_s=0.0,
        modules={
            "b3": ModuleCharge(
                name="b3", cells=(CellCharge(0.5, 0.03, 3.7, 0.003),) * 2, current_a=1.0
            )
        },
    ),
    trust=Trust(
        cells={
            "b3.1": CellDoubt(
                module="b3",
                cell=1,
                oddity=Oddity.OFFSET,
                blame=Blame.SENSOR,
                reading_v=2.58,
                estimate_v=3.7,
                within_v=0.05,
                text="b3.1 reads 1.12 V less than it is",
            )
        }
    ),
    alarms=(
        Alarm(
            code="cell_misread",
            subject="b3.1",
            level=Level.WARN,
            text="",
            stops_charge=False,
            stops_discharge=False,
        ),
    ),
    balancing=BalancingState(
        at_s=0.0,
        modules={
            "b3": ModuleBalancing(
                module="b3",
                cells=2,
                reason=BalanceReason.BLEEDING,
                text="",
                cell_ah=(0.0, 0.3),
                bleed_hours=3.0,
                hours_left=8.0,
                progress=0.1,
                bled_ah=0.03,
                since_s=0.0,
            )
        },
    ),
    thermal=ThermalState(
        at_s=0.0,
        predicted_c={"b3": 18.0},
        hottest_c=18.0,
        coldest_c=17.0,
        ambient_c=15.0,
        charge_factor=1.0,
        discharge_factor=1.0,
        heat_on=False,
        fan_on=False,
        warm_in_s=None,
        because=(),
        alarms=(),
    ),
)
HEALTH = HealthReport(
    days=70.0,
    capacity_ah=ONE,
    health=ONE,
    ohm=ONE,
    offset_a=ONE,
    throughput=Throughput(),
    modules={
        "b3": ModuleHealth(
            name="b3",
            capacity_ah=ONE,
            usable_ah=20.0,
            ohm=ONE,
            growth=ONE,
            imbalance=None,
            warmer_c=0.0,
            throughput=Throughput(),
            cells=(CellHealth(),),
        )
    },
    maintenance=(
        Maintenance(
            code="cell_misread",
            module="b3",
            cell=1,
            urgency=Urgency.PLAN,
            what="",
            why="",
            sure=0.9,
            remedy="",
        ),
    ),
    life=RemainingLife(days=900.0, from_days=500.0, to_days=None, end_ah=150.0),
)


def paths(value: Any, at: str = "") -> Iterator[str]:
    """Each key with the way to it; names become NAME, members of lists []."""
    if isinstance(value, dict) and at not in WHOLE and not value.keys() <= FIGURE:
        for key, inner in value.items():
            step = "NAME" if at in NAMED else key
            yield from paths(inner, f"{at}.{step}" if at else step)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from paths(value[0], f"{at}[]")
    else:
        yield at


def documented(topic: str) -> set[str]:
    """The keys in the table below the heading of a topic."""
    _, _, rest = PAGE.partition(f"\n## `gridzero/{topic}`\n")
    rows = re.findall(r"^\| (`.+?) \|", rest.partition("\n## ")[0], re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`(.+?)`", row)}


def listed(heading: str) -> set[str]:
    _, _, rest = PAGE.partition(f"\n## {heading}\n")
    return set(re.findall(r"^\| `(.+?)` \|", rest.partition("\n## ")[0], re.MULTILINE))


async def test_the_page_names_every_topic_and_key(tmp_path: Path) -> None:
    config = tmp_path / "demo.yaml"
    config.write_text(DEMO.read_text() + PRICES)
    said: dict[str, Any] = {}
    async with house(config=config) as story:
        broker = story.site.links.broker
        plugins, text = find_plugins(), config.read_text()
        loaded = load_text(text, config, plugins.plugins)
        chosen = Chosen(config, text, loaded, ConfigKeep(tmp_path / "state", config))
        Reloader(chosen, plugins, story.site.app, None)
        taken = {topic for client in broker.clients for topic, _ in client._subscriptions}
        person = broker.attach()
        person.subscribe("gridzero/#", lambda m: said.update({m.topic: m.payload}))
        person.publish("gridzero/ask", '{"id": "1", "what": "balance", "value": "perhaps"}')
        person.publish("gridzero/trace/set", "inverter")
        await asyncio.sleep(70.0)
    del said["gridzero/ask"], said["gridzero/trace/set"]
    heard = {topic.removeprefix("gridzero/"): json.loads(text) for topic, text in said.items()}
    heard["trace/LINK"] = heard.pop("trace/inverter")
    assert {f"gridzero/{topic}" for topic in heard} | {"gridzero/status"} == listed("What it says")
    assert {t for t in taken if t.startswith("gridzero/")} == listed("What it takes")
    heard["settings"] = {
        "version": heard["settings"]["version"],
        "settings": {"KEY": heard["settings"]["settings"]["mode"]},
        "actions": {"KEY": heard["settings"]["actions"]["balance"]},
    }
    assert set(heard["answer"]) == documented("ask` and `gridzero/answer")
    for topic in (
        "state",
        "score",
        "energy",
        "event",
        "settings",
        "config",
        "control",
        "trace/LINK",
    ):
        assert set(paths(heard[topic])) == documented(topic), topic
    cells = {"NAME": next(iter(heard["cells"].values()))}
    assert set(paths(cells)) == documented("cells")


@pytest.mark.parametrize(
    ("topic", "values"),
    [("battery", battery_of(CONDITION, 0.0)), ("health", health_of(HEALTH))],
    ids=["battery", "health"],
)
def test_the_page_names_all_that_is_told_of_the_battery(topic: str, values: dict[str, Any]) -> None:
    assert set(paths(values)) == documented(topic)
