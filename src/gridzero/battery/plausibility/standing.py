"""A module whose readings stand still while the others move."""

from __future__ import annotations

from typing import Final

from gridzero.battery.plausibility.rounds import Sample

SOON_S: Final = 5.0
SOON_V: Final = 0.12
LATE_S: Final = 600.0
LATE_V: Final = 0.05


class Standing:
    """Compares a module that repeats itself with what the others went meanwhile.

    A slave board that hangs sends the same values for ever; a module that is not connected at
    rest does nearly the same. Both must not be believed.
    """

    def __init__(self) -> None:
        self._volts: tuple[float, ...] = ()
        self._since_s = 0.0
        self._low_v = self._high_v = 0.0

    def update(self, sample: Sample, common_v: float | None) -> bool:
        """Whether it stands still for longer than it may. common_v: of the other modules."""
        if sample.volts != self._volts:
            self._volts, self._since_s = sample.volts, sample.at_s
            self._low_v, self._high_v = float("inf"), float("-inf")
        if common_v is not None:
            self._low_v, self._high_v = min(self._low_v, common_v), max(self._high_v, common_v)
        for_s, went_v = sample.at_s - self._since_s, self._high_v - self._low_v
        return (for_s >= SOON_S and went_v >= SOON_V) or (for_s >= LATE_S and went_v >= LATE_V)
