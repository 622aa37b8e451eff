"""A real I2C bus by smbus2, in a thread of its own."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, Protocol, TypeVar

import smbus2

from gridzero.errors import LinkError
from gridzero.links.backoff import Keeper, SessionEnd
from gridzero.links.worker import Worker
from gridzero.ports.links import LinkHealth
from gridzero.ports.plugin import Report

T = TypeVar("T")

_SILENT = frozenset({errno.EREMOTEIO, errno.ETIMEDOUT, errno.EIO})
_REMEDIES = {
    errno.ENOENT: "Enable I2C (dtparam=i2c_arm=on, i2c-dev) or give the container the device",
    errno.EACCES: "Add the user to the group i2c",
    errno.EBUSY: "A kernel driver holds the address; remove its overlay",
}
_REMEDY = "Check wiring, address strap and that I2C is enabled"


class Smbus(Protocol):
    """The part of smbus2.SMBus that is used."""

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        """A word, low byte first. Raises OSError."""
        ...

    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None:
        """Write a word, low byte first. Raises OSError."""
        ...

    def close(self) -> None:
        """Let the device file go."""
        ...


class RealI2c:
    """One I2C bus, ``/dev/i2c-N``, opened by run() and again after it hung or went away.

    Meets ports.links.I2cLink. limit_s: how long one transfer may take.
    """

    def __init__(
        self,
        *,
        name: str,
        bus_number: int,
        report: Report,
        limit_s: float = 1.0,
        open_bus: Callable[[int], Smbus] = smbus2.SMBus,
    ) -> None:
        self.name = name
        self.health = LinkHealth()
        self._bus_number = bus_number
        self._limit_s = limit_s
        self._open_bus = open_bus
        self._keeper = Keeper(name, self.health, report)
        self._worker: Worker | None = None
        self._bus: Smbus | None = None
        self._end: SessionEnd

    async def run(self) -> NoReturn:
        """Keep the bus open until cancelled. Raises only for bugs."""
        await self._keeper.run(self._serve)

    async def read_word(self, address: int, register: int) -> int:
        """See ports.links.I2cLink."""
        word = await self._transfer(address, lambda bus: bus.read_word_data(address, register))
        self.health.rx += 1
        return _swapped(word)

    async def write_word(self, address: int, register: int, value: int) -> None:
        """See ports.links.I2cLink."""
        raw = _swapped(value)
        await self._transfer(address, lambda bus: bus.write_word_data(address, register, raw))
        self.health.tx += 1

    async def _transfer(self, address: int, do: Callable[[Smbus], T]) -> T:
        bus, worker = self._bus, self._worker
        if bus is None or worker is None:
            raise self._error(f"the bus is not open: {self.health.why}", None)
        try:
            return await worker.call(lambda: do(bus), limit_s=self._limit_s)
        except OSError as error:
            self.health.tx_failed += 1
            failure = self._failure(address, error)
            if error.errno not in _SILENT | {errno.EBUSY}:
                self._lose(failure)
            raise failure from error

    def _failure(self, address: int, error: OSError) -> LinkError:
        if error.errno in _SILENT:
            return self._error(f"no device answers at 0x{address:02x}", error.errno)
        if error.errno is None:  # the worker's own time limit
            return self._error(f"the bus hangs (SDA or SCL held low) at 0x{address:02x}", None)
        return self._error(f"transfer with 0x{address:02x} failed: {error}", error.errno)

    def _lose(self, failure: LinkError) -> None:
        self._bus = None
        self._end.because(failure)

    async def _serve(self) -> None:
        worker = self._new_worker()
        bus = await self._open(worker)
        self._end = SessionEnd()
        self._bus = bus
        self._keeper.up()
        try:
            await self._end.wait()
        finally:
            self._bus = None
            worker.post(lambda: _close(bus))
            worker.stop()

    def _new_worker(self) -> Worker:
        if self._worker is not None and self._worker.is_alive:
            raise self._error("a transfer still hangs in the kernel", None)
        self._worker = Worker(f"i2c {self.name}")
        return self._worker

    async def _open(self, worker: Worker) -> Smbus:
        try:
            return await worker.call(
                lambda: self._open_bus(self._bus_number), limit_s=self._limit_s, discard=_close
            )
        except OSError as error:
            worker.stop()
            what = f"cannot open /dev/i2c-{self._bus_number}: {error}"
            raise self._error(what, error.errno) from error
        except BaseException:
            worker.stop()
            raise

    def _error(self, what: str, code: int | None) -> LinkError:
        return LinkError(what, where=self.name, remedy=_REMEDIES.get(code or 0, _REMEDY))


def _swapped(word: int) -> int:
    """An SMBus word travels with its low byte first, the registers with their high byte first."""
    return (word & 0xFF) << 8 | (word >> 8) & 0xFF


def _close(bus: Smbus) -> None:
    with suppress(OSError):
        bus.close()
