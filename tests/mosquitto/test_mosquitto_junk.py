"""What a real broker keeps, repeats and carries, however odd; RealMqtt alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiomqtt
import pytest
from broker import NEEDS_MOSQUITTO, mosquitto
from free_ports import free_port
from listener import STATUS, Listener, connected, listening
from process_site import LOOPBACK, until

pytestmark = NEEDS_MOSQUITTO

MANY = 5000
LARGE = 256 << 10
KEEPS = ("allow_anonymous true", "persistence true", "autosave_interval 1")


async def test_five_thousand_stored_topics_arrive_marked_as_old(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        async with aiomqtt.Client(LOOPBACK, broker.port) as client:
            for number in range(MANY):
                await client.publish(f"junk/{number}", bytes(50), retain=True)
        async with connected(broker.port, "#") as one:
            await until(lambda: sum(message.retained for message in one.got) >= MANY)
            async with aiomqtt.Client(LOOPBACK, broker.port) as client:
                await client.publish("junk/live", "1")
            await until(lambda: one.heard("junk/live"))
            live = [message.topic for message in one.got if not message.retained]
            assert set(live) == {STATUS, "junk/live"}
            assert one.told == []


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_whatever_quality_and_size_it_arrives_once(tmp_path: Path, qos: int) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        connected(broker.port, "a") as one,
        aiomqtt.Client(LOOPBACK, broker.port) as client,
    ):
        payloads = [b"", b"1", bytes(LARGE), b"\xff\xfe", b"last"]
        for payload in payloads:
            await client.publish("a", payload, qos=qos)
        await until(lambda: one.heard("a")[-1:] == [b"last"])
        assert one.heard("a") == payloads


async def test_what_the_broker_keeps_on_disk_is_old_after_its_restart(tmp_path: Path) -> None:
    lines = (*KEEPS, f"persistence_location {tmp_path}/")
    async with mosquitto(tmp_path, *lines) as broker, connected(broker.port, "kept") as one:
        one.link.publish("kept", "1", retain=True)
        await until(lambda: one.heard("kept"))
        await broker.end()
        await until(lambda: not one.is_up)
        await broker.start()
        await until(lambda: len(one.heard("kept")) == 2)
        assert [message.retained for message in one.got] == [False, True]
        await until(lambda: not one.standing)


async def test_two_with_one_client_id_are_told_so_and_not_every_time(tmp_path: Path) -> None:
    """The broker throws out the older one, again and again."""
    async with mosquitto(tmp_path) as broker:
        one, other = (Listener(broker.port, client_id="twin") for _ in range(2))
        async with listening(one), listening(other):
            await until(lambda: min(each.link.health.reopened for each in (one, other)) >= 2)
            for each in (one, other):
                assert "'twin'" in each.outage
                assert len([told for told in each.told if told[0] == "link_down"]) <= 5


async def test_who_takes_the_session_over_once_is_gone_again_within_seconds(
    tmp_path: Path,
) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        connected(broker.port, client_id="gridzero") as one,
        connected(broker.port, STATUS, client_id="observer", will_topic=None) as observer,
    ):
        async with aiomqtt.Client(LOOPBACK, broker.port, identifier="gridzero"):
            await until(lambda: not one.is_up)
        await until(lambda: one.is_up and not one.standing)
        await until(lambda: observer.heard(STATUS)[-1:] == [b"online"])


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """A listener whose queue is full: the kernel drops whatever else knocks."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(0)
        for _ in range(3):
            knocker = sockets.enter_context(socket.socket())
            knocker.setblocking(False)
            knocker.connect_ex((LOOPBACK, port))
        yield


@pytest.mark.slow
async def test_a_network_that_swallows_everything_is_tried_again_every_few_seconds(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with listening(Listener(port)) as one:
        with black_hole(port):
            await until(lambda: "does not answer" in one.outage)
            assert not one.is_up
        async with mosquitto(tmp_path, port=port):
            await until(lambda: one.is_up, limit_s=10.0)
