"""RealMqtt against the built-in broker, a proxy that cuts, and brokers that misbehave."""

from __future__ import annotations

import asyncio
import gc
import shutil
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from free_ports import free_port
from link_fakes import LOOPBACK, Proxy, Reports, running, until

from gridzero.links import mqtt_connection
from gridzero.links.embedded_broker import EmbeddedBroker
from gridzero.links.mqtt_client import MOST_PAYLOAD_BYTES, RealMqtt
from gridzero.links.mqtt_connection import MqttTls
from gridzero.links.mqtt_outbox import MOST_WAITING, Outbox, Outgoing
from gridzero.ports.links import MqttMessage

pytestmark = pytest.mark.real_time

WILL = "gridzero/availability"
CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x00"


@asynccontextmanager
async def broker_at(port: int) -> AsyncIterator[EmbeddedBroker]:
    broker = EmbeddedBroker(port=port, report=Reports())
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    number = free_port()
    async with broker_at(number):
        yield number


class Client:
    """A RealMqtt and what it received."""

    def __init__(self, port: int, *topics: str, **options: Any) -> None:
        self.reports = Reports()
        self.got: list[MqttMessage] = []
        self.link = RealMqtt(host=LOOPBACK, port=port, report=self.reports, **options)
        for topic in topics:
            self.link.subscribe(topic, self.got.append)

    def payloads(self, topic: str) -> list[bytes]:
        return [message.payload for message in self.got if message.topic == topic]

    async def is_up(self) -> None:
        await until(lambda: self.link.health.state == "up")


@asynccontextmanager
async def client(port: int, *topics: str, **options: Any) -> AsyncIterator[Client]:
    made = Client(port, *topics, **options)
    async with running(made.link):
        await made.is_up()
        yield made


async def test_a_message_arrives_with_topic_payload_and_time(port: int) -> None:
    async with client(port, "meter/+/power") as meter, client(port) as sender:
        sender.link.publish("meter/a/power", "12.5")
        sender.link.publish("meter/a/energy", b"1")
        sender.link.publish("meter/b/power", b"\xff")
        await until(lambda: len(meter.got) == 2)
        assert [message[:3] for message in meter.got] == [
            ("meter/a/power", b"12.5", False),
            ("meter/b/power", b"\xff", False),
        ]
        assert meter.got[0].received_at_s == pytest.approx(asyncio.get_running_loop().time(), abs=5)
        await until(lambda: sender.link.health.tx == 3)
        assert meter.link.health.rx == 2


async def test_a_stored_message_says_so(port: int) -> None:
    async with client(port) as sender:
        sender.link.publish("config/limit", "800", retain=True)
        await until(lambda: sender.link.health.tx == 1)
    async with client(port, "config/#") as late:
        await until(lambda: late.got)
        assert late.got[0].retained


async def test_a_subscription_made_while_connected_works(port: int) -> None:
    async with client(port) as one:
        one.link.subscribe("late/#", one.got.append)
        async with asyncio.timeout(5):
            while not one.got:
                one.link.publish("late/x", "1")
                await asyncio.sleep(0.01)


async def test_what_nobody_asked_for_is_dropped(port: int) -> None:
    async with client(port) as sender, client(port, "other/#"):
        sender.link.publish("other/state", "1", retain=True)
        await until(lambda: sender.link.health.tx == 1)
        async with client(port, "mine/#") as mine:
            # amqtt sends it to every newcomer, because somebody has subscribed to it
            await until(lambda: mine.link.health.skipped.get("not subscribed"))
            assert mine.got == []


async def test_birth_at_connect_and_offline_at_an_orderly_end(port: int) -> None:
    async with client(port, WILL) as observer:
        async with client(port, will_topic=WILL):
            await until(lambda: observer.payloads(WILL) == [b"online"])
        await until(lambda: observer.payloads(WILL) == [b"online", b"offline"])
    async with client(port, WILL) as later:
        await until(lambda: later.got)
        assert later.got[0][:3] == (WILL, b"offline", True)


async def test_what_was_published_last_still_leaves(port: int) -> None:
    async with client(port, "last") as observer:
        async with client(port) as sender:
            sender.link.publish("last", "words")
        await until(lambda: observer.payloads("last") == [b"words"])


async def test_the_broker_speaks_the_will_when_the_client_dies(port: int) -> None:
    proxy = Proxy(port)
    await proxy.start()
    async with (
        client(port, WILL) as observer,
        client(proxy.port, will_topic=WILL, will_payload="gone") as dying,
    ):
        await until(lambda: observer.payloads(WILL) == [b"online"])
        proxy.cut()
        await until(lambda: observer.payloads(WILL)[1:2] == [b"gone"])
        await until(lambda: observer.payloads(WILL)[2:] == [b"online"])
        assert dying.link.health.reopened == 1
    await proxy.stop()


