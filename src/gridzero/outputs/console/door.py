"""Who may come in: a password with growing delays, and a limited number of places."""

from __future__ import annotations

import hmac
from collections import OrderedDict, deque
from typing import Generic, NamedTuple, Protocol, TypeVar

from gridzero.outputs.addresses import group_of

_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 300.0
_FORGIVEN_S = 900.0
_MOST_ADDRESSES = 1000
_FAILURES_A_MINUTE = 20
_MINUTE_S = 60.0


class _Record(NamedTuple):
    failures: int
    until_s: float


class Door:
    """Judges passwords.

    Wrong ones make their address wait, twice as long each time; very many wrong ones within a
    minute, from wherever, make everybody wait.

    Times are of one monotonic clock, s.
    """

    def __init__(self, password: str) -> None:
        self._password = password.encode()
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._failed_s: deque[float] = deque(maxlen=_FAILURES_A_MINUTE)
        self.refused = 0

    def wait_s(self, address: str, now_s: float) -> float:
        """How long this address has to wait before its word counts, s; 0 = now."""
        record = self._records.get(group_of(address))
        own_s = record.until_s - now_s if record else 0.0
        return max(own_s, self._crowd_s(now_s), 0.0)

    def opens(self, address: str, word: str, now_s: float) -> bool:
        """Whether this is the password. Who has to wait is refused whatever the word is."""
        if self.wait_s(address, now_s) > 0.0:
            self.refused += 1
            return False
        # the time taken must not tell how much of the word is right
        if hmac.compare_digest(word.encode(errors="replace"), self._password):
            self._records.pop(group_of(address), None)
            return True
        self._failed(group_of(address), now_s)
        return False

    def _failed(self, group: str, now_s: float) -> None:
        self.refused += 1
        self._failed_s.append(now_s)
        before = self._records.pop(group, _Record(0, now_s))
        failures = 1 if now_s - before.until_s > _FORGIVEN_S else before.failures + 1
        delay_s = min(_FIRST_DELAY_S * 2.0 ** min(failures - 1, 20), _LONGEST_DELAY_S)
        self._records[group] = _Record(failures, now_s + delay_s)
        if len(self._records) > _MOST_ADDRESSES:
            self._records.popitem(last=False)

    def _crowd_s(self, now_s: float) -> float:
        if len(self._failed_s) < _FAILURES_A_MINUTE:
            return 0.0
        return self._failed_s[0] + _MINUTE_S - now_s


class Guest(Protocol):
    """Somebody in a place."""

    @property
    def is_known(self) -> bool:
        """Has logged in, or typed anything where no password is asked."""
        ...

    def make_room(self) -> None:
        """Leave at once."""
        ...


G = TypeVar("G", bound=Guest)


class Places(Generic[G]):
    """At most so many guests.

    A newcomer takes the place of the one that has been silent longest, so that connections which
    never say anything cannot lock people out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.guests: list[G] = []
        self.turned_away = 0

    def take(self, guest: G) -> bool:
        """Whether there was a place."""
        if len(self.guests) >= self._most and not self._free_one():
            self.turned_away += 1
            return False
        self.guests.append(guest)
        return True

    def leave(self, guest: G) -> None:
        """Free the place; harmless for who has none."""
        if guest in self.guests:
            self.guests.remove(guest)

    def _free_one(self) -> bool:
        for guest in self.guests:
            if not guest.is_known:
                self.guests.remove(guest)
                self.turned_away += 1
                guest.make_room()
                return True
        return False
