"""What one rectifier says of itself, each value with the moment it was heard."""

from __future__ import annotations

from gridzero.domain.readings import ConverterReading
from gridzero.ports.links import LinkHealth
from gridzero_drivers.vertiv_r48.codec import NO_ERROR, Parameter, Status, Value
from gridzero_drivers.vertiv_r48.status import alarms

SILENT_S = 5.0
_SLOW_VALUES_S = 30.0

_PLAUSIBLE = {
    int(Parameter.OUTPUT_V): (0.0, 70.0),
    int(Parameter.OUTPUT_A): (-10.0, 200.0),
    int(Parameter.LIMIT): (0.0, 2.0),
    int(Parameter.TEMPERATURE): (-60.0, 150.0),
    int(Parameter.AC_V): (0.0, 400.0),
}

_WANTED = {*_PLAUSIBLE, int(Parameter.STATUS)}
_OUTPUT_V, _OUTPUT_A = int(Parameter.OUTPUT_V), int(Parameter.OUTPUT_A)
_LIMIT, _TEMPERATURE, _AC_V = int(Parameter.LIMIT), int(Parameter.TEMPERATURE), int(Parameter.AC_V)

_Stamped = tuple[float, float]


class Telemetry:
    """Newest trusted values. A value that carries an error code is no value.

    A module that negotiates its address marks what it says with code F4: the numbers might be
    those of another module, so they are counted and dropped, and lasting doubt is silence.
    """

    def __init__(self, efficiency: float, health: LinkHealth) -> None:
        self._efficiency = efficiency
        self._health = health
        self._values: dict[int, _Stamped] = {}
        self.status_word: int | None = None
        self.alarms: tuple[str, ...] = ()

    def take(self, message: Value | Status, now_s: float) -> None:
        """Remember a value that may be trusted; count the others."""
        if message.parameter not in _WANTED:
            return  # identity and unknown words of a burst
        if message.error_code != NO_ERROR:
            self._health.skip("r48 value with an error code")
        elif isinstance(message, Status):
            self._take_status(message.word)
        else:
            self._take_value(message, now_s)

    def _take_status(self, word: int) -> None:
        if word != self.status_word:
            self.status_word = word
            self.alarms = alarms(word)

    def _take_value(self, message: Value, now_s: float) -> None:
        low, high = _PLAUSIBLE[message.parameter]
        if message.value is not None and low <= message.value <= high:
            self._values[message.parameter] = (message.value, now_s)
        else:
            self._health.skip("r48 value that cannot be")

    def forget(self) -> None:
        """Start anew, as if nothing had been heard."""
        self._values.clear()

    def measured_at_s(self) -> float | None:
        """When the older of output voltage and current was heard; None until both were."""
        volts, amps = self._values.get(_OUTPUT_V), self._values.get(_OUTPUT_A)
        return None if volts is None or amps is None else min(volts[1], amps[1])

    def volts(self, now_s: float) -> float | None:
        """Output voltage, V, unless older than 5 s."""
        return self._fresh(_OUTPUT_V, now_s, SILENT_S)

    def amps(self, now_s: float) -> float | None:
        """Output current into the battery, A, unless older than 5 s."""
        return self._fresh(_OUTPUT_A, now_s, SILENT_S)

    def amps_since(self, since_s: float) -> float | None:
        """Output current if it was heard after since_s."""
        return self._since(_OUTPUT_A, since_s)

    def limit_since(self, since_s: float) -> float | None:
        """Active current limit as a fraction if it was heard after since_s."""
        return self._since(_LIMIT, since_s)

    def reading(self, now_s: float) -> ConverterReading | None:
        """All of it with the project's signs; None before voltage and current were heard.

        The AC power is an estimate: DC power over the configured efficiency.
        """
        measured_at_s = self.measured_at_s()
        if measured_at_s is None:
            return None
        volts, amps = self.volts(now_s), self.amps(now_s)
        ac_w = dc_a = None
        if volts is not None and amps is not None:
            ac_w, dc_a = 0.0 - volts * amps / self._efficiency, 0.0 - amps
        return ConverterReading(
            at_s=measured_at_s,
            ac_w=ac_w,
            dc_v=volts,
            dc_a=dc_a,
            mains_v=self._fresh(_AC_V, now_s, _SLOW_VALUES_S),
            temp_c=self._fresh(_TEMPERATURE, now_s, _SLOW_VALUES_S),
            alarms=self.alarms,
        )

    def _fresh(self, parameter: int, now_s: float, limit_s: float) -> float | None:
        stamped = self._values.get(parameter)
        return stamped[0] if stamped is not None and now_s - stamped[1] <= limit_s else None

    def _since(self, parameter: int, since_s: float) -> float | None:
        stamped = self._values.get(parameter)
        return stamped[0] if stamped is not None and stamped[1] > since_s else None


class Excess:
    """Watches for more voltage or current than was asked for, 3 s long.

    A battery that is already above a lowered voltage limit is not the rectifier's doing, so
    voltage counts only while current flows (or nobody knows whether it does).
    """

    OVER_V = 0.3
    OVER_A = 3.0
    FOR_S = 3.0
    _FLOWS_A = 0.5

    def __init__(self) -> None:
        self._since_s: float | None = None

    def lasts(
        self, now_s: float, volts: float | None, amps: float | None, max_v: float, max_a: float
    ) -> bool:
        """Whether the excess has lasted: asked at every tick."""
        over_a = amps is not None and amps > max_a + self.OVER_A
        flows = amps is None or amps > self._FLOWS_A
        over_v = volts is not None and volts > max_v + self.OVER_V and flows
        if not (over_a or over_v):
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s >= self.FOR_S
