"""A real CAN bus by python-can: SocketCAN, slcan, socketcand, virtual, or any other backend."""

from __future__ import annotations

import asyncio
import errno
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

import can
import structlog

from gridzero.errors import LinkError
from gridzero.links.backoff import Keeper, SessionEnd
from gridzero.links.can_errors import ControllerWatch
from gridzero.links.can_opening import BROKEN, BusSpec, error_code, link_error, open_bus
from gridzero.links.can_session import CanSession, Events
from gridzero.links.can_state import controller_state
from gridzero.links.memory import passes
from gridzero.links.worker import Worker, Workers
from gridzero.ports.links import CanFilter, CanFrame, LinkHealth
from gridzero.ports.plugin import Report

log = structlog.get_logger()

CanHandler = Callable[[CanFrame], None]

WATCH_S = 0.5
ASK_EVERY_S = 1.0  # what state the kernel says the controller is in
ASK_LIMIT_S = 2.0
MOST_PATIENT_S = 60.0
FLOOD_PER_S = 500.0  # frames behind the filters; two packs and a rectifier make some 100
MOST_ROUTES = 4096  # a babbling node must not grow the table for ever
MOST_FILTERS = 512  # CAN_RAW_FILTER_MAX of the kernel

# python-can filters for the others in Python, slower than the table here, and error frames too
_FILTERS_ITSELF = frozenset({"socketcan", "kvaser", "vector", "systec", "etas"})
_QUEUE_FULL = "Transmit buffer full"  # what python-can says when it polled in vain


