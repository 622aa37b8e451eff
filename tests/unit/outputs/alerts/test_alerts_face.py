"""Who is told what, and when: in simulated time, with a broker in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.config.faces import AlertsConfig
from gridzero.errors import ConfigError
from gridzero.links.memory import MemoryBroker, MemoryMqtt
from gridzero.outputs.alerts.book import MOST_CASES
from gridzero.outputs.alerts.face import AlertsFace
from gridzero.outputs.alerts.watch import SILENT_S
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import LoopClock
from gridzero.sim.loop import run_simulated

MIDNIGHT_S = 1_800_000_000.0 - 1_800_000_000.0 % 86400.0
METER = {"code": "meter_lost", "subject": "meter", "text": "no reading for 12 s", "remedy": "Look"}
TRIP = {"code": "cell_high", "subject": "b3.7", "level": "trip", "text": "4.25 V", "remedy": "Go"}
MINUTE_S, HOUR_S = 60.0, 3600.0


class Sent(NamedTuple):
    at_s: float
    title: str
    body: str


class Postman:
    """Delivers into a list; while it is not reachable, nothing."""

    def __init__(self, name: str = "1 (test)") -> None:
        self.name = name
        self.is_reachable = True
        self.sent: list[Sent] = []
        self.tried = 0
        self.wrong = ""

    def prepare(self) -> None:
        if self.wrong:
            raise ConfigError(self.wrong, where=self.name, remedy="Mend it")

    async def send(self, title: str, body: str) -> bool:
        self.tried += 1
        if self.is_reachable:
            self.sent.append(Sent(asyncio.get_running_loop().time(), title, body))
        return self.is_reachable

    @property
    def titles(self) -> list[str]:
        return [sent.title.partition(": ")[2] for sent in self.sent]


class Kept:
    """What a test needs of the file: the loop of the test cannot wait for threads."""

    values: dict[str, Any]

    def __init__(self) -> None:
        self.values = {}

    def load(self) -> dict[str, Any]:
        return json.loads(json.dumps(self.values))

    def tell_damaged(self, why: str) -> None:
        raise AssertionError(why)

    async def save(self, values: dict[str, Any]) -> None:
        self.values = values


class Gridzero:
    """The control process as the companion hears it: a state each 4 s while it is alive."""

    def __init__(
        self, config: AlertsConfig, posts: list[Postman], begins_s: float, kept: Kept
    ) -> None:
        broker = MemoryBroker()
        self.person: MemoryMqtt = broker.attach()
        clock = LoopClock()
        self.feed = Feed(broker.attach(), clock, "gridzero")
        self.faults: list[Any] = []
        self.is_alive = True
        self.kept = kept
        self.face = AlertsFace(
            config,
            "House",
            Path("nowhere"),
            self.feed,
            clock,
            posts=posts,
            wall_s=lambda: begins_s + clock.now_s(),
            zone=UTC,
        )
        self.face._kept = kept  # type: ignore[assignment]  # in memory, see Kept

    def say(self, topic: str, values: Any) -> None:
        self.person.publish(f"gridzero/{topic}", json.dumps(values))

    async def live(self) -> None:
        while True:
            if self.is_alive:
                state = {"faults": self.faults, "setpoint_w": 0.0, "grid_w": 320.4}
                self.say("state", {**state, "because_text": "the meter is silent"})
            await asyncio.sleep(4.0)


@asynccontextmanager
async def telling(
    *posts: Postman, begins_h: float = 12.0, kept: Kept | None = None, **options: Any
) -> AsyncIterator[Gridzero]:
    config = AlertsConfig(**options)
    gridzero = Gridzero(config, list(posts), MIDNIGHT_S + begins_h * HOUR_S, kept or Kept())
    tasks = [asyncio.create_task(run()) for run in (gridzero.live, gridzero.face.run)]
    try:
        yield gridzero
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_fault_is_told_with_what_since_when_power_and_what_to_do() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        await asyncio.sleep(10.0)
        gridzero.faults = [METER]
        await asyncio.sleep(2 * MINUTE_S)
    (sent,) = post.sent
    assert sent.title == "House: No reading from the grid meter (meter)"
    assert 70.0 <= sent.at_s <= 80.0, "grouped within a minute"
    for words in ("12:00", "no reading for 12 s", "0 W at 10 s", "What to do: Look", "320 W"):
        assert words in sent.body
    assert "the meter is silent" in sent.body


async def test_its_end_is_told_once() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(2 * MINUTE_S)
        gridzero.faults = []
        await asyncio.sleep(2 * HOUR_S)
    assert post.titles == [
        "No reading from the grid meter (meter)",
        "Over: No reading from the grid meter (meter)",
    ]


async def test_what_comes_within_a_minute_is_one_message() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        for fault in (METER, {**METER, "code": "device_lost"}, TRIP):
            gridzero.faults = [*gridzero.faults, fault]
            await asyncio.sleep(15.0)
        await asyncio.sleep(2 * MINUTE_S)
    assert post.titles == ["3 new"]


async def test_what_is_gone_within_a_minute_is_not_told_unless_it_trips() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(30.0)
        gridzero.faults = []
        await asyncio.sleep(HOUR_S)
        assert post.sent == []
        gridzero.faults = [TRIP]
        await asyncio.sleep(5.0)
        gridzero.faults = []
        await asyncio.sleep(2 * MINUTE_S)
    assert len(post.sent) == 1
    assert post.titles[0].startswith("Came and went: ")


async def test_what_keeps_coming_and_going_is_told_with_how_often() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        for _ in range(4):
            gridzero.faults = [METER]
            await asyncio.sleep(30.0)
            gridzero.faults = []
            await asyncio.sleep(30.0)
        await asyncio.sleep(2 * MINUTE_S)
    assert len(post.sent) == 2, "that it is there, and that it is over"
    assert "4 times" in post.sent[0].body


async def test_warnings_are_not_told_unless_asked_for() -> None:
    quiet, eager = Postman(), Postman()
    warning = {"code": "meter_garbage", "subject": "meter"}
    async with telling(quiet) as gridzero:
        gridzero.faults = [warning, {**TRIP, "level": "warn"}]
        await asyncio.sleep(HOUR_S)
    async with telling(eager, least="warning") as gridzero:
        gridzero.faults = [warning]
        await asyncio.sleep(HOUR_S)
    assert quiet.sent == []
    assert len(eager.sent) == 1


async def test_there_are_so_many_messages_in_an_hour_and_the_next_one_says_so() -> None:
    post = Postman()
    async with telling(post, at_most_per_hour=3) as gridzero:
        for number in range(40):
            gridzero.faults = [{**METER, "subject": f"m{number % 8}"}] if number % 2 else []
            await asyncio.sleep(100.0)
    first_hour = [sent for sent in post.sent if sent.at_s < HOUR_S]
    assert len(first_hour) == 3
    later = next(sent for sent in post.sent if sent.at_s >= HOUR_S)
    assert "Held back since" in later.body
    assert not any("Held back" in sent.body for sent in first_hour)


async def test_reminders_are_seldom() -> None:
    post = Postman()
    async with telling(post, remind_h=6) as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(13 * HOUR_S)
    assert [title.partition(":")[0] for title in post.titles[1:]] == ["Still there"] * 2


async def test_nobody_is_reminded_where_that_is_switched_off() -> None:
    post = Postman()
    async with telling(post, remind_h=0) as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(25 * HOUR_S)
    assert len(post.sent) == 1


async def test_at_night_only_a_trip_disturbs() -> None:
    post = Postman()
    async with telling(post, begins_h=23.0, quiet_from="22:00", quiet_to="07:00") as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(2 * HOUR_S)
        assert post.sent == []
        gridzero.faults = [METER, TRIP]
        await asyncio.sleep(2 * MINUTE_S)
        assert post.titles == ["2 new"]
        gridzero.faults = []
        await asyncio.sleep(5 * HOUR_S)
        assert len(post.sent) == 2, "the end of a trip may be told, too"
        gridzero.faults = [METER]
        await asyncio.sleep(2 * HOUR_S)
    assert post.titles[2:] == ["No reading from the grid meter (meter)"]
    assert post.sent[2].at_s > 8 * HOUR_S - 10.0


async def test_during_maintenance_nothing_is_told() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        gridzero.say("settings", {"settings": {"maintenance": {"value": True}}})
        gridzero.faults = [METER, TRIP]
        await asyncio.sleep(HOUR_S)
        gridzero.is_alive = False
        await asyncio.sleep(HOUR_S)
        assert post.sent == []
        gridzero.is_alive, gridzero.faults = True, [METER]
        gridzero.say("settings", {"settings": {"maintenance": {"value": "off"}}})
        await asyncio.sleep(2 * MINUTE_S)
    assert len(post.sent) == 1
    assert "No reading from the grid meter" in post.sent[0].body, "what is left over is told then"


async def test_silence_is_told_and_its_end() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        await asyncio.sleep(MINUTE_S)
        gridzero.is_alive = False
        await asyncio.sleep(SILENT_S + 2 * MINUTE_S)
        assert post.titles == ["gridzero is silent"]
        assert "Now:" not in post.sent[0].body, "nobody knows what power is now"
        gridzero.is_alive = True
        await asyncio.sleep(2 * MINUTE_S)
    assert post.titles[1:] == ["Over: gridzero is silent"]


async def test_a_restart_of_gridzero_is_not_worth_a_message() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        await asyncio.sleep(MINUTE_S)
        gridzero.is_alive = False
        await asyncio.sleep(SILENT_S - 5.0)
        gridzero.is_alive, gridzero.faults = True, [METER]
        await asyncio.sleep(20.0)
        gridzero.faults = []
        await asyncio.sleep(HOUR_S)
    assert post.sent == []


async def test_a_restart_of_the_companion_repeats_nothing_and_tells_the_end() -> None:
    first, second, kept = Postman(), Postman(), Kept()
    async with telling(first, kept=kept) as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(2 * MINUTE_S)
    async with telling(second, begins_h=13.0, kept=kept) as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(HOUR_S)
        assert second.sent == []
        gridzero.faults = []
        await asyncio.sleep(2 * MINUTE_S)
    assert len(first.sent) == 1
    assert second.titles == ["Over: No reading from the grid meter (meter)"]
    assert "since" in second.sent[0].body
    assert "12:00" in second.sent[0].body, "it began in the earlier life"


async def test_who_cannot_be_reached_is_told_later_and_harms_nobody() -> None:
    dead, alive = Postman("1 (dead)"), Postman("2 (alive)")
    dead.is_reachable = False
    async with telling(dead, alive) as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(5 * HOUR_S)
        assert len(alive.sent) == 1
        assert 5 <= dead.tried <= 15, "with growing pauses"
        gridzero.faults = [METER, TRIP]
        dead.is_reachable = True
        await asyncio.sleep(2 * HOUR_S)
    assert dead.titles == ["2 new"], "one message of what is, not a queue of what was"


async def test_a_wrong_address_does_not_keep_the_others_from_being_told() -> None:
    wrong, right = Postman("1 (wrong)"), Postman("2 (right)")
    wrong.wrong = "unknown"
    async with telling(wrong, right) as gridzero:
        gridzero.faults = [METER]
        await asyncio.sleep(2 * MINUTE_S)
    assert (wrong.tried, len(right.sent)) == (0, 1)


async def test_only_wrong_addresses_are_an_error() -> None:
    wrong = Postman()
    wrong.wrong = "unknown"
    async with telling(wrong) as gridzero:
        with pytest.raises(ConfigError):
            await gridzero.face.run()


async def test_maintenance_that_is_due_now_is_told_once() -> None:
    post = Postman()
    job = {"code": "cell_misread", "subject": "b3.1", "what": "A wire is loose", "remedy": "Mend"}
    async with telling(post) as gridzero:
        for _ in range(12):
            jobs = [{**job, "urgency": "now"}, {**job, "subject": "b4.1", "urgency": "soon"}]
            gridzero.say("health", {"maintenance": jobs})
            await asyncio.sleep(600.0)
    assert post.titles == ["A wire is loose (b3.1)"]


async def test_an_event_that_is_no_standing_fault_is_told_once() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        event = {"code": "history_full", "subject": "history", "text": "The disk is full"}
        for _ in range(5):
            gridzero.say("event", {**event, "severity": "fault", "active": False})
            gridzero.say("event", {**event, "severity": "warning", "active": True})
            told = {"code": "identified", "subject": "i1", "text": "Done", "active": False}
            gridzero.say("event", {**told, "severity": "warning"})
            await asyncio.sleep(600.0)
    assert post.titles == ["The disk is full"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["faults", "code", "subject", "level", "maintenance", "urgency", "value"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(values=st.lists(st.tuples(st.sampled_from(["state", "event", "health", "settings"]), JUNK)))
def test_no_junk_ends_the_face(values: list[tuple[str, Any]]) -> None:
    async def hear() -> None:
        post = Postman()
        async with telling(post) as gridzero:
            for topic, junk in values:
                gridzero.say(topic, {"faults": junk, "maintenance": junk, "settings": junk})
                gridzero.say(topic, junk)
                await asyncio.sleep(1.0)
            gridzero.say("settings", {"settings": {"maintenance": {"value": False}}})
            gridzero.faults = [METER]
            await asyncio.sleep(2 * MINUTE_S)
        assert "No reading from the grid meter" in post.sent[-1].body

    run_simulated(hear())


async def test_a_flood_of_faults_is_bounded_in_memory_and_in_a_message() -> None:
    post = Postman()
    async with telling(post) as gridzero:
        gridzero.faults = [{**METER, "subject": "x" * 5000 + str(n)} for n in range(3)]
        gridzero.faults += [{**METER, "subject": f"m{n}", "text": "y" * 9000} for n in range(300)]
        await asyncio.sleep(5 * MINUTE_S)
        assert len(gridzero.face._book.cases) == MOST_CASES
        assert gridzero.face._book.lost > 0
    assert all(len(sent.body) <= 4000 for sent in post.sent)
    assert len(post.sent) <= 2
