"""What a person does on the day: every strategy, caps, bounds, ramp, orders and restarts."""

from __future__ import annotations

from typing import NamedTuple

RESTART = "restart"
PRICES = "prices"


class Change(NamedTuple):
    """One thing that happens. at_h: of the day. PRICES: import, and worth of what is stored, ct."""

    at_h: float
    key: str
    value: str = ""

    @property
    def at_s(self) -> float:
        """On whole milliseconds: what lies between two nanoseconds never comes."""
        return round(self.at_h * 3600.0, 3)

    @property
    def words(self) -> str:
        """As a row of the table."""
        return f"{self.key} {self.value}".strip()


STORY = (
    Change(1.0, PRICES, "12 25"),
    Change(1.0, "strategy", "tariff"),
    Change(1.5, "max_charge_w", "800"),
    Change(3.0, PRICES, "28 25"),
    Change(4.0, PRICES, "20 25"),
    Change(5.0, PRICES, "30 25"),
    Change(5.0, "strategy", "self_use"),
    Change(5.0, "max_charge_w", "2800"),
    Change(6.0, "ramp_w_per_s", "50"),
    Change(7.0, "ramp_w_per_s", "10"),
    Change(8.0, "ramp_w_per_s", "0"),
    Change(8.5, RESTART),
    Change(9.0, "export_guard_w", "40"),
    Change(10.0, "export_guard_w", "0"),
    Change(10.0, "max_soc_pct", "80"),
    Change(11.0, "max_soc_pct", "100"),
    Change(11.0, "full_charge", "start"),
    Change(11.5, "full_charge", "stop"),
    Change(13.0, RESTART),
    Change(14.0, "max_discharge_w", "300"),
    Change(15.0, "max_discharge_w", "860"),
    Change(15.0, "mode", "hold"),
    Change(15.0, "override_until", "15.5"),
    Change(16.0, "peak_w", "500"),
    Change(16.0, "strategy", "peak_shave"),
    Change(18.0, "strategy", "self_use"),
    Change(18.0, "ev_hold", "on"),
    Change(19.0, "ev_hold", "off"),
    Change(19.0, "reserve_soc_pct", "50"),
    Change(21.0, "reserve_soc_pct", "0"),
    Change(21.0, "maintenance", "on"),
    Change(21.3, "maintenance", "off"),
    Change(22.0, "allow_discharge", "off"),
    Change(22.3, "allow_discharge", "on"),
)
