"""What a simulated rectifier has been told, and when it forgets it."""

from __future__ import annotations

from gridzero_drivers.vertiv_r48.codec import ErrorCode, Parameter
from gridzero_drivers.vertiv_r48.requests import MAX_FRACTION, MAX_V, MIN_V, number_in

ONLINE_LIFE_S = 30.0
CONTROL_LIFE_S = 40.0
_AC_OFF, _FAN, _DC_OFF = 1 << 2, 1 << 4, 1 << 7
_NEVER = float("-inf")

_RANGES = {
    int(Parameter.ONLINE_V): (MIN_V, MAX_V),
    int(Parameter.OFFLINE_V): (MIN_V, MAX_V),
    int(Parameter.ONLINE_LIMIT): (0.0, MAX_FRACTION + 1e-6),
    int(Parameter.OFFLINE_LIMIT): (0.0, MAX_FRACTION + 1e-6),
    int(Parameter.AC_LIMIT): (0.0, 30.0),
    int(Parameter.WALK_IN_S): (0.0, 200.0),
}
_SWITCHES = {0x30, 0x32, 0x33, 0x35, 0x39}


class Registers:
    """Online values with their age, stored values, the control byte with its age.

    offline_v, offline_fraction: factory values; the limit in silence is taken as 121 %, the worse
    of two readings of the manuals. lowest_fraction: firmware floor of the current limit (0.10 on
    older units). stored_writes: how often memory was written.
    """

    def __init__(self) -> None:
        self.offline_v = 53.5
        self.offline_fraction = MAX_FRACTION
        self.lowest_fraction = 0.0
        self.ac_limit_a: float | None = None
        self.stored_writes = 0
        self._online_v = 0.0
        self._online_fraction = 0.0
        self._volts_at_s = self._fraction_at_s = self._control_at_s = _NEVER
        self._byte = 1

    def write(self, parameter: int, data: bytes, now_s: float) -> int:
        """Take a write; the error code that answers it."""
        if parameter in _SWITCHES:
            return ErrorCode.NONE
        bounds = _RANGES.get(parameter)
        if bounds is None:
            return ErrorCode.INVALID_COMMAND
        value = number_in(data)
        if value is None or not bounds[0] <= value <= bounds[1]:
            return ErrorCode.INVALID_DATA
        self._take(parameter, value, now_s)
        return ErrorCode.NONE

    def _take(self, parameter: int, value: float, now_s: float) -> None:
        if parameter == Parameter.ONLINE_V:
            self._online_v, self._volts_at_s = value, now_s
        elif parameter == Parameter.ONLINE_LIMIT:
            self._online_fraction, self._fraction_at_s = value, now_s
        elif parameter == Parameter.AC_LIMIT:
            self.ac_limit_a = value
        else:
            self._store(parameter, value)

    def _store(self, parameter: int, value: float) -> None:
        self.stored_writes += 1
        if parameter == Parameter.OFFLINE_V:
            self.offline_v = value
        elif parameter == Parameter.OFFLINE_LIMIT:
            self.offline_fraction = value

    def control(self, byte: int, now_s: float) -> None:
        """Take a valid control byte."""
        self._byte, self._control_at_s = byte, now_s

    def volts(self, now_s: float) -> float:
        """Voltage in force, V."""
        online = now_s - self._volts_at_s <= ONLINE_LIFE_S
        return self._online_v if online else self.offline_v

    def fraction(self, now_s: float) -> float:
        """Current limit in force, as a fraction."""
        online = now_s - self._fraction_at_s <= ONLINE_LIFE_S
        value = self._online_fraction if online else self.offline_fraction
        return max(self.lowest_fraction, value)

    def offline(self, now_s: float) -> bool:
        """Whether both set-points have lapsed."""
        return now_s - max(self._volts_at_s, self._fraction_at_s) > ONLINE_LIFE_S

    def on(self, now_s: float) -> bool:
        """AC and DC on; also once the control byte has lapsed."""
        return not self._controlled(now_s) & (_AC_OFF | _DC_OFF)

    def fan_full(self, now_s: float) -> bool:
        """Fan commanded to full speed."""
        return bool(self._controlled(now_s) & _FAN)

    def _controlled(self, now_s: float) -> int:
        return self._byte if now_s - self._control_at_s <= CONTROL_LIFE_S else 1
