"""Pauses, sessions and reports, on simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from link_fakes import Reports

from gridzero.errors import LinkError
from gridzero.links.backoff import Backoff, Keeper, SessionEnd
from gridzero.ports.links import LinkHealth


def lost(what: str = "gone") -> LinkError:
    return LinkError(what, where="bus", remedy="Plug it in")


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff()
    assert [backoff.pause_s(0) for _ in range(8)] == [0.5, 1, 2, 3, 3, 3, 3, 3]


def test_a_healthy_time_starts_the_pauses_again() -> None:
    backoff = Backoff()
    pauses_s = [backoff.pause_s(lived_s) for lived_s in (0, 0, 9.9, 10, 0)]
    assert pauses_s == [0.5, 1, 2, 0.5, 1]


class Link:
    """A link whose sessions follow a script."""

    def __init__(self, *script: Callable[[], None]) -> None:
        self.health = LinkHealth()
        self.reports = Reports()
        self.keeper = Keeper("bus", self.health, self.reports)
        self.began_s: list[float] = []
        self._script = list(script)

    async def session(self) -> None:
        self.began_s.append(asyncio.get_running_loop().time())
        self._script.pop(0)()
        self.keeper.up()
        await asyncio.sleep(20)
        raise lost("unplugged")

    async def run_for(self, seconds: float) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.keeper.run(self.session), seconds)


def fails(what: str) -> Callable[[], None]:
    def fail() -> None:
        raise lost(what)

    return fail


def works() -> None: ...


async def test_people_are_told_once_per_change() -> None:
    link = Link(fails("gone"), fails("gone"), fails("busy"), works, works)
    await link.run_for(30)
    down, up = ("link_down", True, "bus"), ("link_down", False, "bus")
    assert link.reports.told == [down, down, up, down, up]
    assert link.reports.texts[0] == "bus: gone. Plug it in"
    assert "busy" in link.reports.texts[1]


async def test_attempts_wait_longer_and_start_over_when_it_worked() -> None:
    link = Link(fails("gone"), fails("gone"), works, works)
    await link.run_for(30)
    assert link.began_s == [0, 0.5, 1.5, 22.0]


async def test_health_follows_the_link() -> None:
    link = Link(works, works)
    await link.run_for(10)
    assert (link.health.state, link.health.why) == ("down", "closed")
    assert link.health.reopened == 0
    link = Link(works, works)
    await link.run_for(25)
    assert link.health.reopened == 1


async def test_a_session_that_returns_is_opened_again_at_once_and_nobody_is_told() -> None:
    health, reports, began_s = LinkHealth(), Reports(), []
    keeper = Keeper("bus", health, reports)

    async def session() -> None:
        began_s.append(asyncio.get_running_loop().time())
        keeper.up()
        await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(keeper.run(session), 25)
    assert began_s == [0, 10, 20]
    assert reports.told == []


async def test_a_bug_passes_through() -> None:
    def bug() -> None:
        raise ZeroDivisionError

    link = Link(bug)
    with pytest.raises(ZeroDivisionError):
        await link.keeper.run(link.session)


async def test_a_bug_in_a_callback_ends_the_session() -> None:
    end = SessionEnd()
    with end:
        raise KeyError("callback")
    end.because(lost())
    assert end.is_over
    with pytest.raises(KeyError, match="callback"):
        await end.wait()


async def test_a_session_wait_ends_at_its_limit() -> None:
    end = SessionEnd()
    await end.wait(3)
    assert asyncio.get_running_loop().time() == pytest.approx(3)
    assert not end.is_over


async def test_cancelling_is_not_caught_as_a_bug() -> None:
    end = SessionEnd()
    with pytest.raises(asyncio.CancelledError), end:
        raise asyncio.CancelledError
    assert not end.is_over


async def test_a_try_that_took_long_was_a_pause_itself() -> None:
    health, began_s = LinkHealth(), []
    keeper = Keeper("bus", health, Reports())

    async def silent() -> None:
        began_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(2)
        raise lost("no answer")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(keeper.run(silent), 14)
    assert began_s == [0, 2.5, 5, 7.5, 10.5, 13.5]


async def test_what_comes_and_goes_is_told_as_lost_until_it_stays() -> None:
    health, reports = LinkHealth(), Reports()
    keeper = Keeper("bus", health, reports)
    stays_s = [20.0, 1.0, 1.0, 1.0, 1.0, 100.0]

    async def session() -> None:
        keeper.up()
        await asyncio.sleep(stays_s.pop(0))
        raise lost("taken over")

    running = asyncio.ensure_future(keeper.run(session))
    await asyncio.sleep(50)
    assert [active for _, active, _ in reports.told] == [True, False, True, False, True, False]
    assert health.state == "up"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
