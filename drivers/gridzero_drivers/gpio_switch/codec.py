"""What a pin shows over time: beats in, levels out."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Feed(StrEnum):
    """How a relay is told to stay closed.

    LEVEL: the pin stays active. HEARTBEAT: it toggles, and a charge pump or a retriggerable
    monostable holds the relay only as long as it goes on.
    """

    LEVEL = "level"
    HEARTBEAT = "heartbeat"


def is_active(feed: Feed, beat: int, *, wanted: bool) -> bool:
    """Whether the pin is active at a beat. beat: counted from 1 since the relay is wanted."""
    return wanted and (feed is Feed.LEVEL or beat % 2 == 1)


def levels(feed: Feed, wanted: Iterable[bool], *, active_low: bool) -> str:
    """The pin beat by beat: 1 is high, 0 is low."""
    shown, beat = "", 0
    for want in wanted:
        beat = beat + 1 if want else 0
        shown += "01"[is_active(feed, beat, wanted=want) is not active_low]
    return shown
