"""Temperature sensors that cannot be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gridzero.domain.readings import ModuleReading

FAR_C: Final = 12.0
FAR_S: Final = 60.0
MOVED_C: Final = 4.0
JUMP_C: Final = 8.0
JUMP_S: Final = 10.0
JUMP_MEMORY_S: Final = 300.0
LOOK_S: Final = 5.0


class _Sensor:
    """The temperature of one module over time; now_c is the middle of what it may be."""

    def __init__(self, now_s: float, now_c: float, others_c: float) -> None:
        self.now_s, self.now_c = now_s, now_c
        self.far_since_s: float | None = None
        self.jumped_s = float("-inf")
        self.others_low_c = self.others_high_c = others_c

    def take(self, now_s: float, now_c: float, others_c: float) -> None:
        if now_c != self.now_c:
            self.others_low_c = self.others_high_c = others_c
            if abs(now_c - self.now_c) >= JUMP_C and now_s - self.now_s <= JUMP_S:
                self.jumped_s = now_s
        self.others_low_c = min(self.others_low_c, others_c)
        self.others_high_c = max(self.others_high_c, others_c)
        self.now_s, self.now_c = now_s, now_c
        if not abs(now_c - others_c) > FAR_C:
            self.far_since_s = None
        elif self.far_since_s is None:
            self.far_since_s = now_s

    def words(self, now_s: float, others_c: float) -> str | None:
        """What is wrong with it, None when nothing."""
        if now_s - self.jumped_s <= JUMP_MEMORY_S:
            return f"jumped by more than {JUMP_C:g} °C within {JUMP_S:g} s"
        if self.far_since_s is not None and now_s - self.far_since_s >= FAR_S:
            return f"reads {self.now_c:.1f} °C, the other modules about {others_c:.1f} °C"
        moved = self.others_high_c - self.others_low_c >= MOVED_C
        if moved and abs(self.now_c - others_c) >= MOVED_C / 2:  # else they agree again
            return f"stands at {self.now_c:.1f} °C while the other modules moved"
        return None


class OddTemps:
    """Compares each module's temperature with the median of the others.

    Zero is a temperature like any other; a module without a usable sensor is not judged here. An
    odd temperature is told and goes on to count: a module that really is hot looks the same.
    """

    def __init__(self) -> None:
        self._sensors: dict[str, _Sensor] = {}
        self._looked_s = float("-inf")
        self._odd: Mapping[str, str] = {}

    def update(self, modules: Sequence[ModuleReading], now_s: float) -> Mapping[str, str]:
        """Modules with an odd temperature, in words; looks every LOOK_S."""
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            now_c = {m.name: _middle_c(m) for m in modules if m.temps}
            self._odd = self._judge(now_c, now_s) if len(now_c) > 2 else {}
        return self._odd

    def _judge(self, now_c: Mapping[str, float], now_s: float) -> Mapping[str, str]:
        ordered = sorted(now_c.values())
        middle_c = ordered[len(ordered) // 2]
        odd = {}
        for name, temp_c in now_c.items():
            sensor = self._sensors.get(name)
            if sensor is None:
                sensor = self._sensors[name] = _Sensor(now_s, temp_c, middle_c)
            sensor.take(now_s, temp_c, middle_c)
            words = sensor.words(now_s, middle_c)
            if words is not None:
                odd[name] = words
        return odd


def _middle_c(module: ModuleReading) -> float:
    """Mean of the sensors, each in the middle of its bounds."""
    return sum(t.low_c + t.high_c for t in module.temps) / (2 * len(module.temps))