async def test_who_is_there_is_not_called_offline_for_long(port: int) -> None:
    """A broker speaks the will of a connection that the network took away when it notices."""
    async with (
        client(port, WILL) as observer,
        client(port, will_topic=WILL),
        client(port) as other,
    ):
        await until(lambda: observer.payloads(WILL) == [b"online"])
        for _ in range(50):
            other.link.publish(WILL, "offline", retain=True)
        await until(lambda: observer.payloads(WILL)[-1] == b"online" and len(observer.got) > 50)
        assert observer.payloads(WILL).count(b"online") == 2
    async with client(port, WILL) as later:
        await until(lambda: later.got)
        assert later.got[0][:3] == (WILL, b"offline", True)


async def test_a_broker_restart_brings_back_subscriptions_and_birth() -> None:
    broker = EmbeddedBroker(port=(number := free_port()), report=Reports())
    await broker.start()
    connects: list[str] = []
    one = Client(number, "a/#", WILL, will_topic=WILL)
    one.link.on_connect(lambda: connects.append("again"))
    async with running(one.link):
        await one.is_up()
        await broker.stop()
        await until(lambda: one.link.health.state == "down")
        one.link.publish("a/lost", "1")
        assert one.link.health.tx_failed == 1
        one.got.clear()
        await broker.start()
        await one.is_up()
        one.link.publish("a/b", "2")
        await until(lambda: one.payloads("a/b") == [b"2"])
        await until(lambda: one.payloads(WILL) == [b"online"])
    await broker.stop()
    assert connects == ["again", "again"]
    actives = [active for _, active, _ in one.reports.told]
    assert (actives[0], actives[-1]) == (True, False)
    assert "closed" in one.reports.texts[0]


def has_sent(sender: Client, count: int) -> Callable[[], bool]:
    return lambda: sender.link.health.tx == count


async def test_a_storm_arrives_whole(port: int) -> None:
    async with client(port, "storm") as receiver, client(port) as sender:
        for start in range(0, 3000, 500):
            for i in range(start, start + 500):
                sender.link.publish("storm", str(i))
            await until(has_sent(sender, start + 500))
        await until(lambda: len(receiver.got) == 3000)
        assert receiver.payloads("storm") == [b"%d" % i for i in range(3000)]


async def test_more_than_the_queue_holds_is_dropped_and_counted(port: int) -> None:
    async with client(port) as sender:
        for i in range(MOST_WAITING + 10):
            sender.link.publish(f"t/{i}", "x")
        assert sender.link.health.tx_failed == 10
        await until(lambda: sender.link.health.tx == MOST_WAITING)


async def test_a_huge_payload_is_dropped_and_counted(port: int) -> None:
    async with client(port, "big") as receiver, client(port) as sender:
        sender.link.publish("big", bytes(MOST_PAYLOAD_BYTES))
        sender.link.publish("big", bytes(MOST_PAYLOAD_BYTES + 1))
        sender.link.publish("big", "after")
        await until(lambda: len(receiver.got) == 2)
        assert [len(message.payload) for message in receiver.got] == [MOST_PAYLOAD_BYTES, 5]
        assert receiver.link.health.skipped == {"payload larger than 1 MiB": 1}


@pytest.mark.parametrize("topic", ["", "a/+", "a/#", "a\0b"])
async def test_a_topic_that_cannot_be_is_counted(port: int, topic: str) -> None:
    async with client(port) as sender:
        sender.link.publish(topic, "x")
        assert sender.link.health.tx_failed == 1
        assert sender.link.health.state == "up"


async def test_a_bug_in_a_handler_ends_the_link(port: int) -> None:
    def bug(message: MqttMessage) -> None:
        raise ZeroDivisionError(message)

    one = Client(port, will_topic=WILL)
    one.link.subscribe("x", bug)
    async with client(port, WILL) as observer:
        task = asyncio.ensure_future(one.link.run())
        await one.is_up()
        one.link.publish("x", "1")
        with pytest.raises(ZeroDivisionError):
            await task
        await until(lambda: observer.payloads(WILL) == [b"online", b"offline"])


async def test_no_broker_is_an_outage_with_a_remedy_and_without_the_password() -> None:
    one = Client(1, username="gz", password="geheim")  # nobody listens on port 1
    async with running(one.link):
        await until(lambda: one.reports.told)
    assert "Check that the broker runs" in one.reports.texts[0]
    assert "geheim" not in repr(one.link.__dict__) + "".join(one.reports.texts)


