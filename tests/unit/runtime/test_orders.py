"""The desk for settings and actions: what it does, what it refuses, and what a flood gets."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_fakes import FakeHouse

from gridzero.domain.events import Event
from gridzero.domain.settings import ACTION_OF, ACTIONS, SETTING_OF
from gridzero.links.memory import MemoryBroker
from gridzero.outputs.mqtt_in import MqttIn
from gridzero.ports.clock import LoopClock
from gridzero.runtime.desk import desk_of
from gridzero.runtime.flood_gate import BURST, PER_S, FloodGate
from gridzero.runtime.settings import SettingRefused
from gridzero.service import restart_by
from gridzero.sim.loop import run_simulated


class Desk:
    """A site at whose broker somebody asks."""

    def __init__(self) -> None:
        self.site = FakeHouse().site
        self.orders = desk_of(self.site, LoopClock())
        broker = MemoryBroker()
        self.person = broker.attach()
        self.changes = 0
        self.input = MqttIn(self.orders, broker.attach(), "gridzero", self._changed)
        self.answers: list[dict[str, Any]] = []
        self.events: list[Event] = []
        self.person.subscribe("gridzero/answer", lambda m: self.answers.append(json.loads(m[1])))
        self.site.faults.on_event(self.events.append)

    def _changed(self) -> None:
        self.changes += 1

    async def ask(self, **values: Any) -> dict[str, Any]:
        self.person.publish("gridzero/ask", json.dumps({"id": "7", **values}))
        await asyncio.sleep(0.01)
        return self.answers[-1]


async def test_a_setting_is_changed_and_answered() -> None:
    desk = Desk()
    answer = await desk.ask(what="mode", value="hold")
    assert answer == {"id": "7", "ok": True, "text": "Mode is hold"}
    assert desk.site.settings.wanted.mode == "hold"
    assert desk.changes == 1


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        ("mode", "fast", "there is no mode 'fast'"),
        ("target_w", "nan", "is not a number"),
        ("toast", "1", "there is no setting or action 'toast'"),
        ("restart", "", "this gridzero cannot do that"),
        ("acknowledge", "all", "nothing that is over waits"),
        ("acknowledge", "nonsense", "there is no fault"),
        ("balance", "perhaps", "takes now or stop"),
        ("log", "loud", "there is no log level"),
    ],
)
async def test_what_cannot_be_done_is_refused_answered_and_told(
    what: str, value: str, words: str
) -> None:
    desk = Desk()
    answer = await desk.ask(what=what, value=value)
    assert answer["ok"] is False
    assert words in answer["text"]
    assert [event.code.endswith("_refused") for event in desk.events] == [True]
    assert desk.changes == 0


async def test_actions_are_carried_out_and_said() -> None:
    desk = Desk()
    assert (await desk.ask(what="balance", value="now"))["ok"]
    assert (await desk.ask(what="balance", value="stop"))["ok"]
    before = structlog.get_config()["wrapper_class"]
    try:
        assert "debug" in (await desk.ask(what="log", value="debug"))["text"]
    finally:
        structlog.configure(wrapper_class=before)


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=1200), st.dictionaries(st.text(), st.text()).map(str)))
def test_no_question_whatever_does_harm(payload: bytes | str) -> None:
    async def asked() -> int:
        desk = Desk()
        desk.person.publish("gridzero/ask", payload)
        for key in (*SETTING_OF, *ACTION_OF):
            if key != "log":
                desk.person.publish(f"gridzero/{key}/set", payload)
        await asyncio.sleep(0.1)
        return len(desk.events)

    assert run_simulated(asked()) <= 2 * len((*SETTING_OF, *ACTION_OF)) + 1


async def test_a_flood_is_told_once_and_what_a_person_sends_later_passes() -> None:
    desk = Desk()
    late = asyncio.create_task(desk.input.run())
    for number in range(5000):
        desk.person.publish("gridzero/target_w/set", f"{number % 100}")
        if number % 1000 == 0:
            await asyncio.sleep(0.001)
    await asyncio.sleep(1.0)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    assert desk.site.settings.wanted.target_w == 99.0, "the last one counts"
    assert desk.changes <= BURST + PER_S
    assert len(desk.events) == 1
    assert "too fast" in desk.events[0].text
    await asyncio.sleep(10.0)
    assert (await desk.ask(what="target_w", value="7"))["ok"]
    assert desk.site.settings.wanted.target_w == 7.0


async def test_a_flood_for_one_key_leaves_the_others_alone() -> None:
    desk = Desk()
    for _ in range(100):
        desk.person.publish("gridzero/target_w/set", "x")
    desk.person.publish("gridzero/mode/set", "off")
    await asyncio.sleep(0.1)
    assert desk.site.settings.wanted.mode == "off"


async def test_unknown_keys_share_one_measure() -> None:
    desk = Desk()
    for number in range(100):
        with pytest.raises(SettingRefused):
            desk.orders.carry_out(f"key-{number}", "")
    assert len(desk.events) <= BURST + 2


async def test_the_gate_tells_how_many_were_dropped_each_minute() -> None:
    told: list[int] = []
    gate = FloodGate(LoopClock(), lambda _, dropped: told.append(dropped))
    passed = 0
    for _ in range(1300):
        passed += gate.passes("key")
        await asyncio.sleep(0.1)
    assert passed + sum(told) <= 1300
    assert passed == pytest.approx(BURST + PER_S * 130.0, abs=2)
    assert len(told) == 3


@pytest.mark.parametrize("key", [action.key for action in ACTIONS if action.is_dangerous])
async def test_a_message_orders_what_is_dangerous_only_with_the_word_for_it(key: str) -> None:
    desk, done = Desk(), []

    def do(value: str) -> str:
        done.append(value)
        return "done"

    desk.orders.can(key, do)
    for payload in ("", "offline", "1", '{"x": 1}'):
        desk.person.publish(f"gridzero/{key}/set", payload)
    await asyncio.sleep(0.01)
    assert not done
    assert {event.subject for event in desk.events} == {key}
    desk.person.publish(f"gridzero/{key}/set", " Yes ")
    desk.person.publish(f"gridzero/{key}/set", "press")
    await asyncio.sleep(0.01)
    assert len(done) == 2
    assert (await desk.ask(what=key))["ok"], "who asks by name needs no other word"


async def test_a_restart_is_refused_where_nothing_would_start_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, stop = Desk(), asyncio.Event()
    asked = restart_by(desk.orders, stop)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert "terminal" in (await desk.ask(what="restart"))["text"]
    assert not asked
    assert not stop.is_set()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert (await desk.ask(what="restart"))["ok"]
    assert stop.is_set()


async def test_a_program_that_steers_every_second_does_not_fill_the_log() -> None:
    with structlog.testing.capture_logs() as logs:
        desk = Desk()
        for number in range(600):
            await desk.ask(what="target_w", value=number, by="a program")
            await asyncio.sleep(1.0)
    assert desk.site.settings.wanted.target_w == 599.0
    asked = [entry for entry in logs if "asked" in (entry["event"], entry.get("of"))]
    assert BURST <= len(asked) <= 70
    assert sum(entry.get("times", 1) for entry in asked) >= 500
