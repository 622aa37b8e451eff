"""What a person asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NO_CAP_W = 20_000.0
"""A cap that cuts nothing: more than the converters of a house can do."""
EMPTY_PCT, FULL_PCT = 0.0, 100.0


class Mode(StrEnum):
    """auto holds the grid at its target; hold rests at 0 W; off rests until told otherwise."""

    AUTO = "auto"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    HOLD = "hold"
    OFF = "off"


class Strategy(StrEnum):
    """What mode auto is good for: see control.strategy."""

    SELF_USE = "self_use"
    TARIFF = "tariff"
    PEAK_SHAVE = "peak_shave"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Settings that change while running; domain.settings says of each what it means.

    power_w: magnitude for charge and discharge modes. target_w: grid power to hold, > 0 import.
    override_until: UTC in ISO 8601, "" = for ever.
    """

    mode: Mode = Mode.AUTO
    power_w: float = 0.0
    target_w: float = 0.0
    export_guard_w: float = 0.0
    max_charge_w: float = NO_CAP_W
    max_discharge_w: float = NO_CAP_W
    min_soc_pct: float = EMPTY_PCT
    max_soc_pct: float = FULL_PCT
    reserve_soc_pct: float = EMPTY_PCT
    ramp_w_per_s: float = 0.0
    strategy: Strategy = Strategy.SELF_USE
    peak_w: float = 4000.0
    allow_charge: bool = True
    allow_discharge: bool = True
    allow_grid_charge: bool = True
    ev_hold: bool = False
    maintenance: bool = False
    override_until: str = ""
    override_note: str = ""
    shunt_flipped: bool = False

    @property
    def automatic(self) -> bool:
        """A view of the mode, as a switch."""
        return self.mode is Mode.AUTO
