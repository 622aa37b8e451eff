"""One connection, telnet or SSH: its keyboard, its terminal, its session and its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from gridzero.outputs.console.door import Places
from gridzero.outputs.console.keys import MemoryInput
from gridzero.outputs.console.session import Room, Session
from gridzero.outputs.console.telnet import Window
from gridzero.outputs.console.terminal import AnyTerminal, terminal_of
from gridzero.outputs.console.wire import Outlet, Stall, Wire

log = structlog.get_logger()

STALLED_S = 30.0
LOGIN_S = 60.0
_KIND_S = 1.0


class Connection:
    """A guest of the console. is_known: see door.Guest."""

    def __init__(self, room: Room, wire: Wire, places: Places[Connection]) -> None:
        self.is_known = False
        self._room, self._wire, self._places = room, wire, places
        self._keyboard = MemoryInput()
        self._outlet = Outlet(wire)
        self._stall = Stall(wire.waiting, STALLED_S)
        self._since_s = self._typed_s = room.clock.now_s()
        self._terminal: AnyTerminal | None = None
        self._window: Window | None = None
        self._kind: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Take a place, or say that there is none."""
        if not self._places.take(self):
            self._outlet.write("no place left: too many sessions\n")
            self._wire.hang_up(at_once=False)
            return
        self._task = asyncio.create_task(self._run(), name=f"console {self._wire.address}")

    def is_a(self, kind: str | None) -> None:
        """What terminal the client says it has; None = it speaks of none."""
        if not self._kind.done():
            self._kind.set_result(kind)

    def resize(self, window: Window) -> None:
        """The client's window has this size."""
        self._window = window
        if self._terminal is not None:
            self._terminal.resize(window)

    def typed(self, data: bytes) -> None:
        """Bytes of the person."""
        self._typed_s = self._room.clock.now_s()
        if self._room.door is None:
            self.is_known = True
        self._keyboard.feed(data)

    def gone(self) -> None:
        """The client has hung up."""
        self._outlet.is_open = False
        self._places.leave(self)
        self.is_a(None)
        self._keyboard.close()

    def make_room(self) -> None:
        """Somebody else needs the place."""
        self._wire.hang_up(at_once=True)

    def look_after(self, now_s: float, idle_s: float) -> None:
        """Hang up on who reads nothing, does not log in, or has left the keyboard."""
        is_late = not self.is_known and self._room.door is not None
        if self._stall.is_dead(now_s) or (is_late and now_s - self._since_s > LOGIN_S):
            self._wire.hang_up(at_once=True)
        elif idle_s > 0.0 and now_s - self._typed_s > idle_s:
            self._outlet.write("\nclosed: nothing was typed for a long time\n")
            self._wire.hang_up(at_once=False)

    async def end(self) -> None:
        """End the session at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._serve()
        except Exception:
            # a bug must cost one session, not the console
            log.exception("console.crashed", address=self._wire.address)
        finally:
            self._places.leave(self)
            self._wire.hang_up(at_once=False)
            self._keyboard.close()

    async def _serve(self) -> None:
        """A client that says nothing of its terminal within a second has a plain one."""
        await asyncio.wait([self._kind], timeout=_KIND_S)
        kind = self._kind.result() if self._kind.done() else None
        self._terminal = terminal_of(kind, self._keyboard, self._outlet)
        if self._window is not None:
            self._terminal.resize(self._window)
        session = Session(self._room, self._terminal, self._wire.address, self._welcome)
        await session.run()

    def _welcome(self) -> None:
        """Logged in; without a password whoever types is known."""
        if self._room.door is not None:
            self.is_known = True
            log.info("console.entered", address=self._wire.address)


Connections = Places[Connection]
Open = Callable[[Wire], Connection]
"""Makes the connection of a new wire."""
