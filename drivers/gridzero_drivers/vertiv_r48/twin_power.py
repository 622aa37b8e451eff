"""The power stage of a simulated rectifier: constant current, constant voltage, walk-in."""

from __future__ import annotations

from gridzero.ports.twins import World
from gridzero_drivers.vertiv_r48.requests import amps_of

WALK_IN_S = 8.0
_REGULATES_A_PER_VS = 20.0  # integrating: no error is left, and stable for any house pack
_FOLLOWS_A_PER_S = 60.0
_FULL_MAINS_V = 176.0
_LEAST_DERATED = 0.45


class PowerStage:
    """Output current into world.battery_v.

    accuracy_a: how much more (or less) than its limit it gives, A. stuck_at_a: gives this
    whatever it was told, None = healthy. amps, output_v, ac_w: after the last advance().
    """

    MAINS_MIN_V, MAINS_MAX_V = 80.0, 305.0

    def __init__(self, rated_w: float) -> None:
        self.accuracy_a = 0.0
        self.stuck_at_a: float | None = None
        self.amps = 0.0
        self.output_v = 0.0
        self.ac_w = 0.0
        self.temp_c = 25.0
        self.on = False
        self._rated_w = rated_w
        self._on_for_s = 0.0

    @property
    def walking_in(self) -> bool:
        """Whether the output is still on its way up after switching on."""
        return self.on and self._on_for_s < WALK_IN_S

    def advance(
        self,
        seconds: float,
        world: World,
        *,
        volts: float,
        fraction: float,
        ac_limit_a: float | None,
        on: bool,
    ) -> None:
        """One step of physics. volts, fraction, ac_limit_a, on: what is in force."""
        mains_v, battery_v = world.mains_v, world.battery_v
        self.on = on and self.MAINS_MIN_V <= mains_v <= self.MAINS_MAX_V
        self._on_for_s = self._on_for_s + seconds if self.on else 0.0
        if not world.is_connected:
            self._idle(seconds, volts)
            return
        if self.stuck_at_a is not None:
            self.amps = self.stuck_at_a
        elif not self.on:
            self.amps = 0.0
        else:
            ceiling_a = self._ceiling(fraction, battery_v, mains_v, ac_limit_a)
            self._regulate(seconds, volts - battery_v, ceiling_a)
        self._settle(seconds, battery_v)

    def _idle(self, seconds: float, volts: float) -> None:
        """Behind an open contactor: its own voltage at its terminals, and nothing flows."""
        self.amps = 0.0
        self._settle(seconds, volts if self.on else 0.0)

    def _ceiling(
        self, fraction: float, battery_v: float, mains_v: float, ac_limit_a: float | None
    ) -> float:
        """The lowest of set current, rated power and AC limit, scaled by the walk-in."""
        limit_a = amps_of(fraction, self._rated_w) + self.accuracy_a
        power_w = self._rated_w * _derating(mains_v)
        if ac_limit_a is not None:
            power_w = min(power_w, ac_limit_a * mains_v * 0.95)
        walked = min(1.0, self._on_for_s / WALK_IN_S)
        return max(0.0, min(limit_a, power_w / max(1.0, battery_v))) * walked

    def _regulate(self, seconds: float, error_v: float, ceiling_a: float) -> None:
        pace = max(-_FOLLOWS_A_PER_S, min(_FOLLOWS_A_PER_S, _REGULATES_A_PER_VS * error_v))
        self.amps = max(0.0, min(ceiling_a, self.amps + pace * seconds))

    def _settle(self, seconds: float, battery_v: float) -> None:
        self.output_v = battery_v
        dc_w = self.amps * battery_v
        self.ac_w = dc_w / self._efficiency(dc_w) + (12.0 if self.on else 4.0)
        warm_c = 25.0 + 30.0 * dc_w / self._rated_w
        self.temp_c += (warm_c - self.temp_c) * min(1.0, seconds / 300.0)

    def _efficiency(self, dc_w: float) -> float:
        """Flat above a tenth of the rating, falling to 85 % below it."""
        return 0.85 + 0.11 * min(1.0, dc_w / (0.1 * self._rated_w))


def _derating(mains_v: float) -> float:
    """Full power from 176 V on, in a line down to less than half at 85 V (vendor manuals)."""
    span = (mains_v - 85.0) / (_FULL_MAINS_V - 85.0)
    return _LEAST_DERATED + (1.0 - _LEAST_DERATED) * max(0.0, min(1.0, span))
