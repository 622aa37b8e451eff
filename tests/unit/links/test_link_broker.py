"""The built-in broker."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
from free_ports import free_port
from link_fakes import LOOPBACK, Reports, open_descriptors, running, until

from gridzero.errors import ConfigError, LinkError
from gridzero.links.embedded_broker import EmbeddedBroker
from gridzero.links.mqtt_client import RealMqtt
from gridzero.ports.links import MqttMessage

pytestmark = pytest.mark.real_time


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "broker.lan"])
def test_it_refuses_to_be_reached_from_elsewhere(host: str) -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1"):
        EmbeddedBroker(host=host, report=Reports())


async def test_it_starts_and_stops_again_and_again_with_clients_connected() -> None:
    port = free_port()
    broker = EmbeddedBroker(port=port, report=Reports())
    link = RealMqtt(host=LOOPBACK, port=port, report=Reports())
    async with running(link):
        for _ in range(2):
            await broker.start()
            await until(lambda: link.health.state == "up")
            await broker.stop()
            await until(lambda: link.health.state == "down")
    await broker.stop()


async def test_a_taken_port_is_told_with_both_cures() -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LinkError, match=rf"{port}.*another program.*mqtt\.host.*another port"):
            await EmbeddedBroker(port=port, report=Reports()).start()


async def test_run_tries_a_taken_port_again() -> None:
    reports = Reports()
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        broker = EmbeddedBroker(port=other.getsockname()[1], report=reports)
        async with running(broker):
            await until(lambda: reports.told)
            other.close()
            await until(lambda: broker.health.state == "up")
    assert [active for _, active, _ in reports.told] == [True, False]
    assert broker.health.state == "down"


async def test_it_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(EmbeddedBroker(port=free_port(), report=Reports())):
        await asyncio.sleep(0.05)
    assert [r for r in caplog.records if r.name.startswith(("amqtt", "transitions"))] == []


async def test_clients_that_come_and_go_leave_no_socket() -> None:
    port = free_port()
    broker = EmbeddedBroker(port=port, report=Reports())
    async with running(broker):
        await until(lambda: broker.health.state == "up")
        before = open_descriptors()
        for _ in range(3):
            # its own last will comes back to it while it is leaving
            link = RealMqtt(host=LOOPBACK, port=port, report=Reports(), will_topic="w")
            got: list[MqttMessage] = []
            link.subscribe("w", got.append)
            async with running(link):
                await until(got.__len__)
        await until(lambda: open_descriptors() <= before)
