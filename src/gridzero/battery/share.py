"""How much the battery may give so that none of its modules gives too much."""

from __future__ import annotations

from gridzero.domain.charge import BatteryCharge

_TELLING_A = 5.0
_LEAST = 0.5


class ShareKeeper:
    """Modules in parallel share the current by their resistance, not equally.

    Shares are looked at only while enough current flows to tell; the last one holds. An estimate
    may not cut the limit to less than half of what equal shares would allow: beyond that the
    protection of the module's own current acts.
    """

    def __init__(self, max_module_a: float) -> None:
        self._max_module_a = max_module_a
        self._evenness = 1.0
        self._seen: BatteryCharge | None = None

    def battery_a(self, healthy: int, charge: BatteryCharge | None) -> float:
        """Largest current of the battery with so many healthy modules, A."""
        if charge is not None and charge is not self._seen:
            self._seen = charge
            self._look([abs(module.current_a) for module in charge.modules.values()])
        return self._max_module_a * healthy * self._evenness

    def _look(self, amps: list[float]) -> None:
        """Mean over most: 1 when all carry the same."""
        total_a, most_a = sum(amps), max(amps, default=0.0)
        if total_a >= _TELLING_A and most_a > 0.0:
            self._evenness = min(1.0, max(_LEAST, total_a / len(amps) / most_a))
