"""Which module is warmer than its siblings, as a mean over about a day."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite
from statistics import median

from gridzero.battery.ageing.resistance import temperature_c
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Trust

_MEMORY_H = 24.0
_KNOWN_AFTER_H = 12.0
_LEAST_MODULES = 3


class Warmth:
    """Not kept over restarts: a day is soon learned again."""

    def __init__(self) -> None:
        self._warmer_c: dict[str, float] = {}
        self._hours: dict[str, float] = {}

    def look(self, modules: Sequence[ModuleReading], trust: Trust, hours: float) -> None:
        """Book so many hours. Sensors that are doubted or beyond their range do not count."""
        temps = {
            one.name: temp_c
            for one in modules
            if one.name not in trust.odd_temps
            and not one.over_range_temp
            and isfinite(temp_c := temperature_c(one))
        }
        if len(temps) < _LEAST_MODULES:
            return
        middle_c = median(temps.values())
        part = 1.0 - exp(-hours / _MEMORY_H)
        for name, temp_c in temps.items():
            before_c = self._warmer_c.get(name, temp_c - middle_c)
            self._warmer_c[name] = before_c + part * (temp_c - middle_c - before_c)
            self._hours[name] = self._hours.get(name, 0.0) + hours

    def warmer_c(self, name: str) -> float | None:
        """K over the middle module; None until half a day was seen."""
        known = self._hours.get(name, 0.0) >= _KNOWN_AFTER_H
        return self._warmer_c[name] if known else None
