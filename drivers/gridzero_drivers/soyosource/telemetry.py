"""What the last status reply says, for as long as it is worth something."""

from __future__ import annotations

from typing import Final

from gridzero.domain.readings import ConverterReading, ConverterState
from gridzero_drivers.soyosource.codec import OperationStatus, Status, status_name
from gridzero_drivers.soyosource.options import SoyosourceOptions

_FRESH_PERIODS: Final = 3


class Telemetry:
    """Turns replies into readings.

    With several units on the wire a reply tells of one of them, nobody knows which, so powers
    and currents stay unknown.
    """

    def __init__(self, options: SoyosourceOptions) -> None:
        self.code = int(OperationStatus.NORMAL)
        self._fresh_s = _FRESH_PERIODS * options.status_period_s
        self._efficiency = options.efficiency
        self._alone = options.units == 1
        self._newest: ConverterReading | None = None

    def take(self, status: Status, now_s: float) -> bool:
        """Keep a reply; returns whether the operation status changed."""
        changed = status.code != self.code
        self.code = status.code
        self._newest = ConverterReading(
            at_s=now_s,
            # an estimate: the reply holds no AC power
            ac_w=status.battery_w * self._efficiency if self._alone else None,
            dc_v=status.battery_v,
            dc_a=status.battery_a if self._alone else None,
            mains_v=float(status.grid_v),
            temp_c=status.temp_c,
            alarms=() if self.is_normal else (status_name(status.code),),
        )
        return changed

    @property
    def is_normal(self) -> bool:
        """Whether the last reply said that power is delivered."""
        return self.code == OperationStatus.NORMAL

    def reading(self, now_s: float) -> ConverterReading | None:
        """The newest reading, None once it is older than three query periods."""
        newest = self._newest
        return newest if newest and now_s - newest.at_s <= self._fresh_s else None

    def trouble(self, now_s: float) -> ConverterState | None:
        """STARTING or FAULT while a fresh reply says that no power is delivered, else None."""
        if self.is_normal or self.reading(now_s) is None:
            return None
        starting = self.code == OperationStatus.STARTUP
        return ConverterState.STARTING if starting else ConverterState.FAULT
