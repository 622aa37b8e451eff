"""What a protection of the battery says at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How far a protection has gone. The names are the words in MQTT.

    WARN: a person is told. LIMIT: power is reduced or refused in one direction, and comes back
    by itself. TRIP: power is refused and the contactor opens if current goes on.
    """

    WARN = 1
    LIMIT = 2
    TRIP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One protection that has something to say.

    code: a row of ``domain.faults``. subject: cell, module or ``battery``. stops_charge,
    stops_discharge: directions that are refused. is_latched: the cause is gone, and a person
    has to acknowledge it before power comes back.
    """

    code: str
    subject: str
    level: Level
    text: str
    stops_charge: bool = False
    stops_discharge: bool = False
    is_latched: bool = False
