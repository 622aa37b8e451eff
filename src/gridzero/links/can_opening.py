"""Opening any bus that python-can knows, and saying what is wrong when that fails."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import can
from can.interfaces import BACKENDS

from gridzero.errors import ConfigError, LinkError
from gridzero.links.worker import Worker

SEND_BUFFER_BYTES = 8192
"""Of a SocketCAN socket: about 14 frames may wait to be sent, however long the interface's queue.

They leave when a jam ends, and are old by then; the kernel's own 200 kB would keep hundreds.
"""
INTERFACES = Path("/sys/class/net")
KIND_OF_CAN = 280  # ARPHRD_CAN of linux/if_arp.h
OPEN_LIMIT_S = 15.0
REACH_LIMIT_S = 3.0
BROKEN = (can.CanError, OSError)
"""What a broken bus raises; some backends of python-can let bare OSErrors through."""
UNREADABLE = (ValueError, IndexError)
"""What python-can raises when a serial adapter sends something that is no frame."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    # python-can waits 2 s after opening the port, and 1 ms in each read that finds nothing
    "slcan": {"sleep_after_open": 0.1, "timeout": 0},
    "socketcand": {"tcp_tune": True},
}
_REMEDIES = {
    errno.ENODEV: "Check the name with: ip link; the adapter may be unplugged",
    errno.ENXIO: "Check the name with: ip link; the adapter may be unplugged",
    errno.EMEDIUMTYPE: "Give the name to the right interface: gridzero setup shows the udev rules",
    errno.ENOENT: "Check the path under /dev and that the adapter is plugged in",
    errno.ENETDOWN: "Bring it up: ip link set NAME up type can bitrate RATE restart-ms 100",
    errno.EAFNOSUPPORT: "The kernel has no CAN: modprobe can_raw on the host",
    errno.EACCES: "Give the user access, for example to the group dialout",
    errno.EPERM: "Give the user access, for example to the group dialout",
    errno.ECONNREFUSED: "Start socketcand there, and check host and port",
}
_REMEDY = "Check the adapter's plug, its driver and the link's options"


class BusSpec(NamedTuple):
    """What to open. options: keyword arguments of the python-can backend."""

    link: str
    interface: str
    channel: str
    options: Mapping[str, Any]

    def check(self) -> None:
        """Raises ConfigError when python-can has no such interface."""
        if self.interface not in BACKENDS:
            raise ConfigError(
                f"python-can has no interface {self.interface!r}",
                where=self.link,
                remedy=f"Use one of: {', '.join(sorted(BACKENDS))}",
            )


class OpenBus(NamedTuple):
    """A bus that works, and the frame that was read to find out, if there was one."""

    bus: can.BusABC
    first: can.Message | None


def error_code(error: Exception) -> int | None:
    """The errno in an error of python-can or of the system."""
    if isinstance(error, can.CanError):
        return error.error_code
    return error.errno if isinstance(error, OSError) else None


def link_error(link: str, doing: str, error: Exception) -> LinkError:
    """A LinkError with the remedy that fits."""
    cause = str(error).strip() or type(error).__name__
    remedy = _REMEDIES.get(error_code(error) or 0, _REMEDY)
    return LinkError(f"{doing}: {cause}", where=link, remedy=remedy)


async def open_bus(spec: BusSpec, filters: Any, worker: Worker) -> OpenBus:
    """Open the bus in the worker's thread, where it may block.

    Raises LinkError when it cannot be opened now, ConfigError when it never can.
    """
    try:
        await _probe(spec)
        return await worker.call(
            lambda: _open(spec, filters),
            limit_s=OPEN_LIMIT_S,
            discard=lambda opened: close_bus(opened.bus),
        )
    except BROKEN as error:
        raise link_error(spec.link, f"cannot open {spec.channel}", error) from error
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{spec.interface} does not take these options: {error}",
            where=spec.link,
            remedy="See the interface's page in the documentation of python-can",
        ) from error


def _open(spec: BusSpec, filters: Any) -> OpenBus:
    options = {**_DEFAULTS.get(spec.interface, {}), **spec.options}
    # ignore_config: neither /etc/can.conf nor the environment may change a bus of batteries
    bus = can.Bus(
        channel=spec.channel,
        interface=spec.interface,
        ignore_config=True,
        can_filters=filters,
        **options,
    )
    try:
        if (its_socket := socket_of(bus, spec.interface)) is not None:
            its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        # a SocketCAN interface that is down opens without complaint and fails the first read
        return OpenBus(bus, bus.recv(timeout=0))
    except UNREADABLE:
        return OpenBus(bus, None)
    except BROKEN:
        close_bus(bus)
        raise


def socket_of(bus: can.BusABC, interface: str) -> socket.socket | None:
    """The kernel's socket of a SocketCAN bus, None for other buses.

    A pair of Unix sockets, as the bench has, is none: it hangs at no interface, and what its far
    end has not read yet would count as not sent.
    """
    found = getattr(bus, "socket", None) if interface == "socketcan" else None
    is_can = isinstance(found, socket.socket) and found.family == socket.AF_CAN
    return found if is_can else None


def close_bus(bus: can.BusABC) -> None:
    """Close, whatever state the bus is in. May block."""
    with suppress(*BROKEN):
        bus.shutdown()


async def _probe(spec: BusSpec) -> None:
    """Find out cheaply that the bus is not there, where python-can is noisy about it."""
    if spec.interface == "socketcan" and spec.channel not in _interfaces():
        raise OSError(errno.ENODEV, "there is no such network interface")
    if spec.interface == "socketcan" and _kind_of(spec.channel) not in {None, KIND_OF_CAN}:
        raise OSError(
            errno.EMEDIUMTYPE, "the network interface of this name is not a CAN interface"
        )
    if spec.interface == "socketcand":
        await _reach(spec.options)


def _kind_of(channel: str) -> int | None:
    """ARPHRD number of an interface; None where nobody tells: a container may hide /sys."""
    with suppress(OSError, ValueError):
        return int((INTERFACES / channel / "type").read_text())
    return None


def _interfaces() -> set[str]:
    return {name for _, name in socket.if_nameindex()}


async def _reach(options: Mapping[str, Any]) -> None:
    """python-can would try again without a pause for 10 s, with a log line for each time."""
    if not {"host", "port"} <= options.keys():
        raise TypeError("it needs host and port")
    async with asyncio.timeout(REACH_LIMIT_S):
        _, writer = await asyncio.open_connection(options["host"], options["port"])
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
