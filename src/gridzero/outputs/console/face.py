"""The console as a face of the companion: who listens where, and who is looked after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from gridzero.config.faces import ConsoleConfig, ConsoleSshConfig
from gridzero.config.loader import Loaded
from gridzero.errors import ConfigError, GridzeroError
from gridzero.outputs.console import telnet_server
from gridzero.outputs.console.connection import Connection
from gridzero.outputs.console.dig import Tree
from gridzero.outputs.console.door import Door, Places
from gridzero.outputs.console.say_lists import EventLog
from gridzero.outputs.console.session import Room
from gridzero.outputs.console.trace import TracedLink, Tracer
from gridzero.outputs.console.wire import Wire
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import Clock
from gridzero.ports.plugin import DriverPlugin

log = structlog.get_logger()

_RETRY_S = 30.0
_LOOK_S = 5.0


class Listener(Protocol):
    """A server socket."""

    def close(self) -> None:
        """Take no more connections."""
        ...


Listen = Callable[[], Awaitable[Listener]]


class ConsoleFace:
    """Telnet, and SSH where it is configured; both lead to the same sessions.

    links: what can be watched. state_dir: where the SSH host key is kept.
    """

    name = "console"

    def __init__(
        self,
        config: ConsoleConfig,
        feed: Feed,
        clock: Clock,
        *,
        site: str = "",
        links: tuple[TracedLink, ...] = (),
        state_dir: Path = Path(),
    ) -> None:
        self._config, self._clock, self._state_dir = config, clock, state_dir
        self._log = EventLog()
        self._places: Places[Connection] = Places(config.max_sessions)
        self._connections: set[Connection] = set()
        feed.on("event", self._take_event)
        self._room = Room(feed, clock, Tracer(feed, links), self._log.events, site)
        word = config.password.get_secret_value() if config.password else None
        self._door = Door(word) if word is not None else None

    async def run(self) -> None:
        """Listen, and look after sessions, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for name, listen in self._listeners():
                    group.create_task(self._keep_listening(name, listen), name=name)
                group.create_task(self._look_after(), name="console sessions")
        finally:
            for connection in tuple(self._connections):
                connection.make_room()
                await connection.end()

    def _listeners(self) -> Iterator[tuple[str, Listen]]:
        config = self._config
        yield f"telnet {config.host}:{config.port}", self._telnet
        if config.ssh is not None:
            yield f"ssh {config.ssh.host}:{config.ssh.port}", partial(self._ssh, config.ssh)

    async def _telnet(self) -> Listener:
        host, port = self._config.host, self._config.port
        return await telnet_server.listen(host, port, self._clock, partial(self._open, self._door))

    async def _ssh(self, ssh: ConsoleSshConfig) -> Listener:
        """Raises ConfigError where the extra is missing."""
        try:
            from gridzero.outputs.console import ssh_server  # noqa: PLC0415 - only where wanted
        except ImportError as error:
            raise ConfigError(
                f"SSH needs a library that is not installed ({error.name})",
                where="console.ssh",
                remedy="Run: pip install 'gridzero[ssh]'",
            ) from error
        host_key, keys = self._state_dir / ssh.host_key_file, Path(ssh.authorized_keys_file)
        # whoever has one of the keys needs no password besides
        open_ = partial(self._open, None)
        return await ssh_server.listen(ssh.host, ssh.port, host_key, keys, open_)

    async def _keep_listening(self, name: str, listen: Listen) -> None:
        """A taken port, or a missing file of keys, is told and tried again."""
        is_told = False
        while True:
            try:
                listener = await listen()
            except (OSError, ValueError, GridzeroError) as error:
                if not is_told:
                    log.warning("console.not_listening", where=name, what=str(error))
                is_told = True
                await self._clock.sleep_s(_RETRY_S)
                continue
            log.info("console.listening", where=name)
            await self._serve(listener)

    async def _serve(self, listener: Listener) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            listener.close()

    def _open(self, door: Door | None, wire: Wire) -> Connection:
        connection = Connection(replace(self._room, door=door), wire, self._places)
        self._connections.add(connection)
        return connection

    async def _look_after(self) -> None:
        while True:
            await self._clock.sleep_s(_LOOK_S)
            now_s = self._clock.now_s()
            for connection in tuple(self._connections):
                connection.look_after(now_s, self._config.idle_s)
            self._connections = {one for one in self._connections if one in self._places.guests}

    def _take_event(self, values: Tree) -> None:
        self._log.take(values, datetime.now(UTC))


def console_of(
    loaded: Loaded, feed: Feed, clock: Clock, plugins: Mapping[str, DriverPlugin]
) -> ConsoleFace:
    """The console of a configuration."""
    config = loaded.config
    return ConsoleFace(
        config.console,
        feed,
        clock,
        site=config.site.name,
        links=tuple(traced_links(loaded, plugins)),
        state_dir=Path(config.site.state_dir),
    )


def traced_links(loaded: Loaded, plugins: Mapping[str, DriverPlugin]) -> Iterator[TracedLink]:
    """CAN buses and serial lines, with what explains them."""
    for name, link in loaded.config.links.items():
        if link.type not in {"can", "serial"}:
            continue
        devices = [
            (plugin, options)
            for device, options in loaded.device_options.items()
            if (plugin := plugins.get(loaded.config.devices[device]["driver"]))
            and (link.type, name) in plugin.link_names(options)
        ]
        yield TracedLink(
            name,
            link.type,
            tuple(partial(plugin.explain, options) for plugin, options in devices),
            tuple(plugin.role for plugin, _ in devices),
        )
