"""Which sockets processes listen on, as the kernel says it in /proc (proc(5), net/tcp)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
_LISTENS = "0A"


class Socket(NamedTuple):
    """Where somebody may knock. kind: tcp or udp."""

    kind: str
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int


def processes_of(session: int) -> list[int]:
    """All processes of a session: those that one process has started, and itself."""
    return [pid for pid in _pids() if _session(pid) == session]


def command_lines(pids: Iterable[int]) -> list[str]:
    """What anybody on the machine reads of them."""
    found = []
    for pid in pids:
        with suppress(OSError):
            found.append((PROC / str(pid) / "cmdline").read_text().replace("\0", " "))
            found.append((PROC / str(pid) / "comm").read_text())
    return found


def listening(pids: Iterable[int]) -> list[Socket]:
    """TCP sockets that listen, and all of UDP that are bound and not to one peer."""
    inodes = {inode for pid in pids for inode in _inodes(pid)}
    return [
        Socket(kind, _address(fields[1]), int(fields[1].rpartition(":")[2], 16))
        for kind in ("tcp", "udp")
        for version in ("", "6")
        for fields in _table(f"{kind}{version}")
        if fields[9] in inodes
        and (fields[3] == _LISTENS if kind == "tcp" else _has_no_peer(fields))
    ]


def _pids() -> list[int]:
    return [int(folder.name) for folder in PROC.iterdir() if folder.name.isdigit()]


def _session(pid: int) -> int:
    with suppress(OSError):
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[3])
    return -1


def _inodes(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for link in (PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                found.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    return found


def _table(name: str) -> list[list[str]]:
    file = PROC / "net" / name
    return [line.split() for line in file.read_text().splitlines()[1:]] if file.exists() else []


def _has_no_peer(fields: list[str]) -> bool:
    return not int(fields[2].partition(":")[0], 16)


def _address(field: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Words of 32 bits in the order of this machine, little end first."""
    digits = bytes.fromhex(field.partition(":")[0])
    words = (digits[at : at + 4][::-1] for at in range(0, len(digits), 4))
    return ipaddress.ip_address(b"".join(words))
