"""A real MQTT connection by aiomqtt: subscriptions, births and wills outlive the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn

import aiomqtt
import structlog

from gridzero.links.backoff import Keeper, SessionEnd
from gridzero.links.mqtt_birth import Birth, Refusals
from gridzero.links.mqtt_connection import MOST_PENDING, MqttAccount, MqttTls, code_number
from gridzero.links.mqtt_outbox import Outbox, Outgoing
from gridzero.links.tasks import first_to_end
from gridzero.links.topics import matches
from gridzero.ports.links import LinkHealth, MqttMessage
from gridzero.ports.plugin import Report

log = structlog.get_logger()

MqttHandler = Callable[[MqttMessage], None]

MOST_PAYLOAD_BYTES = 1 << 20
MOST_ROUTES = 4096
FAREWELL_LIMIT_S = 1.0
REFUSED = 128  # from here on a SUBACK code is a refusal


class RealMqtt:
    """The connection to a broker, made by run() and again after each outage.

    Meets ports.links.MqttLink. will_topic: the broker says will_payload there (retained) when
    gridzero is gone, and gridzero says so itself when it stops in order. birth_topic: says
    birth_payload (retained) after each connect; the will's topic unless given. keepalive_s:
    a broker that vanished without a word is noticed within twice this time and 2 s: sooner than TCP
    tries again after a few losses (RFC 6298, 5.5: each time twice as late).
    """

    def __init__(
        self,
        *,
        host: str,
        report: Report,
        port: int = 1883,
        name: str = "mqtt",
        username: str | None = None,
        password: str | None = None,
        tls: MqttTls | None = None,
        client_id: str | None = None,
        will_topic: str | None = None,
        will_payload: str = "offline",
        birth_topic: str | None = None,
        birth_payload: str = "online",
        keepalive_s: int = 4,
    ) -> None:
        self.name = name
        self.health = LinkHealth()
        self._account = MqttAccount(
            host=host,
            port=port,
            username=username,
            password=password,
            tls=tls,
            client_id=client_id,
            keepalive_s=keepalive_s,
        )
        self._will = Outgoing(will_topic, will_payload, retain=True) if will_topic else None
        birth_topic = birth_topic or will_topic
        self._birth: Birth | None = None
        self._refusals = Refusals(report)
        self._keeper = Keeper(name, self.health, report)
        self._subscriptions: list[tuple[str, MqttHandler]] = []
        if birth_topic:
            message = Outgoing(birth_topic, birth_payload, retain=True)
            self._birth = Birth(message, self._say_birth, report)
            self._subscriptions.append((birth_topic, self._birth.hear))
        self._connect_listeners: list[Callable[[], None]] = []
        self._routes: dict[str, tuple[MqttHandler, ...]] = {}
        self._outbox = Outbox()
        self._unasked: list[str] = []
        self._wake = asyncio.Event()
        self._in_flight: asyncio.Future[list[BaseException | None]]

    async def run(self) -> NoReturn:
        """Keep the connection until cancelled. Raises only for bugs."""
        await self._keeper.run(self._serve)

    def subscribe(self, topic: str, handler: MqttHandler) -> None:
        """See ports.links.MqttLink."""
        self._subscriptions.append((topic, handler))
        self._routes.clear()
        self._unasked.append(topic)
        self._wake.set()

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """See ports.links.MqttLink."""
        if self.health.state != "up" or not _is_topic(topic):
            self.health.tx_failed += 1
            return
        if not self._outbox.put(Outgoing(topic, payload, retain)):
            self.health.tx_failed += 1
        self._wake.set()

    def _say_birth(self) -> None:
        if self._birth is not None and self.health.state == "up":
            self.publish(*self._birth.message[:2], retain=True)

    def on_connect(self, listener: Callable[[], None]) -> None:
        """Call listener after each connect, when publishing works again: nothing was kept."""
        self._connect_listeners.append(listener)

    async def _serve(self) -> None:
        end = SessionEnd()
        self._in_flight = asyncio.gather()
        try:
            async with self._account.connected(self._will, partial(self._deliver, end)) as client:
                await self._serve_on(client, end)
        except aiomqtt.MqttError as error:
            raise self._account.trouble(self.name, error) from error
        finally:
            end.close()
            if self._birth is not None:
                self._birth.forget()
            await self._forget_in_flight()
            self.health.tx_failed += self._outbox.clear()

    async def _serve_on(self, client: aiomqtt.Client, end: SessionEnd) -> None:
        try:
            await first_to_end(self._watch(client), self._talk(client), end.wait())
        except aiomqtt.MqttError:
            raise
        except BaseException:
            await self._farewell(client)
            raise

    async def _introduce(self, client: aiomqtt.Client) -> None:
        self._unasked = [topic for topic, _ in self._subscriptions]
        await self._subscribe(client)
        if self._birth is not None:
            self._birth.said()  # first: a quick broker answers while we are still publishing
            await self._publish(client, self._birth.message)
        self._keeper.up()
        for listener in self._connect_listeners:
            listener()

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        topics, self._unasked = list(dict.fromkeys(self._unasked)), []
        if not topics:
            return
        codes = await client.subscribe([(topic, 0) for topic in topics])
        answers = list(zip(topics, (code_number(code) for code in codes), strict=False))
        refused = [topic for topic, code in answers if code >= REFUSED]
        for topic in refused:
            log.warning("subscription.refused", link=self.name, topic=topic)
            self.health.skip("subscription refused")
        self._refusals.update([topic for topic, code in answers if code < REFUSED], refused)

    async def _watch(self, client: aiomqtt.Client) -> None:
        """Wait for the connection's end; messages do not pass here, they go to _deliver at once."""
        async for _ in client.messages:
            self.health.skip("message past the inbox")

    async def _talk(self, client: aiomqtt.Client) -> None:
        await self._introduce(client)
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._subscribe(client)
            await self._flush(client)

    async def _flush(self, client: aiomqtt.Client) -> None:
        while batch := self._outbox.take(MOST_PENDING):
            self._in_flight = asyncio.gather(
                *(self._publish(client, each) for each in batch), return_exceptions=True
            )
            # shielded: what was taken out shall still leave when the link is being closed
            for failure in await asyncio.shield(self._in_flight):
                if failure is not None:
                    raise failure

    async def _forget_in_flight(self) -> None:
        self._in_flight.cancel()
        await asyncio.gather(self._in_flight, return_exceptions=True)

    async def _publish(self, client: aiomqtt.Client, message: Outgoing) -> None:
        try:
            await client.publish(message.topic, message.payload, qos=0, retain=message.retain)
        except aiomqtt.MqttError:
            self.health.tx_failed += 1
            raise
        self.health.tx += 1

    def _deliver(self, end: SessionEnd, message: aiomqtt.Message) -> None:
        if end.is_over:
            return
        topic = str(message.topic)
        route = self._routes.get(topic)
        if route is None:
            route = self._route(topic)
        if not route:
            self.health.skip("not subscribed")  # amqtt sends retained messages unasked
        elif len(message.payload) > MOST_PAYLOAD_BYTES:
            self.health.skip("payload larger than 1 MiB")
        else:
            with end:
                self._hand_over(topic, message, route)

    def _hand_over(
        self, topic: str, message: aiomqtt.Message, route: tuple[MqttHandler, ...]
    ) -> None:
        now_s = asyncio.get_running_loop().time()
        self.health.rx += 1
        self.health.rx_at_s = now_s
        received = MqttMessage(topic, bytes(message.payload), bool(message.retain), now_s)
        for handler in route:
            handler(received)

    def _route(self, topic: str) -> tuple[MqttHandler, ...]:
        if len(self._routes) > MOST_ROUTES:
            self._routes.clear()
        route = tuple(handler for wanted, handler in self._subscriptions if matches(wanted, topic))
        self._routes[topic] = route
        return route

    async def _farewell(self, client: aiomqtt.Client) -> None:
        """What was published last still goes out, then "offline"."""
        with suppress(TimeoutError, aiomqtt.MqttError):
            async with asyncio.timeout(FAREWELL_LIMIT_S):
                await self._in_flight
                await self._flush(client)
                if self._will is not None:
                    await self._publish(client, self._will)


def _is_topic(topic: str) -> bool:
    return bool(topic) and not ("+" in topic or "#" in topic or "\0" in topic)
