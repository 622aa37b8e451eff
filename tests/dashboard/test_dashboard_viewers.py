"""Browsers at their own pace; sections made once; logins."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from dashboard_house import record_days

from gridzero.config.faces import DashboardConfig
from gridzero.links.memory import MemoryLinks, MemoryMqtt
from gridzero.outputs.dashboard.board import MOST_EVENTS, Board
from gridzero.outputs.dashboard.past import Past, places
from gridzero.outputs.dashboard.sessions import MOST_ADDRESSES, MOST_SESSIONS, Sessions, Tries
from gridzero.outputs.dashboard.viewers import MOST_VIEWERS, PATIENCE_S, Viewer, Viewers
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.reader import HistoryReader
from gridzero.ports.clock import LoopClock


class Room:
    """A board on a broker in memory, and browsers that are lists."""

    def __init__(self) -> None:
        links = MemoryLinks()
        self.clock = LoopClock()
        self.feed = Feed(links.mqtt(), self.clock, "gridzero")
        self.broker: MemoryMqtt = links.mqtt()
        self.board = Board(self.feed, self.clock, "Test")
        self.viewers = Viewers(self.board, self.clock)
        self.dropped: list[str] = []

    def browser(self, shown: list[tuple[int, dict[str, Any]]], **more: Any) -> Viewer:
        viewer = Viewer(
            show=lambda turn, changes: shown.append((turn, changes)),
            drop=self.dropped.append,
            **more,
        )
        self.viewers.add(viewer)
        return viewer

    async def say(self, topic: str, values: Any) -> None:
        self.broker.publish(f"gridzero/{topic}", json.dumps(values))
        await self.clock.sleep_s(0.01)


async def test_a_browser_gets_only_what_changed() -> None:
    room, shown = Room(), []
    viewer = room.browser(shown)
    room.viewers.drawn(viewer, 0)
    room.viewers.serve()
    assert "cells" in shown[0][1]
    room.viewers.drawn(viewer, 1)
    await room.say("state", {"grid_w": 12.0})
    room.viewers.serve()
    assert "cells" not in shown[1][1]
    assert shown[1][1]["flow"]["lines"]["grid"] == 0


async def test_a_slow_browser_has_one_picture_under_way_and_then_the_newest() -> None:
    room, slow, quick = Room(), [], []
    lazy, eager = room.browser(slow), room.browser(quick)
    room.viewers.drawn(lazy, 0)
    room.viewers.drawn(eager, 0)
    for turn in range(1, 11):
        await room.say("state", {"grid_w": 100.0 * turn})
        room.viewers.serve()
        room.viewers.drawn(eager, turn)
    assert (len(slow), len(quick)) == (1, 10)
    room.viewers.drawn(lazy, 1)
    room.viewers.serve()
    assert slow[-1][1]["flow"]["lines"]["grid"] == 1000


async def test_a_browser_that_never_reads_is_dropped_and_one_that_lies_too() -> None:
    room, shown = Room(), []
    viewer = room.browser(shown)
    room.viewers.drawn(viewer, {"turn": 0})
    await room.clock.sleep_s(PATIENCE_S + 1)
    room.viewers.serve()
    assert shown == []
    assert room.dropped == ["this browser does not read"]
    assert len(room.viewers) == 0


async def test_nothing_is_sent_more_than_twice_a_second() -> None:
    room, shown = Room(), []
    viewer = room.browser(shown)
    room.viewers.drawn(viewer, 0)
    pace = asyncio.create_task(room.viewers.run())
    for turn in range(200):
        await room.say("state", {"grid_w": float(100 + turn)})
        await room.clock.sleep_s(0.04)
        room.viewers.drawn(viewer, viewer.turn)
    pace.cancel()
    await asyncio.gather(pace, return_exceptions=True)
    assert 15 <= len(shown) <= 21  # of 200 messages in 10 s


async def test_a_login_that_ends_takes_its_pages_along() -> None:
    room = Room()
    sessions = Sessions("a password", room.clock)
    token = sessions.begin()
    room.browser([], may_stay=lambda: sessions.knows(token))
    room.viewers.serve()
    assert not room.dropped
    sessions.end(token)
    room.viewers.serve()
    assert room.dropped == ["your login has ended"]


async def test_the_house_is_full_at_some_time() -> None:
    room = Room()
    for _ in range(MOST_VIEWERS):
        assert not room.viewers.is_full
        room.browser([])
    assert room.viewers.is_full


async def test_a_browser_may_not_ask_without_end() -> None:
    viewer = Viewer(show=lambda _t, _c: None, drop=lambda _why: None)
    allowed = [viewer.may_ask_now(100.0 + i * 0.001) for i in range(50)]
    assert 1 <= sum(allowed) <= 4
    assert viewer.may_ask_now(102.0)


async def test_old_news_are_told_with_their_age() -> None:
    room = Room()
    await room.say("state", {"grid_w": 1.0})
    room.board.refresh()
    stale = room.board.whole()["head"]["stale"]
    assert "flow" not in stale
    assert stale["cells"] == "not heard yet"
    await room.clock.sleep_s(90.0)
    room.board.refresh()
    assert room.board.whole()["head"]["stale"]["flow"] == "1\u202fmin old"


async def test_events_are_bounded_and_the_newest_is_first() -> None:
    room = Room()
    for number in range(MOST_EVENTS + 5):
        await room.say("event", {"code": f"event_{number}"})
    room.board.refresh()
    events = room.board.whole()["events"]
    assert len(events) == MOST_EVENTS
    assert events[0]["title"] == f"event {MOST_EVENTS + 4}"


async def test_a_flood_of_wrong_passwords_waits() -> None:
    clock = LoopClock()
    tries = Tries(clock)
    for _ in range(5):
        assert tries.wait_s("10.0.0.9") == 0.0
        tries.wrong("10.0.0.9")
    assert tries.wait_s("10.0.0.9") > 50.0
    assert tries.wait_s("10.0.0.8") == 0.0
    await clock.sleep_s(61.0)
    assert tries.wait_s("10.0.0.9") == 0.0


async def test_all_addresses_of_an_ipv6_network_are_one() -> None:
    tries = Tries(LoopClock())
    for number in range(5):
        tries.wrong(f"2001:db8::{number}")
    assert tries.wait_s("2001:db8::99") > 50.0
    assert tries.wait_s("2001:db8:0:1::99") == 0.0


async def test_many_addresses_are_one_flood() -> None:
    tries = Tries(LoopClock())
    for number in range(3 * MOST_ADDRESSES):
        if tries.wait_s(f"10.0.{number // 250}.{number % 250}") == 0.0:
            tries.wrong(f"10.0.{number // 250}.{number % 250}")
    assert tries.wait_s("10.9.9.9") > 0.0
    assert tries.refused > 2 * MOST_ADDRESSES


async def test_sessions_end_and_are_bounded() -> None:
    clock = LoopClock()
    sessions = Sessions("a password", clock)
    assert sessions.fits("a password")
    assert not sessions.fits("a passwort")
    first = sessions.begin()
    assert sessions.knows(first)
    assert not sessions.knows("made up")
    assert not sessions.knows(None)
    for _ in range(MOST_SESSIONS):
        last = sessions.begin()
    assert not sessions.knows(first)
    await clock.sleep_s(31 * 86400.0)
    assert not sessions.knows(last)


async def test_without_a_password_everybody_may_look() -> None:
    assert Sessions(None, LoopClock()).knows(None)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_others_are_served_only_with_a_password(host: str) -> None:
    with pytest.raises(ValueError, match="set a password"):
        DashboardConfig(host=host)
    assert DashboardConfig.model_validate({"host": host, "password": "long enough"}).host == host


@pytest.mark.parametrize("host", ["1234", "localhost", "300.1.1.1"])
def test_a_host_is_an_address(host: str) -> None:
    with pytest.raises(ValueError, match=r"no IP address|should match"):
        DashboardConfig(host=host)


@pytest.mark.real_time
async def test_without_a_history_the_chart_says_so() -> None:
    assert "history" in (await Past(None).answer("day"))["why_not"]


@pytest.mark.real_time
async def test_the_past_is_told_with_gaps_reasons_and_what_happened(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    early = Past(HistoryReader(file))
    assert "within a minute" in (await early.answer("day"))["why_not"]
    state = {"battery": {}, "because": "balanced"}
    await asyncio.to_thread(record_days, file, 0.3, state, step_s=60.0)
    past = await Past(HistoryReader(file)).answer("week")
    assert len(past["at_s"]) == len(past["grid"]) == len(past["sun"])
    assert past["step_s"] < 3600.0  # hours are all that there is of a house only after months
    assert past["band"]
    assert {run["tone"] for run in past["band"]} <= {"gives", "stores", "rests", "limit", "trouble"}
    assert all(run["from_s"] < run["to_s"] for run in past["band"])
    assert past["marks"] == []


def test_no_line_is_drawn_over_a_gap() -> None:
    assert list(places([0.0, 60.0, 300.0], 60.0)) == [
        (0.0, 0),
        (60.0, 1),
        (120.0, None),
        (300.0, 2),
    ]


async def test_the_page_knows_which_gridzero_it_shows() -> None:
    room = Room()
    await room.say("settings", {"version": "0.1.0", "settings": {}, "actions": {}})
    room.board.refresh()
    assert room.board.whole()["head"]["version"] == "0.1.0"
