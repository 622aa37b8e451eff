"""What a person asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """auto holds the grid at its target; hold rests at 0 W; off rests until told otherwise."""

    AUTO = "auto"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    HOLD = "hold"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Settings that change while running.

    power_w: magnitude for charge and discharge modes. target_w: grid power to hold, > 0 import.
    """

    mode: Mode = Mode.AUTO
    power_w: float = 0.0
    target_w: float = 0.0
