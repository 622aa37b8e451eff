"""What energy is worth, and where the state of charge is heading."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

_W_PER_KW = 1000.0


class Outlook(StrEnum):
    """emptying: empty before it can refill. filling: full before it can be used."""

    EMPTYING = "emptying"
    FILLING = "filling"
    UNKNOWN = "unknown"


class Prices(NamedTuple):
    """Prices of now, hundredths of the currency per kWh; any of them may be negative.

    stored_ct: what a kWh that the battery could give (AC) is worth later; None = follows from the
    outlook.
    """

    import_ct: float
    export_ct: float
    stored_ct: float | None = None

    def ct_per_h(self, power_w: float) -> float:
        """What a grid power costs by the hour, > 0 for import at a positive price."""
        return power_w / _W_PER_KW * (self.import_ct if power_w > 0.0 else self.export_ct)


REFERENCE = Prices(30.0, 8.0)
"""What the bench counts with, and the service where nobody said what energy costs."""


class Lean(StrEnum):
    """Why the target leans to one side, or does not. The value is the code in MQTT."""

    NO_PRICES = "no_prices"
    UNKNOWN = "outlook_unknown"
    EXPORT_DEARER = "export_dearer"
    EMPTYING = "emptying"
    FILLING = "filling"
    STORED_VALUE = "stored_value"


LEANS: dict[Lean, str] = {
    Lean.NO_PRICES: "no prices are known, so the grid is held at its target",
    Lean.UNKNOWN: "nothing says whether the battery will run empty or full",
    Lean.EXPORT_DEARER: "selling pays as much as buying costs, so there is no side to lean to",
    Lean.EMPTYING: "the battery will run empty: what is sold now must be bought back dear",
    Lean.FILLING: "the battery will be full anyway: what is bought now is bought in vain",
    Lean.STORED_VALUE: "it follows from what stored energy was said to be worth",
}
