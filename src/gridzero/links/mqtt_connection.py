"""One connection to a broker by aiomqtt: made, guarded and left without a trace."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiomqtt

from gridzero.errors import LinkError
from gridzero.links.mqtt_outbox import Outgoing
from gridzero.links.tasks import apart

REACH_LIMIT_S = 2.0  # for the TCP connection; two SYNs: a network that is back is used at once
ANSWER_LIMIT_S = 3.0  # with the pause after it below what an outage may need to heal
CONNECT_LIMIT_S = 12.0  # name look-up, TCP connection, TLS, the broker's answer
LEAVE_LIMIT_S = 1.0
LEAVE_TURNS = 3  # of the loop: write the goodbye, close the socket, end the keep-alive task
MOST_PENDING = 32

_LOGIN_CODES = frozenset({4, 5, 134, 135})
_CLOSED_CODES = frozenset({4, 7, 128})  # paho's numbers: not connected, lost, unspecified
_CLOSED = "it was closed by the broker or the network"
_TURNED_AWAY = "it hung up without an answer"
_SILENT = "it does not answer"
_TIMED_OUT = frozenset({"Operation timed out", "timed out", "TimeoutError"})
_NO_DELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
_QUIET = logging.getLogger("gridzero.aiomqtt")  # outages are told by the link, once
_QUIET.setLevel(logging.CRITICAL)

Deliver = Callable[[aiomqtt.Message], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttTls:
    """How to speak TLS. ca_file None: the system's authorities. insecure: any host name."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttAccount:
    """Where the broker is and who asks."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    tls: MqttTls | None
    client_id: str | None
    keepalive_s: int

    @asynccontextmanager
    async def connected(
        self, will: Outgoing | None, deliver: Deliver
    ) -> AsyncIterator[aiomqtt.Client]:
        """A connected client; deliver is called for each message. Raises MqttError."""
        client = self._client(will, deliver)
        await _enter(client)
        try:
            yield client
        finally:
            await _leave(client)

    def _client(self, will: Outgoing | None, deliver: Deliver) -> aiomqtt.Client:
        client = _Client(
            self.host,
            self.port,
            username=self.username,
            password=self.password,
            identifier=self.client_id,
            logger=_QUIET,
            queue_type=_inbox(deliver),
            will=will and aiomqtt.Will(will.topic, will.payload, retain=will.retain),
            timeout=ANSWER_LIMIT_S,
            keepalive=self.keepalive_s,
            tls_params=_tls_parameters(self.tls),
            tls_insecure=self.tls.insecure if self.tls else None,
            socket_options=_NO_DELAY,
        )
        client.pending_calls_threshold = MOST_PENDING
        client._client.connect_timeout = REACH_LIMIT_S  # noqa: SLF001 - aiomqtt has no way to say it
        return client

    def trouble(self, name: str, error: aiomqtt.MqttError) -> LinkError:
        """What went wrong, for a person."""
        cause = _cause(error)
        return LinkError(
            f"no connection to the broker: {cause}",
            where=f"{name} ({self.host}:{self.port})",
            remedy=self._remedy(error, cause),
        )

    def _remedy(self, error: aiomqtt.MqttError, cause: str) -> str:
        if isinstance(error, aiomqtt.MqttCodeError) and code_number(error.rc) in _LOGIN_CODES:
            return "Check username and password, and the broker's access list"
        if "CERTIFICATE" in cause or "SSL" in cause:
            return "Check tls: the authority's certificate, the host name and the clock"
        if cause == _TURNED_AWAY:
            asks = "asks for tls.cert_file" if self.tls else "speaks TLS there (mqtt.tls)"
            return f"See the broker's log, and whether it {asks}"
        if cause == _CLOSED and self.client_id:
            return (
                "Check the broker and the network; when this comes again and again, another"
                f" program uses the client_id {self.client_id!r} too"
            )
        return "Check that the broker runs there, and host, port and network"


class _Client(aiomqtt.Client):
    """Notices at once when the broker hangs up before it has answered, and leaves no socket behind.

    aiomqtt asks for the loop's next turn to wait until a socket can be written. By then it may be
    closed, and its number that of another.
    """

    def _on_socket_register_write(self, client: Any, _userdata: Any, sock: Any) -> None:
        """It may be called in the thread that connects."""
        self._loop.call_soon_threadsafe(self._write_when_it_can, client, sock)

    def _write_when_it_can(self, client: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write, client)

    def _write(self, client: Any) -> None:
        try:
            client.loop_write()
        except Exception as error:  # noqa: BLE001 - as aiomqtt: whatever breaks here is an outage
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
                _no_news(self._disconnected)

    def _on_disconnect(self, *arguments: Any) -> None:
        """For aiomqtt this is only what follows an answer: it would wait for one to the end."""
        if self._connected.done():
            super()._on_disconnect(*arguments)
            _no_news(self._disconnected)  # aiomqtt forgets it while it still connects
        else:
            self._connected.set_exception(aiomqtt.MqttError(_TURNED_AWAY))
            _no_news(self._connected)


def _no_news(end: asyncio.Future[None]) -> None:
    """Whoever waits for it gets it; asyncio need not complain when nobody does."""
    if end.done() and not end.cancelled():
        end.exception()


def _cause(error: aiomqtt.MqttError) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, aiomqtt.MqttCodeError) and code_number(cause.rc) in _CLOSED_CODES:
        return _CLOSED
    words = str(cause) or type(cause).__name__
    return _SILENT if words in _TIMED_OUT else words


def code_number(code: Any) -> int:
    """The number in a code of paho, which is an int or an object."""
    return int(getattr(code, "value", code) or 0)


def _inbox(deliver: Deliver) -> type[asyncio.Queue[aiomqtt.Message]]:
    """A queue for aiomqtt that never holds anything: what is put in is handed over at once.

    aiomqtt's own way out of the queue takes a task for each message.
    """

    class Inbox(asyncio.Queue[aiomqtt.Message]):
        def put_nowait(self, item: aiomqtt.Message) -> None:
            deliver(item)

    return Inbox


async def _enter(client: aiomqtt.Client) -> None:
    try:
        # a connecting thread cannot be cancelled, and would leave its socket behind
        await apart(client.__aenter__(), CONNECT_LIMIT_S)
    except (asyncio.CancelledError, aiomqtt.MqttError):
        await _leave(client)
        raise


async def _leave(client: aiomqtt.Client) -> None:
    """Close the connection, in whatever state it is."""
    client.timeout = LEAVE_LIMIT_S
    with suppress(aiomqtt.MqttError):
        await apart(client.__aexit__(None, None, None), 2 * LEAVE_LIMIT_S)
    # after an error of its own, aiomqtt leaves the socket open and paho reading it
    client._client.disconnect()  # noqa: SLF001 - its public API cannot close that socket
    for _ in range(LEAVE_TURNS):
        await asyncio.sleep(0)


def _tls_parameters(tls: MqttTls | None) -> aiomqtt.TLSParameters | None:
    if tls is None:
        return None
    return aiomqtt.TLSParameters(ca_certs=tls.ca_file, certfile=tls.cert_file, keyfile=tls.key_file)
