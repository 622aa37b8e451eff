"""RealCan alone on the kernel's own CAN: each trouble is noticed, told, and over when it is over."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import can
import pytest
from linux_kernel import (
    ACTIVE,
    OFF,
    PASSIVE,
    WARNING,
    adapter,
    cable,
    lay,
    measured,
    remove,
    sh,
    vcan,
)

from gridzero.doctor.evidence import Unseen
from gridzero.doctor.interfaces import details_of
from gridzero.errors import LinkError
from gridzero.links.can_bus import RealCan
from gridzero.links.can_opening import SEND_BUFFER_BYTES
from gridzero.links.can_state import controller_state
from gridzero.ports.links import CanFilter, CanFrame

pytestmark = pytest.mark.real_time

EVERYTHING = [CanFilter(0, 0, is_extended=False), CanFilter(0, 0, is_extended=True)]
HEALS_S = 5.0
SLACK_S = 3.0  # this machine does other things too


class Link:
    """A RealCan that is listened to, and what it told."""

    def __init__(self, channel: str, **options: Any) -> None:
        self.told: list[tuple[str, bool]] = []
        self.texts: list[str] = []
        self.heard: list[CanFrame] = []
        self.can = RealCan(
            name="bus", interface="socketcan", channel=channel, report=self._note, **options
        )
        self.can.listen(self.heard.append, EVERYTHING)

    def _note(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.told.append((code, active))
        self.texts.append(text)

    @property
    def state(self) -> str:
        return self.can.health.state

    def stands(self, code: str) -> bool:
        return next((active for told, active in reversed(self.told) if told == code), False)

    def send(self, can_id: int = 0x305) -> bool:
        with suppress(LinkError):
            self.can.send(CanFrame(can_id, bytes(8)))
            return True
        return False

    async def until(self, condition: Callable[[], object], limit_s: float = 20.0) -> float:
        """Seconds until it held."""
        began_s = time.monotonic()
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110 - a test may look at anything
                await asyncio.sleep(0.01)
        return time.monotonic() - began_s

    async def becomes(self, state: str) -> float:
        return await self.until(lambda: self.state == state)


@asynccontextmanager
async def link_at(channel: str, **options: Any) -> AsyncIterator[Link]:
    link = Link(channel, **options)
    task = asyncio.create_task(link.can.run())
    try:
        yield link
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def frame(can_id: int = 7, data: bytes = b"", **kind: bool) -> can.Message:
    return can.Message(
        arbitration_id=can_id, data=data, **{"is_extended_id": False, **kind}, check=True
    )


def say(channel: str, *frames: can.Message) -> None:
    """Another program at this interface."""
    with can.Bus(interface="socketcan", channel=channel) as other:
        for each in frames:
            other.send(each)


async def hears(link: Link, channel: str) -> float:
    """Seconds until the link hears what is said at the other end."""
    began_s, before = time.monotonic(), len(link.heard)
    while len(link.heard) == before:
        assert time.monotonic() - began_s < 20.0, "it stays deaf"
        with suppress(can.CanError, OSError):
            say(channel, frame())
        await asyncio.sleep(0.02)
    return time.monotonic() - began_s


async def test_an_interface_that_goes_down_and_comes_up() -> None:
    with cable("near0", "far0"):
        async with link_at("near0") as link:
            await link.becomes("up")
            sh("ip link set near0 down")
            noticed_s = await link.becomes("down")
            assert link.stands("link_down")
            assert "ip link set" in link.texts[-1]
            await asyncio.sleep(3.0)  # the pauses between two tries are at their longest
            sh("ip link set near0 up")
            healed_s = await hears(link, "far0")
            await link.until(lambda: not link.stands("link_down"))
    measured("interface down, up again (link)", noticed_s, healed_s)
    assert noticed_s < 1.0 + SLACK_S
    assert healed_s < HEALS_S + SLACK_S


async def test_an_interface_that_is_removed_and_made_again() -> None:
    with cable("near0", "far0"):
        async with link_at("near0") as link:
            await link.becomes("up")
            remove("near0")
            noticed_s = await link.becomes("down")
            await asyncio.sleep(0.5)
            lay("near0", "far0")
            healed_s = await hears(link, "far0")
            assert link.send()
    measured("interface removed, made again (link)", noticed_s, healed_s)
    assert noticed_s < 1.0 + SLACK_S
    assert healed_s < HEALS_S + SLACK_S


async def test_an_interface_that_is_exchanged_within_a_moment_is_not_listened_to_for_ever() -> None:
    """The error that tells of it comes once, and the next reader of the socket gets it."""
    with cable("near0", "far0"):
        async with link_at("near0") as link:
            await link.becomes("up")
            for _ in range(2):
                remove("near0")
                lay("near0", "far0")
                link.send()
            healed_s = await hears(link, "far0")
    measured("interface exchanged twice in a moment (link)", None, healed_s)
    assert healed_s < HEALS_S + SLACK_S


async def test_an_interface_that_comes_later() -> None:
    async with link_at("near0") as link:
        noticed_s = await link.until(lambda: link.stands("link_down"))
        assert "near0" in link.texts[0]
        await asyncio.sleep(0.5)
        with cable("near0", "far0"):
            healed_s = await hears(link, "far0")
    measured("interface not there at the start, comes later (link)", noticed_s, healed_s)
    assert healed_s < HEALS_S + SLACK_S


async def test_an_interface_that_is_renamed_away_and_back() -> None:
    """The socket would stay at it: the name in the configuration is what counts."""
    with cable("near0", "far0"):
        async with link_at("near0") as link:
            await link.becomes("up")
            sh("ip link set near0 down")
            sh("ip link set near0 name other0")
            sh("ip link set other0 up")
            noticed_s = await link.becomes("down")
            await link.until(lambda: "no such network interface" in link.texts[-1])
            say("far0", frame())
            await asyncio.sleep(0.1)
            assert not link.heard
            sh("ip link set other0 down")
            sh("ip link set other0 name near0")
            sh("ip link set near0 up")
            healed_s = await hears(link, "far0")
    measured("interface renamed away, and back (link)", noticed_s, healed_s)
    assert healed_s < HEALS_S + SLACK_S


async def test_a_name_that_comes_back_as_something_else_is_told_and_heals() -> None:
    """Fifteen letters, the longest that there is."""
    name = "can-rectifier-1"
    with cable(name, "far0"):
        async with link_at(name) as link:
            await link.becomes("up")
            remove(name)
            sh(f"ip link add {name} type dummy")
            await link.until(lambda: "is not a CAN interface" in "".join(link.texts))
            assert link.state == "down"
            assert not link.send()
            remove(name)
            lay(name, "far0")
            await hears(link, "far0")


async def test_two_interfaces_that_exchange_their_names_exchange_their_wires() -> None:
    with cable("near0", "far0"), cable("near1", "far1"):
        async with link_at("near0") as link:
            await link.becomes("up")
            for each in ("near0", "near1"):
                sh(f"ip link set {each} down")
            for old, new in (("near0", "swap"), ("near1", "near0"), ("swap", "near1")):
                sh(f"ip link set {old} name {new}")
            for each in ("near0", "near1"):
                sh(f"ip link set {each} up")
            await hears(link, "far1")
            before = len(link.heard)
            say("far0", frame())
            await asyncio.sleep(0.2)
            assert len(link.heard) == before
            remove("near1")


async def test_the_states_of_a_controller_are_told_and_end() -> None:
    with adapter() as plugged:
        async with link_at(plugged.name) as link:
            await link.becomes("up")
            plugged.say(WARNING)
            warned_s = await link.becomes("error-warning")
            plugged.say(PASSIVE)
            await link.becomes("error-passive")
            assert link.stands("can_errors")
            assert controller_state(plugged.name) == "error-passive"
            await asyncio.sleep(4.5)  # no error frame is repeated; the state stands
            assert link.state == "error-passive"
            plugged.say(ACTIVE)
            active_s = await link.becomes("up")
            over_s = active_s + await link.until(lambda: not link.stands("can_errors"))
    measured("error-warning, error-passive, error-active (link)", warned_s, over_s)
    assert warned_s < 1.0 + SLACK_S
    assert over_s < HEALS_S + SLACK_S


async def test_a_bus_that_is_off_takes_no_command_and_heals_by_down_and_up() -> None:
    with adapter() as plugged:
        async with link_at(plugged.name) as link:
            await link.becomes("up")
            plugged.say(OFF)
            noticed_s = await link.becomes("bus-off")
            assert link.stands("can_errors")
            assert not any(link.send() for _ in range(50))
            await asyncio.sleep(1.5)
            assert link.state == "bus-off"
            plugged.down_up()
            assert not plugged.sent  # nothing old waited for the recovery
            healed_s = await link.until(link.send)
            over_s = healed_s + await link.until(lambda: not link.stands("can_errors"))
            await link.until(lambda: plugged.sent)
    measured("bus-off, then down and up (link)", noticed_s, healed_s)
    measured("bus-off: the warning ends (link)", None, over_s)
    assert noticed_s < 1.0 + SLACK_S
    assert healed_s < HEALS_S + SLACK_S


async def test_a_controller_that_was_in_trouble_before_is_found_out() -> None:
    """An error frame tells a change only; who comes later gets none."""
    with adapter() as plugged:
        plugged.say(OFF)
        async with link_at(plugged.name) as link:
            noticed_s = await link.becomes("bus-off")
            assert not link.send()
    measured("bus-off since before the start (link)", noticed_s, None)
    assert noticed_s < 2.0 + SLACK_S


async def test_a_send_queue_that_is_full_is_told_and_leaves_no_burst_of_old_commands() -> None:
    with adapter() as plugged:
        sh(f"ip link set {plugged.name} txqueuelen 1000")
        async with link_at(plugged.name) as link:
            await link.becomes("up")
            plugged.stall()
            sent = sum(link.send(number % 0x700) for number in range(2000))
            assert link.can.health.tx_failed == 2000 - sent
            noticed_s = await link.until(lambda: link.stands("can_errors"))
            assert "queue is full" in link.texts[-1]
            assert link.state == "up"
            plugged.go_on()
            healed_s = await link.until(lambda: link.send(0x7FF))
            await link.until(lambda: plugged.sent and plugged.sent[-1].startswith(b"t7FF"))
            burst = len(plugged.sent) - 1
            over_s = await link.until(lambda: not link.stands("can_errors"))
    measured(f"full send queue, {burst} old frames left it (link)", noticed_s, healed_s)
    measured("full send queue: the warning ends (link)", None, over_s)
    assert burst <= 20, f"of {SEND_BUFFER_BYTES} bytes"
    assert healed_s < HEALS_S


async def test_an_adapter_that_is_pulled_out_and_plugged_in_again() -> None:
    """The next one gets its name, as a rule of udev would give it."""
    name = "canpsu"
    with adapter(name) as plugged:
        async with link_at(name) as link:
            await link.becomes("up")
            plugged.close()
            noticed_s = await link.becomes("down")
            await link.until(lambda: name not in {each for _, each in socket.if_nameindex()})
            with adapter(name) as again:
                healed_s = await link.until(link.send)
                await link.until(lambda: again.sent)
    measured("adapter pulled out, plugged in again (link)", noticed_s, healed_s)
    assert noticed_s < 2.0 + SLACK_S
    assert healed_s < HEALS_S + SLACK_S


def test_what_ip_says_of_each_kind_is_understood() -> None:
    with adapter() as plugged, vcan("some0"), cable("near0", "far0"):
        plugged.say(OFF)
        time.sleep(0.2)
        told = details_of(sh("ip -details -statistics -json link"))
        assert not isinstance(told, Unseen)
        assert (told["some0"].kind, told["near0"].kind) == ("vcan", "vxcan")
        assert told["some0"].bitrate is None
        real = told[plugged.name]
        assert (real.kind, real.bitrate, real.state) == ("can", 500_000, "BUS-OFF")
        assert (real.restart_ms, real.bus_offs) == (0, 1)
