"""Home Assistant's face beside a simulated house: what it announces, tells and takes back."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest
from home_site import PREFIX, Ear, demo, face_of, running
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.domain.reasons import Because
from gridzero.links.memory import MemoryBroker
from gridzero.outputs.feed import Feed
from gridzero.outputs.home_assistant.facts import Facts
from gridzero.outputs.home_assistant.happenings import event_of
from gridzero.outputs.home_assistant.main_rows import MAIN_ROWS, money_rows
from gridzero.outputs.home_assistant.published import Memory
from gridzero.outputs.home_assistant.rows import Platform
from gridzero.outputs.home_assistant.shape import node_of
from gridzero.outputs.home_assistant.subsystems import available
from gridzero.outputs.home_assistant.unit_rows import converter_rows, module_rows
from gridzero.ports.clock import LoopClock
from gridzero.sim.loop import run_simulated

MAIN = f"{PREFIX}/device/gridzero/config"
MODULE = f"{PREFIX}/device/gridzero_module_b7/config"


async def test_every_device_is_announced_once_with_stable_ids(tmp_path: Path) -> None:
    site = demo()
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(30)
    announced = ear.announced()
    assert len(announced) == 1 + 9 + 2
    assert all(len(ear.times(topic)) == 1 for topic in announced)
    assert announced[MODULE]["device"]["via_device"] == "gridzero"
    ids = [
        component["unique_id"]
        for message in announced.values()
        for component in message["components"].values()
    ]
    assert len(ids) == len(set(ids))
    assert {"gridzero_grid_power", "gridzero_module_b7_cell_12", "gridzero_mode"} <= set(ids)
    cells = announced[MODULE]["components"]
    assert cells["cell_12"]["enabled_by_default"] is False


async def test_entities_say_what_home_assistant_needs_to_know(tmp_path: Path) -> None:
    site = demo()
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(30)
    components = ear.announced()[MAIN]["components"]
    grid = components["grid_power"]
    assert grid["availability"] == [
        {"topic": "gridzero/status"},
        {"topic": "gridzero/ha/available/meter"},
    ]
    assert (grid["unit_of_measurement"], grid["device_class"], grid["expire_after"]) == (
        "W",
        "power",
        20,
    )
    counter = components["battery_charged"]
    assert counter["state_class"] == "total_increasing"
    assert "expire_after" not in counter
    assert set(components["reason"]["options"]) == {each.value for each in Because}
    target = components["target_w"]
    assert (target["platform"], target["min"], target["max"], target["mode"]) == (
        "number",
        -2000.0,
        2000.0,
        "box",
    )
    assert target["command_topic"] == "gridzero/target_w/set"
    assert components["acknowledge"]["payload_press"] == "all"


async def test_powers_are_told_seldom_and_counters_only_once_they_are_loaded(
    tmp_path: Path,
) -> None:
    site = demo()
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(150)
    gaps = [after - before for before, after in pairwise(ear.times("gridzero/ha/main/power"))]
    assert min(gaps[2:]) >= 1.9  # the first come twice: at the start and after the announcement
    assert max(gaps) <= 6.1
    assert len(ear.times("gridzero/ha/module_b7/cells")) <= 4
    assert all(
        any(value is not None for value in json.loads(text).values())
        for _, topic, text in ear.heard
        if topic == "gridzero/ha/main/energy"
    )
    told = [json.loads(text) for _, topic, text in ear.heard if topic == "gridzero/ha/main/power"]
    assert any(abs(values["setpoint"]) > 100 for values in told)


async def test_a_birth_message_brings_everything_again_after_a_moment(tmp_path: Path) -> None:
    site = demo()
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(40)
        for _ in range(50):
            ear.link.publish("homeassistant/status", "online")
        born_s = asyncio.get_running_loop().time()
        await asyncio.sleep(10)
    again_s = [at_s for at_s in ear.times(MAIN) if at_s > born_s]
    assert len(again_s) == 1
    assert 3.0 <= again_s[0] - born_s <= 6.1
    told_s = [at_s for at_s in ear.times("gridzero/ha/main/slow") if at_s > again_s[0]]
    assert told_s


async def test_a_silent_module_and_a_silent_meter_become_unavailable(tmp_path: Path) -> None:
    site = demo()
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(30)
        before = ear.last("gridzero/ha/available/meter"), ear.last("gridzero/ha/available/battery")
        for client in site.links.broker.clients[:1]:
            client.plugged = False
        await asyncio.sleep(60)
    assert before == ("online", "online")
    assert ear.last("gridzero/ha/available/meter") == "offline"
    assert ear.last("gridzero/ha/available/module_b7") == "offline"


async def test_what_is_no_longer_configured_goes(tmp_path: Path) -> None:
    site = demo()
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(30)
    kept = dict(site.links.broker.retained)
    site = demo(without=(7,))
    site.links.broker.retained.update(kept)
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(30)
    assert ear.last(MODULE) == ""
    assert MODULE not in ear.announced()
    assert "gridzero/ha/available/module_b7" not in site.links.broker.retained
    assert len(ear.announced()) == 11


async def test_an_entity_that_is_no_longer_there_is_named_without_more(tmp_path: Path) -> None:
    published = {MAIN: {"old": "sensor", "mode": "sensor"}}
    values = {"version": 1, "published": published, "subsystems": []}
    (tmp_path / "home_assistant.json").write_text(json.dumps(values))
    site = demo()
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(30)
    components = ear.announced()[MAIN]["components"]
    assert components["old"] == {"platform": "sensor"}
    assert components["mode"]["platform"] == "select"


async def test_the_single_form_gives_way_to_the_device_form(tmp_path: Path) -> None:
    site = demo()
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path, discovery="single")):
        await asyncio.sleep(30)
    single = f"{PREFIX}/sensor/gridzero/gridzero_grid_power/config"
    message = ear.announced()[single]
    assert message["device"]["identifiers"] == ["gridzero"]
    assert message["unique_id"] == "gridzero_grid_power"
    kept = dict(site.links.broker.retained)

    site = demo()
    site.links.broker.retained.update(kept)
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(30)
    order = [(topic, text[:6]) for _, topic, text in ear.heard if topic in {single, MAIN}]
    assert order[:3] == [(single, '{"migr'), (MAIN, '{"devi'), (single, "")]
    assert len(ear.announced()) == 12


async def test_a_refused_wish_is_answered_with_the_old_value_and_an_event(tmp_path: Path) -> None:
    site = demo()
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path)):
        await asyncio.sleep(30)
        before = len(ear.times("gridzero/ha/main/settings"))
        ear.link.publish("gridzero/target_w/set", "1e9")
        await asyncio.sleep(3)
    event = ear.values("main/event")
    assert event["event_type"] == "refused"
    assert event["text"]
    assert len(ear.times("gridzero/ha/main/settings")) > before


async def test_two_gridzeros_on_one_broker_do_not_meet() -> None:
    assert node_of("gridzero") == "gridzero"
    assert len({node_of("a/b"), node_of("a_b"), node_of("A_b")}) == 3


async def test_a_damaged_memory_is_a_new_beginning(tmp_path: Path) -> None:
    file = tmp_path / "home_assistant.json"
    for text in ("", "[]", '{"version": 2}', '{"version": 1, "published": {"a": 1}}', "[" * 9999):
        file.write_text(text)
        memory = Memory(file)
        memory.load()
        assert memory.published == {}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"code": "meter_lost", "active": True}, "meter_lost"),
        ({"code": "meter_lost", "active": False}, "meter_back"),
        ({"code": "setting_refused", "active": True}, "refused"),
        ({"code": "inverter_not_following", "active": True}, "actuator_stuck"),
        ({"code": "cell_over", "active": True, "severity": "fault"}, "fault"),
        ({"code": "cell_over", "active": False, "severity": "fault"}, "fault_cleared"),
        ({"code": None, "active": "x", "severity": "info"}, "told"),
    ],
)
def test_events_have_a_type(said: dict[str, object], kind: str) -> None:
    assert event_of(said)["event_type"] == kind


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below),
    max_leaves=8,
)
ROWS = (*MAIN_ROWS, *money_rows("EUR"), *converter_rows("chargers", "r"), *module_rows("b3", 12))


@given(
    state=st.dictionaries(
        st.sampled_from(["setpoint_w", "faults", "battery", "chargers", "meter_age_s", "because"]),
        JSON | st.dictionaries(st.sampled_from(["r", "soc_pct", "max_cell_v"]), JSON),
    ),
    cells=st.dictionaries(
        st.just("b3"), st.dictionaries(st.sampled_from(["cells_v", "temps_c", "bleeding"]), JSON)
    ),
)
@settings(max_examples=60)
def test_whatever_is_heard_an_entity_shows_what_its_kind_may(
    state: dict[str, object], cells: dict[str, object]
) -> None:
    async def look() -> list[object]:
        broker = MemoryBroker()
        feed = Feed(broker.attach(), LoopClock(), "gridzero")
        mouth = broker.attach()
        mouth.publish("gridzero/state", json.dumps(state))
        mouth.publish("gridzero/cells", json.dumps(cells))
        await asyncio.sleep(0.1)
        facts = Facts(feed)
        for subsystem in ("battery", "meter", "module_b3", "charger_r"):
            available(subsystem, facts, 10.0)
        return [(row, row.value(facts)) for row in ROWS]

    for row, value in run_simulated(look()):
        if row.platform is Platform.BINARY_SENSOR:
            assert value in {None, "ON", "OFF"}
        elif row.options:
            assert value is None or value in row.options
        elif row.is_words or row.device_class == "timestamp":
            assert value is None or isinstance(value, str)
        else:
            assert value is None or isinstance(value, int | float)
        json.dumps(value, allow_nan=False)
