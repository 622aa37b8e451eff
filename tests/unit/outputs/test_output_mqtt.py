"""MQTT: the state each second, events at once, and settings that are looked at before they count."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.battery.limits import Ratings
from gridzero.battery.profile import profile
from gridzero.control.tuning import Tuning
from gridzero.domain.converters import ConverterSpec, Dynamics, Setpoint
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.readings import ConverterReading, ConverterState, MeterReading
from gridzero.domain.reasons import Because
from gridzero.links.memory import MemoryBroker, MemoryMqtt
from gridzero.outputs.mqtt_in import MqttIn
from gridzero.outputs.mqtt_out import MqttOut, json_text
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import OnSent
from gridzero.ports.links import MqttMessage
from gridzero.runtime.desk import desk_of
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.parts import Parts
from gridzero.runtime.rules import SiteRules
from gridzero.runtime.settings import Settings
from gridzero.runtime.site import Site
from gridzero.runtime.stores import MemoryStore
from gridzero.sim.loop import run_simulated

RULES = SiteRules(
    profile=profile("vw_gte_12s", {}),
    ratings=Ratings(max_charge_a=50.0, max_discharge_a=50.0, max_module_a=12.5),
    tuning=Tuning(),
)
MEGABYTE = 1 << 20


class QuietMeter:
    name = "meter"
    interval_s = 0.5

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Nothing to leave safe."""

    def latest(self) -> MeterReading | None:
        return None

    def on_reading(self, listener: Callable[[MeterReading], None]) -> None:
        """It never has one."""


class IdleCharger:
    """It takes everything and does nothing."""

    name = "charger"
    state = ConverterState.OFF
    spec = ConverterSpec(
        min_w=100.0,
        max_w=2800.0,
        efficiency=0.95,
        dynamics=Dynamics(dead_time_s=0.5, jump_w=100.0, rise_w_per_s=200.0, fall_w_per_s=2e4),
    )

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Nothing to leave safe."""

    def command(self, setpoint: Setpoint) -> None:
        """It does not matter here."""

    def reading(self) -> ConverterReading | None:
        return None

    def telemetry_expected(self) -> bool:
        return False

    def on_sent(self, listener: OnSent) -> None:
        """Nothing is ever sent."""


class House:
    """A site with a meter and a charger, its output, and somebody who listens at the broker."""

    def __init__(self) -> None:
        clock = LoopClock()
        broker = MemoryBroker()
        self.faults = FaultBook(clock)
        parts = Parts(meter=QuietMeter(), chargers=[IdleCharger()])
        settings = Settings(Wanted(mode=Mode.HOLD, power_w=500.0), MemoryStore())
        self.site = Site(parts, RULES, settings, self.faults, clock)
        self.link = broker.attach()
        self.person: MemoryMqtt = broker.attach()
        self.heard: list[tuple[float, str, Any]] = []
        self.person.subscribe("gridzero/#", self._hear)
        orders = desk_of(self.site, clock)
        self.output = MqttOut(self.site, self.faults, self.link, clock, "gridzero", orders=orders)
        MqttIn(orders, self.link, "gridzero", self.output.publish)

    def _hear(self, message: MqttMessage) -> None:
        if not message.topic.endswith("/set"):
            value = json.loads(message.payload)
            self.heard.append((message.received_at_s, message.topic.split("/", 1)[1], value))

    def of(self, topic: str) -> list[tuple[float, Any]]:
        return [(at_s, value) for at_s, heard, value in self.heard if heard == topic]

    def events(self) -> list[tuple[str, str]]:
        return [(value["code"], value["subject"]) for _, value in self.of("event")]

    async def ask(self, topic: str, payload: bytes) -> Wanted:
        """What a person's message makes of the settings."""
        self.person.publish(topic, payload)
        await asyncio.sleep(0.01)
        return self.site.settings.wanted


@asynccontextmanager
async def publishing() -> AsyncIterator[House]:
    house = House()
    task = asyncio.create_task(house.output.run(), name="mqtt_out")
    try:
        yield house
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_state_goes_out_each_second_and_the_cells_each_ten() -> None:
    async with publishing() as house:
        house.site.tick()
        await asyncio.sleep(35.5)
    times = [at_s for at_s, _ in house.of("state")]
    assert len(times) == 36
    assert [b - a for a, b in pairwise(times)] == pytest.approx([1.0] * 35)
    assert [at_s for at_s, _ in house.of("cells")] == pytest.approx([0.0, 10.0, 20.0, 30.0])


