"""Starts everything, restarts what is lost, and ends everything safely.

Order of the end, whatever caused it: the control loop stops deciding; inverters hear zero,
rectifiers go through their stop sequence, modules are told to end balancing; then the links go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from gridzero.errors import DeviceError
from gridzero.ports.clock import Clock
from gridzero.ports.devices import Device, Switch
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.site import Site

log = structlog.get_logger()

_RETRY_S = 2.0
_SERVES_S = 10.0
_STOP_DEVICE_S = 12.0
_CANCELS = 2  # wait_for of Python 3.11 can swallow one
_END_WORKER_S = 3.0
_END_LINK_S = 15.0  # nothing is at stake any more, and a TCP connection may be half open
_HUNG_S = 5.0
_LOOK_S = 0.5
_OPENING_S = 3.0
_OPENING_LOOK_S = 0.02


class ControlHung(Exception):
    """The control loop has not ticked for too long."""


@dataclass(frozen=True, slots=True)
class Service:
    """Something that runs for ever. Its ending by itself, other than by cancelling, is a bug."""

    name: str
    run: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a site ended."""

    code: ExitCode
    why: str


class Supervisor:
    """Runs one site until it is asked to stop or something that must not end ends."""

    def __init__(
        self,
        site: Site,
        faults: FaultBook,
        clock: Clock,
        *,
        links: Sequence[Service] = (),
        outputs: Sequence[Service] = (),
        ready: Callable[[], bool] = lambda: True,
        farewell: Callable[[], None] = lambda: None,
    ) -> None:
        """ready: whether all links are open; devices wait for it, but not for long.

        farewell: called after the devices were stopped and before the links go.
        """
        self._site, self._faults, self._clock = site, faults, clock
        self._links, self._outputs = links, outputs
        self._ready, self._farewell = ready, farewell

    async def run(self, stop: asyncio.Event) -> Ending:
        """Serve until stop is set. Always leaves through the safe shutdown."""
        links = _start(self._links)
        try:
            await self._links_opened(stop)
            parts = list(self._site.parts.all())
            devices = _start(Service(device.name, self._keeper_of(device)) for device in parts)
            workers = _start(self._workers())
            try:
                ending = await self._first_end(stop, [*links, *devices, *workers])
            finally:
                self._site.stopping()
                await self._end_all(workers, list(zip(parts, devices, strict=True)))
                self._say_farewell()
                await asyncio.sleep(0)
        finally:
            for link in reversed(links):  # the broker came first and hears the last words
                await _cancel([link], _END_LINK_S)
        log.info("site.stopped", why=ending.why, exit_code=int(ending.code))
        return ending

    def _say_farewell(self) -> None:
        """The devices are stopped: a bug in an output must not change how the site ends."""
        try:
            self._farewell()
        except Exception:  # whatever it is, the exit code is what Docker and systemd go by
            log.exception("farewell.failed")

    async def _links_opened(self, stop: asyncio.Event) -> None:
        """So that nobody is told of links that were only a moment slower than the devices."""
        ends_s = self._clock.now_s() + _OPENING_S
        while not self._ready() and self._clock.now_s() < ends_s and not stop.is_set():
            await self._clock.sleep_s(_OPENING_LOOK_S)

    def _workers(self) -> list[Service]:
        return [
            Service("control", self._site.protect),
            Service("control_watch", self._watch_control),
            *self._outputs,
        ]

    def _keeper_of(self, device: Device) -> Callable[[], Awaitable[None]]:
        async def keep() -> None:
            while True:
                serves = asyncio.get_running_loop().call_later(
                    _SERVES_S, self._faults.set, "device_lost", device.name, None
                )
                try:
                    await device.run()
                except DeviceError as error:
                    log.debug("device.lost", device=device.name, what=error.what, retry_s=_RETRY_S)
                    self._faults.set("device_lost", device.name, str(error))
                    await self._clock.sleep_s(_RETRY_S)
                else:
                    raise RuntimeError(f"{device.name} stopped serving by itself")
                finally:
                    serves.cancel()

        return keep

    async def _watch_control(self) -> None:
        """A hung control loop is not waited for: the leases have already made power zero."""
        while True:
            await self._clock.sleep_s(_LOOK_S)
            age_s = self._clock.now_s() - self._site.ticked_s
            if age_s > _HUNG_S:
                self._faults.set("control_hung", "control", f"no tick for {age_s:.1f} s")
                raise ControlHung

    async def _first_end(self, stop: asyncio.Event, tasks: Iterable[asyncio.Task[Any]]) -> Ending:
        asked = asyncio.create_task(stop.wait(), name="asked_to_stop")
        try:
            done, _ = await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel([asked])
        crashed = next((task for task in done if task is not asked), None)
        if crashed is None:
            return Ending(ExitCode.ASKED, "asked to stop")
        return self._blame(crashed)

    def _blame(self, task: asyncio.Task[Any]) -> Ending:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ControlHung):
            return Ending(ExitCode.HUNG, "the control loop stood still")
        what = f"{type(error).__name__}: {error}" if error else "it ended by itself"
        log.error("task.crashed", task=task.get_name(), exc_info=error)
        self._faults.set("task_crashed", task.get_name(), what)
        return Ending(ExitCode.CRASHED, f"{task.get_name()} crashed: {what}")

    async def _end_all(
        self, workers: list[asyncio.Task[Any]], pairs: list[tuple[Device, asyncio.Task[Any]]]
    ) -> None:
        """Contactors open last: behind converters that give nothing any more."""
        switches = [pair for pair in pairs if isinstance(pair[0], Switch)]
        others = [pair for pair in pairs if not isinstance(pair[0], Switch)]
        await asyncio.gather(_cancel(workers), *(self._end_device(*pair) for pair in others))
        await asyncio.gather(*(self._end_device(*pair) for pair in switches))

    async def _end_device(self, device: Device, task: asyncio.Task[Any]) -> None:
        """Each within its own time: a stuck device must not hold up the others."""
        await _cancel([task])
        await self._stop_device(device)

    async def _stop_device(self, device: Device) -> None:
        try:
            async with asyncio.timeout(_STOP_DEVICE_S):
                await device.stop()
        except TimeoutError:
            log.error("device.stop_timed_out", device=device.name, after_s=_STOP_DEVICE_S)
        except DeviceError as error:
            log.error("device.not_stopped", device=device.name, what=error.what)
        except Exception:  # a bug in one driver must not keep the others from stopping
            log.exception("device.not_stopped", device=device.name)


def _start(services: Iterable[Service]) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(_run(service), name=service.name) for service in services]


async def _run(service: Service) -> None:
    await service.run()


async def _cancel(tasks: Iterable[asyncio.Task[Any]], limit_s: float = _END_WORKER_S) -> None:
    """One that does not end is left behind: it must not keep the devices from being stopped."""
    left = set(tasks)
    for _ in range(_CANCELS if left else 0):
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=limit_s)
        await asyncio.gather(*done, return_exceptions=True)
        if not left:
            return
    for task in left:
        log.error("task.stuck", task=task.get_name())
