"""One opened CAN bus: read in the event loop or by a thread, sent to without waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import can

from gridzero.links.can_opening import BROKEN, UNREADABLE, close_bus, socket_of
from gridzero.links.worker import Worker

MOST_AT_ONCE = 64  # frames per turn of the event loop, so that others get theirs
INBOX_FRAMES = 4096  # about a second of a full bus
OUTBOX_FRAMES = 64
POLL_S = 0.1
SPIN_CPU_S = 0.005  # waiting for nothing costs a tenth of this; spinning on a busy machine more
SPINS = 8
SEND_LIMIT_S = 0.5
FLUSH_LIMIT_S = 0.5
CLOSE_LIMIT_S = 2.0

_SENT_IN_LOOP = frozenset({"socketcan", "virtual", "udp_multicast"})  # their send never waits
_READ_IN_LOOP = frozenset({"socketcan", "slcan", "udp_multicast"})
# others that have a descriptor cut a frame in two when they are read without waiting


class Events(NamedTuple):
    """What a session tells its link, always in the event loop."""

    take: Callable[[can.Message], None]
    unreadable: Callable[[], None]
    send_failed: Callable[[Exception], None]
    broken: Callable[[Exception], None]


class DescriptorReader:
    """Reads a bus that has a file descriptor, in the event loop.

    python-can's Notifier would do it too, but hides a failed read from everybody.
    """

    def __init__(self, bus: can.BusABC, events: Events) -> None:
        self._bus = bus
        self._descriptor = bus.fileno()
        self._events = events
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin to read."""
        self._loop.add_reader(self._descriptor, self._ready)

    def stop(self) -> None:
        """No event comes after this."""
        self._loop.remove_reader(self._descriptor)

    def join(self) -> None:
        """There is no thread to wait for."""

    def _ready(self) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                message = self._bus.recv(timeout=0)
            except UNREADABLE:
                self._events.unreadable()
                continue
            except BROKEN as error:
                self.stop()
                self._events.broken(error)
                return
            if message is None:
                return
            self._events.take(message)


class ThreadReader:
    """Reads a bus in a thread; wakes the loop once for many frames.

    python-can does not notice that a socketcand server closed the connection: it finds nothing,
    again and again, as fast as it can. So waiting for nothing that costs CPU time counts as
    broken.
    """

    def __init__(self, bus: can.BusABC, events: Events) -> None:
        self._bus = bus
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[can.Message] = deque(maxlen=INBOX_FRAMES)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="can reader", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """No event comes after this."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until the thread has let go of the bus. May block for POLL_S."""
        self._thread.join(2 * POLL_S)

    def _read(self) -> None:
        spins = 0
        while not self._stopped.is_set() and spins < SPINS:
            cpu_s = time.thread_time()
            try:
                message = self._bus.recv(timeout=POLL_S)
            except UNREADABLE:
                self._tell(self._events.unreadable)
                continue
            except BROKEN as error:
                self._tell(self._events.broken, error)
                return
            if message is not None:
                self._put(message)
                spins = 0
            else:
                spins = spins + 1 if time.thread_time() - cpu_s > SPIN_CPU_S else 0
        self._tell(self._events.broken, ConnectionResetError("the far end closed the connection"))

    def _put(self, message: can.Message) -> None:
        with self._lock:
            is_first = not self._inbox
            self._inbox.append(message)
        if is_first:
            self._tell(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            messages = list(self._inbox)
            self._inbox.clear()
        for message in messages:
            self._events.take(message)

    def _tell(self, event: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(self._run, event, args)

    def _run(self, event: Callable[..., None], args: tuple[object, ...]) -> None:
        if not self._stopped.is_set():
            event(*args)


class CanSession:
    """One opened bus, from its first frame to its closing."""

    def __init__(self, bus: can.BusABC, interface: str, worker: Worker, events: Events) -> None:
        self._bus = bus
        self._worker = worker
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._is_closing = False
        self._socket = socket_of(bus, interface)
        self._waits = interface not in _SENT_IN_LOOP
        self._reader: DescriptorReader | ThreadReader = (
            DescriptorReader(bus, events)
            if interface in _READ_IN_LOOP
            else ThreadReader(bus, events)
        )

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    def has_moved(self, channel: str) -> bool:
        """Whether a SocketCAN socket hangs at another interface than the one of this name.

        A socket stays at its interface: deaf for ever when that is removed, although one of the
        same name comes back, and on the wrong wire when names are exchanged.
        """
        if self._socket is None:
            return False
        return bool(self._socket.getsockname()[0] != channel)

    def set_filters(self, filters: Any) -> None:
        """See can.BusABC.set_filters. Raises CanError or OSError."""
        self._bus.set_filters(filters)

    def send(self, message: can.Message) -> None:
        """Send at once, or by the worker where sending may wait for a serial port or a network.

        Raises CanError or OSError.
        """
        if not self._waits:
            self._bus.send(message)
        elif self._worker.waiting >= OUTBOX_FRAMES:
            error = can.CanOperationError("Transmit buffer full")
            self._events.broken(error)
            raise error
        else:
            self._worker.post(partial(self._send_in_thread, message))

    def _send_in_thread(self, message: can.Message) -> None:
        if self._is_closing:
            return
        try:
            self._bus.send(message, timeout=SEND_LIMIT_S)
        except BROKEN as error:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._loop.call_soon_threadsafe(self._events.send_failed, error)

    async def close(self) -> None:
        """Stop reading, give what waits a moment to be sent, and close; bounded in time."""
        self._reader.stop()
        with suppress(TimeoutError):
            await self._worker.call(lambda: None, limit_s=FLUSH_LIMIT_S)
        self._is_closing = True
        with suppress(TimeoutError):
            await self._worker.call(self._close_in_thread, limit_s=CLOSE_LIMIT_S)

    def _close_in_thread(self) -> None:
        self._reader.join()
        close_bus(self._bus)