async def test_before_the_first_tick_only_settings_are_said() -> None:
    async with publishing() as house:
        await asyncio.sleep(5.0)
        assert {topic for _, topic, _ in house.heard} == {"settings"}
        house.site.tick()
        await asyncio.sleep(1.0)
        topics = [topic for _, topic, _ in house.heard]
        assert topics == ["settings", "state", "cells", "battery", "health"]


async def test_the_state_tells_what_was_decided_and_why() -> None:
    async with publishing() as house:
        house.site.tick()
        await asyncio.sleep(0.5)
    state = house.of("state")[-1][1]
    assert state["because"] == house.site.last[1].because.value  # type: ignore[index]  # it ticked
    assert state["mode"] == "hold"
    assert state["power_w"] == 500.0
    assert state["grid_w"] is None


async def test_events_go_out_at_once_with_what_to_do() -> None:
    async with publishing() as house:
        await asyncio.sleep(0.3)
        house.faults.set("meter_lost", "meter", "no reading for 12 s")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ((at_s, event),) = house.of("event")
        assert at_s == pytest.approx(0.3)
        assert event["severity"] == "fault"
        assert event["active"] is True
        assert "broker" in event["remedy"]
        house.faults.set("meter_lost", "meter", None)
        await asyncio.sleep(0.01)
    assert [event["active"] for _, event in house.of("event")] == [True, False]


@pytest.mark.parametrize(
    ("topic", "payload", "wanted"),
    [
        ("gridzero/mode/set", b"charge", Wanted(Mode.CHARGE, 500.0)),
        ("gridzero/mode/set", b" AUTO\n", Wanted(Mode.AUTO, 500.0)),
        ("gridzero/power_w/set", b"1200", Wanted(Mode.HOLD, 1200.0)),
        ("gridzero/power_w/set", b"0", Wanted(Mode.HOLD, 0.0)),
        ("gridzero/target_w/set", b"-20.5", Wanted(Mode.HOLD, 500.0, -20.5)),
    ],
)
async def test_a_setting_is_taken_and_shown_at_once(
    topic: str, payload: bytes, wanted: Wanted
) -> None:
    async with publishing() as house:
        house.site.tick()
        await asyncio.sleep(0.5)
        before = len(house.of("state"))
        assert await house.ask(topic, payload) == wanted
        assert len(house.of("state")) == before + 1
        assert house.events() == []


@pytest.mark.parametrize(
    ("key", "payload"),
    [
        ("mode", b"turbo"),
        ("mode", b""),
        ("mode", b"\xff\xfe"),
        ("power_w", b"-1"),
        ("power_w", b"nan"),
        ("power_w", b"inf"),
        ("power_w", b"20001"),
        ("power_w", b"500 W"),
        ("target_w", b"2001"),
        ("target_w", b"{}"),
        ("power_w", b"800" + b" " * 200 + b"9"),
        ("mode", b"charge" + b" " * MEGABYTE + b"x"),
    ],
)
async def test_a_wrong_setting_is_refused_and_told(key: str, payload: bytes) -> None:
    async with publishing() as house:
        before = house.site.settings.wanted
        assert await house.ask(f"gridzero/{key}/set", payload) == before
        assert house.events() == [("setting_refused", key)]
        assert len(house.of("event")[0][1]["text"]) < 300


@pytest.mark.parametrize("key", ["mode", "power_w", "target_w"])
async def test_a_megabyte_is_harmless(key: str) -> None:
    async with publishing() as house:
        before = house.site.settings.wanted
        for payload in (b"9" * MEGABYTE, b"\xff" * MEGABYTE, b"[" * MEGABYTE):
            assert await house.ask(f"gridzero/{key}/set", payload) == before
        assert house.events() == [("setting_refused", key)] * 3
        assert max(len(event["text"]) for _, event in house.of("event")) < 300


@pytest.mark.parametrize(
    ("key", "payload"), [("mode", b"off"), ("power_w", b"100"), ("target_w", b"50")]
)
async def test_a_retained_wish_is_old_and_does_not_count(key: str, payload: bytes) -> None:
    broker_first = House()
    broker_first.link.take(MqttMessage(f"gridzero/{key}/set", payload, True, 0.0))
    await asyncio.sleep(0.01)
    assert broker_first.site.settings.wanted == Wanted(Mode.HOLD, 500.0)
    assert broker_first.heard == []


