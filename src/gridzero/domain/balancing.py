"""What balancing does, why, and how long it will take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class BalanceReason(StrEnum):
    """Why a module is bled or not. The value is the code in MQTT."""

    BLEEDING = "bleeding"
    MEASURING = "measuring"
    BALANCED = "balanced"
    UNMEASURED = "unmeasured"
    TOO_EMPTY = "too_empty"
    BELOW_FLOOR = "below_floor"
    NO_END = "no_end"
    NOT_ALLOWED = "not_allowed"
    MODE_OFF = "mode_off"
    MAINTENANCE = "maintenance"
    FAULT = "fault"
    DISOBEDIENT = "disobedient"
    STALE = "stale"
    DOUBT = "doubt"
    TEMPERATURE_UNKNOWN = "temperature_unknown"
    TOO_HOT = "too_hot"
    TOO_COLD = "too_cold"


BALANCE_WORDS: dict[BalanceReason, str] = {
    BalanceReason.BLEEDING: "cells that hold more than the lowest are being bled",
    BalanceReason.MEASURING: "bleeding pauses so that the cells can be measured",
    BalanceReason.BALANCED: "no cell differs by more than can be measured",
    BalanceReason.UNMEASURED: "waits until the differences are known well enough",
    BalanceReason.TOO_EMPTY: "waits until the battery is fuller",
    BalanceReason.BELOW_FLOOR: "the cells to be bled are too low for it now",
    BalanceReason.NO_END: "bleeding did not help: a cell leaks or its sensor is wrong",
    BalanceReason.NOT_ALLOWED: "balancing is switched off",
    BalanceReason.MODE_OFF: "you switched the battery off",
    BalanceReason.MAINTENANCE: "you switched maintenance on",
    BalanceReason.FAULT: "a fault stands",
    BalanceReason.DISOBEDIENT: "the module bled other cells than it was asked to",
    BalanceReason.STALE: "not every cell of it is known now",
    BalanceReason.DOUBT: "its readings are not confirmed yet, or doubted",
    BalanceReason.TEMPERATURE_UNKNOWN: "its temperature is not known",
    BalanceReason.TOO_HOT: "it is too warm to be heated by bleeding",
    BalanceReason.TOO_COLD: "it is too cold to tell its cells apart",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleBalancing:
    """One module.

    cells: to be bled now, bit i = cell i+1. text: the reason in words, with cells and Ah.
    cell_ah: what is left to be bled of each cell, Ah >= 0. bleed_hours: hours of bleeding still
    needed; hours_left: hours on the clock at the present habit of the house; both None while
    nothing was measured. progress: part of the first measured charge that is gone, 0..1, None
    without one. bled_ah: bled since then. since_s: when ``reason`` began.
    """

    module: str
    cells: int
    reason: BalanceReason
    text: str
    cell_ah: tuple[float, ...]
    bleed_hours: float | None
    hours_left: float | None
    progress: float | None
    bled_ah: float
    since_s: float

    @property
    def ah_left(self) -> float:
        """Charge left to be bled of all its cells, Ah."""
        return sum(self.cell_ah)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancingState:
    """All modules. forced_until_s: when a person's "balance now" ends, None = nobody asked."""

    at_s: float
    modules: Mapping[str, ModuleBalancing]
    forced_until_s: float | None = None

    @property
    def cells(self) -> dict[str, int]:
        """What to ask the modules for; one that is not named is told to stop."""
        return {name: one.cells for name, one in self.modules.items() if one.cells}

    @property
    def is_bleeding(self) -> bool:
        """Whether any cell is to be bled now."""
        return any(one.cells for one in self.modules.values())

    @property
    def ah_left(self) -> float:
        """Charge left to be bled in all modules, Ah."""
        return sum(one.ah_left for one in self.modules.values())

    @property
    def hours_left(self) -> float | None:
        """Until the slowest module is balanced, h; None while a module was never measured."""
        hours = [one.hours_left for one in self.modules.values()]
        known = [h for h in hours if h is not None]
        return max(known) if known and len(known) == len(hours) else None