@asynccontextmanager
async def strange_broker(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Answers each thing it hears with the next of these, and then nothing more."""

    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(OSError):
            for answer in answers:
                await reader.read(1024)
                writer.write(answer)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def test_a_wrong_password_is_told_as_such() -> None:
    async with strange_broker(b"\x20\x02\x00\x05") as number:
        one = Client(number, username="gz", password="geheim")
        async with running(one.link):
            await until(lambda: one.reports.told)
        assert "password" in one.reports.texts[0]
        assert "geheim" not in one.reports.texts[0]


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_a_broker_that_does_not_speak_tls_is_told_as_such() -> None:
    async with strange_broker(CONNACK + bytes(60)) as number:
        one = Client(number, tls=MqttTls())
        async with running(one.link):
            await until(lambda: one.reports.told)
        assert "tls" in one.reports.texts[0]
    gc.collect()  # paho leaves the socket of a failed handshake to the garbage collector


async def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that is its own authority, and its key."""
    crt, key = folder / "s.crt", folder / "s.key"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    process = await asyncio.create_subprocess_exec(
        "openssl",
        *options.split(),
        *name,
        "-keyout",
        str(key),
        "-out",
        str(crt),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    return crt, key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_tls_connects_to_a_known_authority_only(tmp_path: Path) -> None:
    crt, key = await certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    async with strange_broker(CONNACK, tls=context) as number:
        async with client(number, tls=MqttTls(ca_file=str(crt))) as known:
            assert known.reports.told == []
        stranger = Client(number, tls=MqttTls())
        async with running(stranger.link):
            await until(lambda: stranger.reports.told)
        assert "certificate" in stranger.reports.texts[0]
    gc.collect()


async def test_a_missing_certificate_is_an_outage(tmp_path: Path, port: int) -> None:
    one = Client(port, tls=MqttTls(ca_file=str(tmp_path / "none.crt")))
    async with running(one.link):
        await until(lambda: one.reports.told)
    assert "No such file" in one.reports.texts[0]


async def test_a_broker_that_never_answers_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_connection, "ANSWER_LIMIT_S", 0.2)
    monkeypatch.setattr(mqtt_connection, "LEAVE_LIMIT_S", 0.2)
    async with strange_broker(b"") as number:
        one = Client(number)
        task = asyncio.ensure_future(one.link.run())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def publish_packet(topic: bytes, payload: bytes) -> bytes:
    body = struct.pack(">H", len(topic)) + topic + payload
    return bytes([0x30, len(body)]) + body


@pytest.mark.parametrize("topic", [b"a/\xff", b"a/+"])
async def test_an_impossible_topic_from_a_broker_is_survived(topic: bytes) -> None:
    async with strange_broker(CONNACK, SUBACK + publish_packet(topic, b"1")) as number:
        one = Client(number, "a/#")
        async with running(one.link):
            await until(lambda: one.reports.told)
        assert one.got == []


def test_a_full_outbox_forgets_old_news_of_the_same_topic_first() -> None:
    outbox = Outbox(most=3)
    sent = [Outgoing(topic, payload, False) for topic, payload in ("a1", "b1", "a2")]
    assert all(outbox.put(message) for message in sent)
    assert not outbox.put(Outgoing("b", "2", False))
    assert not outbox.put(Outgoing("c", "1", False))
    assert [message[:2] for message in outbox.take(9)] == [("a", "2"), ("b", "2"), ("c", "1")]
    assert outbox.clear() == 0


@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")
async def test_mosquitto_restart(tmp_path: Path) -> None:
    number = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {number} {LOOPBACK}\nallow_anonymous true\nuser root\n")
    one = Client(number, "a/#", WILL, will_topic=WILL)
    async with running(one.link):
        for _ in range(2):
            one.got.clear()
            process = await asyncio.create_subprocess_exec(
                "mosquitto", "-c", str(config), stderr=asyncio.subprocess.DEVNULL
            )
            await one.is_up()
            one.link.publish("a/b", "1")
            await until(lambda: one.payloads("a/b") == [b"1"])
            await until(lambda: one.payloads(WILL) == [b"online"])
            process.terminate()
            await process.wait()
            await until(lambda: one.link.health.state == "down")


class Paho:
    """What aiomqtt asks to write."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.written = error, 0

    def loop_write(self) -> None:
        self.written += 1
        if self.error is not None:
            raise self.error


@asynccontextmanager
async def waiting_to_write(paho: Paho) -> AsyncIterator[tuple[aiomqtt.Client, socket.socket]]:
    """A client that was just told that something waits for a socket."""
    client = mqtt_connection._Client(LOOPBACK, 1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client._on_socket_register_write(paho, None, ours)
        yield client, ours


async def test_a_socket_that_was_closed_before_the_next_turn_is_not_waited_for() -> None:
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
    paho = Paho()
    async with waiting_to_write(paho) as (_, ours):
        ours.close()
        await asyncio.sleep(0.01)
    assert (troubles, paho.written) == ([], 0)


async def test_what_waits_is_written_and_a_break_ends_the_connection() -> None:
    paho = Paho(BrokenPipeError("gone"))
    async with waiting_to_write(paho) as (client, ours):
        await until(lambda: paho.written > 0)
        asyncio.get_running_loop().remove_writer(ours.fileno())
        with pytest.raises(BrokenPipeError):
            await client._disconnected


async def test_an_end_that_nobody_waits_for_is_no_news() -> None:
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
    client = mqtt_connection._Client(LOOPBACK, 1)
    client._connected.set_result(None)
    client._on_disconnect(None, None, None, 7)
    assert client._disconnected.done()
    client._disconnected = asyncio.Future()  # as aiomqtt does when it has connected
    del client
    gc.collect()
    assert troubles == []
