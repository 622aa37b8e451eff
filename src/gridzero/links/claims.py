"""Hardware that one process commands: a second one is refused, whatever folder it uses.

A claim is an abstract Unix socket (unix(7)): its names belong to the network namespace, as CAN
interfaces do, so they reach from one container to another wherever both see the same bus. The
kernel lets go when the process ends, however that comes, and nothing is left in a file system.
Nothing is sent, and who holds a claim never notices that somebody asked.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import structlog

from gridzero.errors import HeldError

log = structlog.get_logger()

PSEUDO_TERMINALS = range(136, 144)
"""Their major numbers: devices.txt of the kernel."""

_MOST_NAME = 90  # sun_path has 108 bytes


class Claim(NamedTuple):
    """One thing to command alone. key: its name for all processes; what, where: for people."""

    key: str
    what: str
    where: str


def device_claim(path: str, where: str) -> Claim | None:
    """The claim of a device file, by its number: containers and links name it differently.

    None where it is not there now, or is no device: then opening it decides.
    """
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISCHR(found.st_mode):
        return None
    major, minor = os.major(found.st_rdev), os.minor(found.st_rdev)
    # pseudo-terminals are counted anew in each container
    place = f"@{found.st_dev}" if major in PSEUDO_TERMINALS else ""
    return Claim(f"device/{major}:{minor}{place}", path, where)


@contextmanager
def claimed(claims: Iterable[Claim]) -> Iterator[None]:
    """Hold all of them. Raises HeldError, holding none, when another process has one."""
    with ExitStack() as held:
        for claim in {claim.key: claim for claim in claims}.values():
            held.enter_context(_hold(claim))
        yield


@contextmanager
def _hold(claim: Claim) -> Iterator[None]:
    mark: socket.socket | None = None
    try:
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        mark.bind(_address(claim.key))
    except OSError as error:  # a sandbox may forbid these sockets, too
        if error.errno == errno.EADDRINUSE and mark is not None:
            mark.close()
            raise _taken(claim) from None
        log.warning("claim.impossible", what=claim.what, error=str(error))
    try:
        yield
    finally:
        if mark is not None:
            mark.close()


def _address(key: str) -> bytes:
    if sys.platform != "linux":
        raise OSError(errno.EOPNOTSUPP, "only Linux has abstract sockets")
    return b"\0gridzero/" + key.encode(errors="backslashreplace")[:_MOST_NAME]


def _taken(claim: Claim) -> HeldError:
    return HeldError(
        f"another gridzero commands {claim.what} already",
        where=claim.where,
        remedy="End that one first (a second container or service? see: gridzero doctor),"
        " or give this house hardware of its own",
    )
