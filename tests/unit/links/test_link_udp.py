"""RealUdp on the loopback interface; multicast is joined by the kernel and not tried here."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from link_fakes import LOOPBACK, Reports, running, until

from gridzero.links.udp_port import MOST_BYTES, RealUdp

pytestmark = pytest.mark.real_time


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def link_on(port: int, reports: Reports, **given: Any) -> RealUdp:
    return RealUdp(name="lan", port=port, interface=LOOPBACK, report=reports, **given)


def send(port: int, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in datagrams:
            sender.sendto(data, (LOOPBACK, port))


async def test_each_datagram_is_heard_and_a_long_one_is_counted() -> None:
    port, heard = free_udp_port(), []
    link = link_on(port, Reports())
    link.listen(heard.append)
    async with running(link):
        await until(lambda: link.health.state == "up")
        send(port, b"one", b"x" * (MOST_BYTES + 1), b"")
        await until(lambda: len(heard) == 2)
    assert heard == [b"one", b""]
    assert (link.health.rx, link.health.skipped) == (2, {"too long": 1})
    assert link.health.state == "down"


async def test_only_the_named_sender_counts() -> None:
    port, heard = free_udp_port(), []
    link = link_on(port, Reports(), sender="10.0.0.9")
    link.listen(heard.append)
    async with running(link):
        await until(lambda: link.health.state == "up")
        send(port, b"not me")
        await until(lambda: link.health.skipped)
    assert (heard, link.health.skipped) == ([], {"other sender": 1})


async def test_a_port_that_is_taken_is_told_and_tried_again() -> None:
    port, reports = free_udp_port(), Reports()
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind((LOOPBACK, port))
    link = link_on(port, reports)
    async with running(link):
        await until(lambda: reports.told)
        assert "Another program has the port" in reports.texts[0]
        other.close()
        await until(lambda: link.health.state == "up")


async def test_a_bug_in_a_listener_ends_the_link_instead_of_vanishing() -> None:
    port = free_udp_port()
    link = link_on(port, Reports())

    def broken(_data: bytes) -> None:
        raise ZeroDivisionError

    link.listen(broken)
    task = asyncio.ensure_future(link.run())
    await until(lambda: link.health.state == "up")
    send(port, b"x")
    with pytest.raises(ZeroDivisionError):
        await task


async def test_a_group_that_cannot_be_joined_says_what_to_check() -> None:
    reports = Reports()
    link = RealUdp(
        name="lan",
        port=free_udp_port(),
        group="239.12.255.254",
        interface="203.0.113.1",
        report=reports,
    )
    async with running(link):
        await until(lambda: reports.told)
    assert "group 239.12.255.254" in reports.texts[0]
