"""As whom gridzero runs, and what that person may do with a file."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

SERVICE = "gridzero"
"""The user that ``gridzero setup`` makes for the systemd unit."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user of this machine. is_me: the one who asks."""

    name: str
    number: int
    groups: frozenset[int] = frozenset()
    is_me: bool = False

    def may(self, path: Path, bits: int) -> bool:
        """Whether all of bits (os.R_OK, os.W_OK) are allowed. Raises OSError."""
        if self.is_me:
            return os.access(path, bits)
        found = path.stat()
        if self.number == 0:
            return True
        mode = stat.S_IMODE(found.st_mode)
        if found.st_uid == self.number:
            mode >>= 6
        elif found.st_gid in self.groups:
            mode >>= 3
        return mode & bits == bits


def runner() -> Person:
    """The user of the service where there is one, else whoever asks."""
    try:
        known = pwd.getpwnam(SERVICE)
    except KeyError:
        return _myself()
    groups = os.getgrouplist(known.pw_name, known.pw_gid)
    return Person(known.pw_name, known.pw_uid, frozenset(groups), known.pw_uid == os.geteuid())


def _myself() -> Person:
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return Person(name, number, is_me=True)
