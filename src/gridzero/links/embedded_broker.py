"""A broker inside gridzero, for a site that has none: amqtt, on the loopback interface only."""

from __future__ import annotations

import asyncio
import errno
import importlib
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from gridzero.errors import ConfigError, LinkError
from gridzero.links.backoff import Keeper
from gridzero.links.tasks import cancel_all
from gridzero.ports.links import LinkHealth
from gridzero.ports.plugin import Report

STOP_LIMIT_S = 2.0

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_QUIET = ("amqtt", "transitions")
_LISTENER = "default"  # the name that amqtt wants to have
_OPTIONS = {
    "listeners": {_LISTENER: {"type": "external", "bind": "gridzero"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


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
        self._broker: Any = None  # amqtt is loaded late, and has no types
        self._adapters: Any = None
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def run(self) -> NoReturn:
        """Serve until cancelled; a port that is taken is tried again."""
        await self._keeper.run(self._serve)

    async def start(self) -> None:
        """Listen. Raises LinkError when the port is taken."""
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._adapters = importlib.import_module("amqtt.adapters")
        self._broker = importlib.import_module("amqtt.broker").Broker(_OPTIONS)
        await self._broker.start()
        try:
            self._server = await asyncio.start_server(self._connected, self._host, self._port)
        except OSError as error:
            await self.stop()
            raise self._error(error) from error

    async def stop(self) -> None:
        """Close all connections; no task is left. Harmless when not started."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        broker, self._broker = self._broker, None
        if broker is not None:
            await _shut_down(broker)
        await self._cut()

    async def _cut(self) -> None:
        connections = dict(self._connections)
        for writer in connections.values():
            writer.transport.abort()
        await cancel_all(connections)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client. amqtt does not close its socket when the last words did not get through."""
        task = asyncio.current_task()
        if task is None or self._broker is None:
            writer.close()
            return
        self._connections[task] = writer
        try:
            # Python 3.11 complains in the loop's exception handler when this ends as cancelled
            with suppress(OSError, asyncio.CancelledError):
                await self._broker.external_connected(
                    self._adapters.StreamReaderAdapter(reader),
                    self._adapters.StreamWriterAdapter(writer),
                    _LISTENER,
                )
        finally:
            del self._connections[task]
            writer.close()

    async def _serve(self) -> None:
        await self.start()
        self._keeper.up()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    def _error(self, error: OSError) -> LinkError:
        taken = error.errno == errno.EADDRINUSE
        what = "another program listens there already" if taken else str(error)
        return LinkError(
            f"port {self._port} on {self._host}: {what}",
            where=self.name,
            remedy="Use the broker that runs there (set mqtt.host), or set another port",
        )


async def _shut_down(broker: Any) -> None:
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            await broker.shutdown()
    except TimeoutError:
        # seldom, a task of amqtt does not hear that it shall end, and others wait for it
        await cancel_all([task for task in asyncio.all_tasks() if _is_of_amqtt(task)])


def _is_of_amqtt(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "amqtt" in Path(code.co_filename).parts