class RealCan:
    """One CAN bus, opened by run() and opened again after each outage; meets ports.links.CanLink.

    silence_reopen_s: the bus is opened again when nothing was heard for so long although frames
        were sent, because a socket can stay deaf after its adapter was unplugged. The time
        doubles while the silence lasts, up to a minute.
    hear_this_host: also take what other programs on this machine send (SocketCAN only); a
        simulator on a vcan interface needs it.
    options: passed to the python-can backend, such as ``host`` and ``port`` of socketcand.

    Raises ConfigError when python-can does not have the interface.
    """

    def __init__(
        self,
        *,
        name: str,
        interface: str,
        channel: str,
        report: Report,
        bitrate: int | None = None,
        silence_reopen_s: float = 10.0,
        hear_this_host: bool = False,
        **options: Any,
    ) -> None:
        self.name = name
        self.health = LinkHealth()
        if bitrate is not None:
            options["bitrate"] = bitrate
        self._spec = BusSpec(name, interface, channel, options)
        self._spec.check()
        self._silence_reopen_s = silence_reopen_s
        self._hear_this_host = hear_this_host
        self._keeper = Keeper(name, self.health, report)
        self._controller = ControllerWatch(name, self.health, report)
        self._listeners: list[tuple[CanHandler, tuple[CanFilter, ...]]] = []
        self._routes: dict[tuple[int, bool], tuple[CanHandler, ...]] = {}
        self._session: CanSession | None = None
        self._end: SessionEnd
        self._patience_s = silence_reopen_s
        self._unanswered_since_s: float | None = None
        self._taken = 0
        self._counted_at_s = 0.0
        self._workers = Workers(f"can {name}", where=name)

    async def run(self) -> NoReturn:
        """Keep the bus open until cancelled. Raises only for bugs and impossible options."""
        self._loop = asyncio.get_running_loop()
        await self._keeper.run(self._serve)

    def send(self, frame: CanFrame) -> None:
        """See ports.links.CanLink."""
        try:
            self._open_session().send(_message(frame))
        except LinkError:
            self.health.tx_failed += 1
            raise
        except BROKEN as error:
            self._send_failed(error)
            raise link_error(self.name, "cannot send", error) from error
        self.health.tx += 1
        if self._unanswered_since_s is None:
            self._unanswered_since_s = self._loop.time()

    def listen(self, handler: CanHandler, filters: Sequence[CanFilter]) -> None:
        """See ports.links.CanLink."""
        self._listeners.append((handler, tuple(filters)))
        self._routes.clear()
        if self._session is not None:
            try:
                self._session.set_filters(self._wanted())
            except BROKEN as error:
                self._broken(error)

    def _open_session(self) -> CanSession:
        if self._session is None:
            raise LinkError(
                f"the bus is not open: {self.health.why}",
                where=self.name,
                remedy="It is opened again by itself; see what the log says about this link",
            )
        if self.health.state == "bus-off":
            # what is queued now would go out as old commands after the recovery
            raise LinkError(
                "the controller is bus-off",
                where=self.name,
                remedy="Check the wiring; set restart-ms 100 on the interface",
            )
        return self._session

    async def _serve(self) -> None:
        with self._workers.next() as worker:
            await self._serve_with(worker)

    async def _serve_with(self, worker: Worker) -> None:
        opened = await open_bus(self._spec, self._wanted(), worker)
        self._end = SessionEnd()
        self._unanswered_since_s = None
        events = Events(self._take, self._unreadable, self._send_failed, self._broken)
        session = CanSession(opened.bus, self._spec.interface, worker, events)
        try:
            self._session = session
            self._keeper.up()
            if opened.first is not None:
                self._take(opened.first)
            session.start()
            await self._watch(session, worker)
        finally:
            self._session = None
            await session.close()

    async def _watch(self, session: CanSession, worker: Worker) -> None:
        """Return when the bus seems to be deaf; raise when it is lost."""
        asked_at_s = -math.inf
        self._taken, self._counted_at_s = 0, self._loop.time()
        while not self._is_deaf():
            if session.has_moved(self._spec.channel):
                self._broken(OSError(errno.ENODEV, "the interface of this name is gone"))
            elif self._loop.time() - asked_at_s >= ASK_EVERY_S:
                asked_at_s = self._loop.time()
                await self._ask_the_kernel(worker)
            await self._end.wait(WATCH_S)
            self._notice_flood()
            self._controller.calm(self._loop.time())
        self._patience_s = min(2 * self._patience_s, MOST_PATIENT_S)
        log.debug("can.reopened", link=self.name, because="silence")

    def _notice_flood(self) -> None:
        """Whoever babbles takes the bus from the others, and this process's time."""
        now_s = self._loop.time()
        if self._taken > FLOOD_PER_S * (now_s - self._counted_at_s):
            self._controller.flooded(now_s)
        self._taken, self._counted_at_s = 0, now_s

    async def _ask_the_kernel(self, worker: Worker) -> None:
        if self._spec.interface != "socketcan":
            return
        before = self.health.state
        with suppress(TimeoutError):
            state = await worker.call(
                partial(controller_state, self._spec.channel), limit_s=ASK_LIMIT_S
            )
            # an error frame that came meanwhile knows better
            if state is not None and self.health.state == before and not self._end.is_over:
                self._controller.asked(state, self._loop.time())

    def _is_deaf(self) -> bool:
        since_s = self._unanswered_since_s
        return since_s is not None and self._loop.time() - since_s >= self._patience_s

    def _take(self, message: can.Message) -> None:
        now_s = self._loop.time()
        self._taken += 1
        self._unanswered_since_s = None
        self._patience_s = self._silence_reopen_s
        if message.is_error_frame:
            self._controller.take(message.arbitration_id, bytes(message.data), now_s)
        elif why := self._reason_to_skip(message):
            self.health.skip(why)
        else:
            self._pass_on(message, now_s)

    def _reason_to_skip(self, message: can.Message) -> str:
        if not (message.is_rx or self._hear_this_host):
            return "sent by this host"
        if message.is_remote_frame:
            return "remote frame"
        return "CAN FD frame" if message.is_fd else ""

    def _pass_on(self, message: can.Message, now_s: float) -> None:
        key = message.arbitration_id, message.is_extended_id
        route = self._routes.get(key)
        if route is None:
            route = self._route(*key)
        self._controller.heard()
        if not route:
            return
        self.health.rx += 1
        self.health.rx_at_s = now_s
        frame = CanFrame(message.arbitration_id, bytes(message.data), message.is_extended_id)
        with self._end:
            for handler in route:
                handler(frame)

    def _route(self, can_id: int, is_extended: bool) -> tuple[CanHandler, ...]:
        if len(self._routes) > MOST_ROUTES:
            self._routes.clear()
        route = tuple(
            handler
            for handler, filters in self._listeners
            if any(passes(wanted, can_id, is_extended) for wanted in filters)
        )
        self._routes[can_id, is_extended] = route
        return route

    def _wanted(self) -> list[dict[str, Any]] | None:
        """Filters of all listeners for python-can; None lets everything through."""
        wanted = {each for _, filters in self._listeners for each in filters}
        if self._spec.interface not in _FILTERS_ITSELF or not 0 < len(wanted) < MOST_FILTERS:
            return None
        return [
            {"can_id": each.can_id, "can_mask": each.mask, "extended": each.is_extended}
            for each in sorted(wanted)
        ]

    def _unreadable(self) -> None:
        self.health.skip("unreadable")

    def _send_failed(self, error: Exception) -> None:
        self.health.tx_failed += 1
        if _is_congestion(error):
            self._controller.jammed(self._loop.time())
        else:
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        self._session = None
        self._end.because(link_error(self.name, "the bus is lost", error))


def _message(frame: CanFrame) -> can.Message:
    try:
        return can.Message(
            arbitration_id=frame.can_id,
            data=frame.data,
            is_extended_id=frame.is_extended,
            is_remote_frame=frame.is_remote,
            check=True,
        )
    except ValueError as error:
        raise LinkError(
            f"no such frame: {error}", where=f"frame {frame.can_id:x}", remedy="Mend the sender"
        ) from error


def _is_congestion(error: Exception) -> bool:
    """Nobody acknowledges, so the queue is full: the bus itself is still there."""
    return error_code(error) == errno.ENOBUFS or _QUEUE_FULL in str(error)
