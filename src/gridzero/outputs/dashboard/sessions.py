"""Who has logged in, and who tries too often. Nothing here knows HTTP."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from typing import Final

from gridzero.outputs.addresses import group_of
from gridzero.ports.clock import Clock

SESSION_S: Final = 30 * 86400.0
MOST_SESSIONS: Final = 64
TRIES: Final = 5
TRIES_OF_ALL: Final = 20
TRY_AGAIN_S: Final = 60.0
MOST_ADDRESSES: Final = 256
LONGEST_PASSWORD: Final = 256


class Tries:
    """Wrong passwords: TRIES per address and minute, TRIES_OF_ALL together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._of_all: list[float] = []
        self.refused = 0

    def wait_s(self, address: str) -> float:
        """How long this address must wait before its password is looked at; 0 = not at all."""
        now_s = self._clock.now_s()
        wait_s = max(
            _until_fewer(self._wrong.get(group_of(address), []), TRIES, now_s),
            _until_fewer(self._of_all, TRIES_OF_ALL, now_s),
        )
        self.refused += wait_s > 0
        return wait_s

    def wrong(self, address: str) -> None:
        """Count a wrong password. The address not heard for longest makes room for a new one."""
        now_s, group = self._clock.now_s(), group_of(address)
        self._wrong.setdefault(group, []).append(now_s)
        self._wrong[group] = self._wrong[group][-TRIES:]
        self._wrong.move_to_end(group)
        self._of_all = [*self._of_all, now_s][-TRIES_OF_ALL:]
        while len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)


def _until_fewer(tries_s: list[float], most: int, now_s: float) -> float:
    """Seconds until fewer than most of these lie within the last minute."""
    if len(tries_s) < most:
        return 0.0
    return max(0.0, tries_s[-most] + TRY_AGAIN_S - now_s)


class Sessions:
    """Logins of one process; they end with it. Only hashes of the cookies are kept."""

    def __init__(self, password: str | None, clock: Clock) -> None:
        self._password = None if password is None else _digest(password)
        self._clock = clock
        self._ends_s: OrderedDict[bytes, float] = OrderedDict()

    @property
    def is_open(self) -> bool:
        """No password is set: everybody who reaches the port may look and steer."""
        return self._password is None

    def fits(self, password: str) -> bool:
        """Whether this is the password; takes the same time for every wrong one."""
        return self._password is not None and hmac.compare_digest(
            _digest(password[:LONGEST_PASSWORD]), self._password
        )

    def begin(self) -> str:
        """A new session; returns what the browser keeps. The oldest makes room."""
        token = secrets.token_urlsafe(32)
        self._ends_s[_digest(token)] = self._clock.now_s() + SESSION_S
        while len(self._ends_s) > MOST_SESSIONS:
            self._ends_s.popitem(last=False)
        return token

    def knows(self, token: str | None) -> bool:
        """Whether this browser has logged in and its session has not ended."""
        if self.is_open:
            return True
        ends_s = self._ends_s.get(_digest(token)) if token else None
        return ends_s is not None and self._clock.now_s() < ends_s

    def end(self, token: str | None) -> None:
        """Log out."""
        if token:
            self._ends_s.pop(_digest(token), None)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()
