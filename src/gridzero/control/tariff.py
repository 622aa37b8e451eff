"""What a kWh costs and brings."""

from __future__ import annotations

from typing import NamedTuple

_W_PER_KW = 1000.0


class Tariff(NamedTuple):
    """Hundredths of the currency per kWh; either may be negative."""

    import_ct: float
    export_ct: float

    def ct_per_h(self, power_w: float) -> float:
        """What a grid power costs by the hour, > 0 for import at a positive price."""
        return power_w / _W_PER_KW * (self.import_ct if power_w > 0.0 else self.export_ct)


REFERENCE = Tariff(30.0, 8.0)
"""What the bench counts with, and the service where nobody said what energy costs."""
