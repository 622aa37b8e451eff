"""How much is in the battery, each number with how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple


class CellCharge(NamedTuple):
    """What is believed of one cell.

    soc, sigma: state of charge 0..1 and its standard deviation. open_v: voltage it would have
    at rest, V. ohm: resistance at the present temperature, Ohm, ohmic and slow part together.
    curve_sigma: the part of sigma that is the doubt about the curve of rest voltages, which all
    cells share; 0 <= curve_sigma <= sigma.
    """

    soc: float
    sigma: float
    open_v: float
    ohm: float
    curve_sigma: float = 0.0

    @property
    def own_sigma(self) -> float:
        """Standard deviation without the curve's part: what time and rest make smaller."""
        return sqrt(max(0.0, self.sigma**2 - self.curve_sigma**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCharge:
    """One module. current_a: its share as estimated, A, > 0 discharge."""

    name: str
    cells: tuple[CellCharge, ...]
    current_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryCharge:
    """All modules in parallel at one moment.

    soc, sigma: what can be taken out as a part of what a full battery gives, 0..1, and its
    standard deviation. capacity_ah: of the whole battery, as its weakest cells allow.
    out_ah, in_ah, out_wh, in_wh: what can still be taken out and put in, until the first cell
    of each module is empty or full. to_empty_s, to_full_s: at the mean current of the last
    minutes, None where it does not lead there. anchored_s: when the voltage at rest last
    confirmed it, None = never.
    """

    at_s: float
    soc: float
    sigma: float
    capacity_ah: float
    out_ah: float
    in_ah: float
    out_wh: float
    in_wh: float
    to_empty_s: float | None
    to_full_s: float | None
    is_full: bool
    is_empty: bool
    anchored_s: float | None
    modules: Mapping[str, ModuleCharge]
