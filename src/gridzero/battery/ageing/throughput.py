"""What has passed through, and where the hours were spent: the part of ageing that is use.

Bins are coarse on purpose. High charge and heat age a cell that rests; cold ages one that is
charged; both ends of the charge age one that is cycled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from math import isfinite
from typing import Any

from gridzero.battery.ageing.kept import numbers
from gridzero.domain.ageing import Throughput

SOC_EDGES = (0.1, 0.3, 0.7, 0.9)
"""Bins of the state of charge: below 10 %, 10 to 30, 30 to 70, 70 to 90, above."""
TEMP_EDGES_C = (5.0, 15.0, 25.0, 35.0, 45.0)
"""Bins of the temperature: below 5 degC, 5 to 15 ... above 45."""
_MOST = 1e9


class Meter:
    """Sums of one module or of the battery."""

    __slots__ = ("_in_ah", "_in_wh", "_out_ah", "_out_wh", "_soc_h", "_temp_h")

    def __init__(self) -> None:
        self._out_ah = self._in_ah = self._out_wh = self._in_wh = 0.0
        self._soc_h = [0.0] * (len(SOC_EDGES) + 1)
        self._temp_h = [0.0] * (len(TEMP_EDGES_C) + 1)

    def add(
        self, hours: float, current_a: float, volts: float, soc: float | None, temp_c: float | None
    ) -> None:
        """Book a short time. Unknown voltage (NaN) books charge alone."""
        ah = current_a * hours
        wh = ah * volts if isfinite(volts) else 0.0
        if ah > 0.0:
            self._out_ah, self._out_wh = self._out_ah + ah, self._out_wh + wh
        else:
            self._in_ah, self._in_wh = self._in_ah - ah, self._in_wh - wh
        if soc is not None and isfinite(soc):
            self._soc_h[bisect_right(SOC_EDGES, soc)] += hours
        if temp_c is not None and isfinite(temp_c):
            self._temp_h[bisect_right(TEMP_EDGES_C, temp_c)] += hours

    def report(self, capacity_ah: float) -> Throughput:
        """capacity_ah: what one full cycle moves each way."""
        return Throughput(
            out_ah=self._out_ah,
            in_ah=self._in_ah,
            out_wh=self._out_wh,
            in_wh=self._in_wh,
            cycles=(self._out_ah + self._in_ah) / (2.0 * capacity_ah),
            soc_h=tuple(self._soc_h),
            temp_h=tuple(self._temp_h),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {
            "ah": [self._out_ah, self._in_ah],
            "wh": [self._out_wh, self._in_wh],
            "soc_h": list(self._soc_h),
            "temp_h": list(self._temp_h),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Meter:
        """What to_dict wrote. Raises as ``kept`` says."""
        made = cls()
        made._out_ah, made._in_ah = numbers(values["ah"], 2, 0.0, _MOST)
        made._out_wh, made._in_wh = numbers(values["wh"], 2, 0.0, _MOST)
        made._soc_h = numbers(values["soc_h"], len(made._soc_h), 0.0, _MOST)
        made._temp_h = numbers(values["temp_h"], len(made._temp_h), 0.0, _MOST)
        return made