@pytest.mark.parametrize(
    ("payload", "asked_w"),
    [
        (b"800", 800.0),
        (b" 12.5 ", 12.5),
        (b"0", 0.0),
        (b"-300", 0.0),
        (b"nan", 0.0),
        (b"inf", 0.0),
        (b"1e999", 0.0),
        (b"9000", 0.0),
        (b"", 0.0),
        (b"off", 0.0),
        (b"\xff", 0.0),
        (b"0" * 200 + b"900", 0.0),
        (b"9" * MEGABYTE, 0.0),
    ],
    ids=lambda value: repr(value)[:12],
)
async def test_the_target_topic_asks_for_charge_power(
    payload: bytes, asked_w: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()
    house.output.follow_target("meterbox/chargeTarget")
    asked: list[float] = []
    monkeypatch.setattr(house.site, "ask_to_charge", asked.append)
    house.link.take(MqttMessage("meterbox/chargeTarget", payload, True, 0.0))
    assert asked == [], "a retained number is old"
    house.person.publish("meterbox/chargeTarget", payload)
    await asyncio.sleep(0.01)
    assert asked == [asked_w]


async def test_a_target_that_no_charger_can_take_is_told() -> None:
    house = House()
    house.output.follow_target("meterbox/chargeTarget")
    house.person.publish("meterbox/chargeTarget", b"9000")
    await asyncio.sleep(0.01)
    assert house.events() == [("setting_refused", "target_topic")]
    assert "2800" in house.of("event")[0][1]["text"]


async def test_a_dead_broker_holds_nobody_up() -> None:
    async with publishing() as house:
        house.site.tick()
        house.link.plugged = False
        await asyncio.sleep(20.0)
        house.faults.set("meter_lost", "meter", "gone")
        assert house.heard == []
        house.link.plugged = True
        await asyncio.sleep(2.0)
        assert len(house.of("state")) == 2


async def test_the_last_word_says_that_it_stops() -> None:
    house = House()
    house.site.tick()
    house.site.stopping()
    house.output.publish()
    await asyncio.sleep(0.01)
    state = house.of("state")[-1][1]
    assert state["because"] == Because.STOPPING.value
    assert state["setpoint_w"] == 0.0


@given(
    st.lists(
        st.tuples(st.sampled_from(["mode", "power_w", "target_w"]), st.binary(max_size=120)),
        max_size=20,
    )
)
def test_nothing_that_people_send_gets_past_the_limits(sent: list[tuple[str, bytes]]) -> None:
    async def send() -> Wanted:
        house = House()
        for key, payload in sent:
            house.link.take(MqttMessage(f"gridzero/{key}/set", payload, False, 0.0))
        await asyncio.sleep(0)
        return house.site.settings.wanted

    wanted = run_simulated(send())
    assert 0.0 <= wanted.power_w <= 20_000.0
    assert -2000.0 <= wanted.target_w <= 2000.0


@pytest.mark.parametrize(
    ("payload", "left"),
    [
        (b"all", []),
        (b"contactor_welded", ["contactor_under_load"]),
        (b" contactor_welded k1\n", ["contactor_under_load"]),
        (b"contactor_welded k2", ["contactor_welded", "contactor_under_load"]),
        (b"", ["contactor_welded", "contactor_under_load"]),
        (b"everything", ["contactor_welded", "contactor_under_load"]),
        (b"\xff\xfe", ["contactor_welded", "contactor_under_load"]),
        (b"all" * MEGABYTE, ["contactor_welded", "contactor_under_load"]),
    ],
)
async def test_what_waits_for_a_person_is_acknowledged_by_name(
    payload: bytes, left: list[str]
) -> None:
    async with publishing() as house:
        for code, subject in (("contactor_welded", "k1"), ("contactor_under_load", "battery")):
            house.faults.set(code, subject, "it was so")
            house.faults.set(code, subject, None)
        await house.ask("gridzero/acknowledge/set", payload)
        assert [fault.code for fault in house.faults.active] == left
        await asyncio.sleep(0.01)
    refused = [e for _, e in house.of("event") if e["code"] == "acknowledge_refused"]
    assert bool(refused) is (len(left) == 2)


async def test_a_retained_acknowledgement_counts_for_nothing() -> None:
    async with publishing() as house:
        house.faults.set("contactor_welded", "k1", "it was so")
        house.faults.set("contactor_welded", "k1", None)
        message = MqttMessage("gridzero/acknowledge/set", b"all", True, 0.0)
        house.link.take(message)
        assert house.faults.needs_a_person


def test_what_is_sent_is_json_for_every_reader_whatever_a_device_reads() -> None:
    odd = {"a": [float("nan"), 1.5, {"b": float("-inf")}], "c": (float("inf"), "x"), "d": None}
    assert json.loads(json_text(odd)) == {
        "a": [None, 1.5, {"b": None}],
        "c": [None, "x"],
        "d": None,
    }
    assert json_text({"a": 1.5}) == '{"a":1.5}'
