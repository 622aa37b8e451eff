"""A broker inside gridzero, for a site that has none: amqtt, on the loopback interface only."""

from __future__ import annotations

import asyncio
import errno
import importlib
import logging
import socket
from contextlib import suppress
from typing import Any, NoReturn

from gridzero.errors import ConfigError, LinkError
from gridzero.links.backoff import Keeper
from gridzero.ports.links import LinkHealth
from gridzero.ports.plugin import Report

STOP_LIMIT_S = 5.0

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_QUIET = ("amqtt", "transitions")


class EmbeddedBroker:
    """An MQTT 3.1.1 broker without passwords, for programs on this machine.

    Its library is loaded at the first start. Raises ConfigError for a host that others reach.
    """

    def __init__(
        self, *, report: Report, host: str = "127.0.0.1", port: int = 1883, name: str = "broker"
    ) -> None:
        if host not in _LOOPBACK:
            raise ConfigError(
                f"the built-in broker has no passwords and must not listen on {host}",
                where=name,
                remedy="Use 127.0.0.1, or a broker of your own (mosquitto) and mqtt.host",
            )
        self.name = name
        self.health = LinkHealth()
        self._host = host
        self._port = port
        self._keeper = Keeper(name, self.health, report)
        self._broker: Any = None

    async def run(self) -> NoReturn:
        """Serve until cancelled; a port that is taken is tried again."""
        await self._keeper.run(self._serve)

    async def start(self) -> None:
        """Listen. Raises LinkError when the port is taken."""
        self._check_port()
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
        library = importlib.import_module("amqtt.broker")
        broker = library.Broker(_options(self._host, self._port))
        try:
            await broker.start()
        except library.BrokerError as error:
            raise self._error(f"cannot start: {error}") from error
        self._broker = broker

    async def stop(self) -> None:
        """Close all connections; no task is left. Harmless when not started."""
        broker, self._broker = self._broker, None
        if broker is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_LIMIT_S):
                    await broker.shutdown()

    async def _serve(self) -> None:
        await self.start()
        self._keeper.up()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    def _check_port(self) -> None:
        """Find out before amqtt does, which tells it with a traceback."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._host, self._port))
            except OSError as error:
                raise self._error(_reason(error)) from error

    def _error(self, what: str) -> LinkError:
        return LinkError(
            f"port {self._port} on {self._host}: {what}",
            where=self.name,
            remedy="Use the broker that runs there (set mqtt.host), or set another port",
        )


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there already"
    return error.strerror or str(error)


def _options(host: str, port: int) -> dict[str, Any]:
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
