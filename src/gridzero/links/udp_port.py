"""A real UDP port that is listened to, in a multicast group if one is named."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable
from typing import Final, NoReturn

from gridzero.errors import LinkError
from gridzero.links.backoff import Keeper, SessionEnd
from gridzero.ports.links import LinkHealth
from gridzero.ports.plugin import Report

MOST_BYTES: Final = 4096
"""Longer datagrams are counted and dropped; a meter's has about 600."""

_REMEDIES = {
    errno.EADDRINUSE: "Another program has the port; end it, or let it share the port",
    errno.EADDRNOTAVAIL: "Give interface the machine's own address in the meter's network",
    errno.ENODEV: "The network is not up, or a container has no host network",
}


class RealUdp:
    """Listens while run() lives. Meets ports.links.UdpLink.

    group: multicast group to join through the network of ``interface``. sender: only what comes
    from this address counts.
    """

    def __init__(
        self,
        *,
        name: str,
        port: int,
        report: Report,
        group: str | None = None,
        interface: str = "0.0.0.0",  # noqa: S104 - meters speak to everybody
        sender: str | None = None,
    ) -> None:
        self.name = name
        self.health = LinkHealth()
        self._port, self._group, self._interface, self._sender = port, group, interface, sender
        self._keeper = Keeper(name, self.health, report)
        self._handlers: list[Callable[[bytes], None]] = []

    async def run(self) -> NoReturn:
        """Keep the port open until cancelled. Raises only for bugs."""
        await self._keeper.run(self._serve)

    def listen(self, handler: Callable[[bytes], None]) -> None:
        """See ports.links.UdpLink."""
        self._handlers.append(handler)

    async def _serve(self) -> None:
        end = SessionEnd()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Ear(self, end), sock=self._socket()
        )
        try:
            self._keeper.up()
            await end.wait()
        finally:
            end.close()
            transport.close()
            await asyncio.sleep(0)  # the transport closes its socket in the next turn

    def take(self, data: bytes, sender: str, end: SessionEnd) -> None:
        """One datagram."""
        if self._sender is not None and sender != self._sender:
            self.health.skip("other sender")
        elif len(data) > MOST_BYTES:
            self.health.skip("too long")
        else:
            self.health.rx += 1
            self.health.rx_at_s = asyncio.get_running_loop().time()
            for handler in self._handlers:
                with end:
                    handler(data)

    def _socket(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if self._group is not None:
                # other programs of this machine may listen to the same group
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self._group or self._interface, self._port))
            if self._group is not None:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, self._membership())
        except OSError as error:
            sock.close()
            raise self._error(error) from error
        return sock

    def _membership(self) -> bytes:
        return struct.pack(
            "=4s4s", socket.inet_aton(self._group or ""), socket.inet_aton(self._interface)
        )

    def _error(self, error: OSError) -> LinkError:
        group = f", group {self._group}" if self._group else ""
        return LinkError(
            error.strerror or str(error),
            where=f"{self.name} (UDP port {self._port}{group})",
            remedy=_REMEDIES.get(error.errno or 0, "Check group, interface and network"),
        )


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, link: RealUdp, end: SessionEnd) -> None:
        self._link, self._end = link, end

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        self._link.take(data, str(addr[0]), self._end)

    def error_received(self, exc: Exception) -> None:
        self._link.health.skip(type(exc).__name__)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            error = LinkError(str(exc), where=self._link.name, remedy="It is opened again")
            self._end.because(error)
