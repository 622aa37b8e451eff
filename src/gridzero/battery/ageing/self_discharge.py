"""Which cell loses charge by itself: the sign of an internal short before it does harm.

Cells of one module carry the same current, so what drifts apart over days is capacity (shows with
the state of charge), bleeding (counted) and self-discharge. Per cell a Kalman filter of three
numbers is kept: how far the cell stands from its module's middle cell at half charge, how that
changes with the state of charge, and how it drifts. Only the difference to the siblings can be
seen; what all lose alike looks like an offset of the shunt.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot, sqrt
from statistics import median
from typing import Any

from gridzero.battery.ageing.kept import BAD, by_name, number, numbers
from gridzero.battery.ageing.rests import RestPoint
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.domain.ageing import Estimate

_LEVEL, _SLOPE, _DRIFT = range(3)
_PRIOR_SIGMA = (0.2, 0.15, 0.02)  # parts of the capacity; drift per day
_WANDER = (0.0003, 0.001, 0.00002)  # per square root of a day
_LEAST_SIGMA, _MOST_SIGMA = 0.002, 0.004
_SHORTEST_DAYS = 3.0
_CREDIBLE = 3.0
_MISFIT_MEMORY = 0.9
_HOURS = 24.0


class _Drift:
    """Level, slope and drift of one cell."""

    __slots__ = ("bled", "bled_since", "day", "misfit", "p", "since", "x")

    def __init__(self, day: float) -> None:
        self.x = [0.0, 0.0, 0.0]
        self.p = [[_PRIOR_SIGMA[i] ** 2 if i == j else 0.0 for j in range(3)] for i in range(3)]
        self.misfit = 1.0
        self.day = self.since = day
        self.bled = self.bled_since = 0.0

    def take(self, day: float, stands: float, half: float, bled: float, sigma: float) -> None:
        """stands: over the middle cell. half: state of charge less 0.5. bled: since the last."""
        self._wait(max(0.0, day - self.day), bled)
        self.day = day
        row = (1.0, half, 0.0)
        column = [sum(self.p[i][j] * row[j] for j in range(3)) for i in range(3)]
        expected = sum(row[i] * column[i] for i in range(3)) + sigma * sigma
        off = stands - sum(row[i] * self.x[i] for i in range(3))
        score = off * off / expected
        reach = _CREDIBLE * sqrt(expected)
        off = max(-reach, min(reach, off))
        self.misfit += (1.0 - _MISFIT_MEMORY) * (min(score, _CREDIBLE**2) - self.misfit)
        for i in range(3):
            self.x[i] += column[i] / expected * off
        self.p = [
            [self.p[i][j] - column[i] * column[j] / expected for j in range(3)] for i in range(3)
        ]

    def _wait(self, days: float, bled: float) -> None:
        self.x[_LEVEL] += self.x[_DRIFT] * days - bled
        self.bled_since += bled
        p = self.p
        p[0][0] += days * (2.0 * p[0][2] + days * p[2][2])
        p[0][1] = p[1][0] = p[0][1] + days * p[2][1]
        p[0][2] = p[2][0] = p[0][2] + days * p[2][2]
        for i in range(3):
            p[i][i] += _WANDER[i] ** 2 * days

    def loss(self, bleed_tolerance: float) -> Estimate | None:
        """Part of the capacity lost a day, > 0 loses; None while too young."""
        days = self.day - self.since
        if days < _SHORTEST_DAYS:
            return None
        unsure = bleed_tolerance * abs(self.bled_since) / days
        fit = sqrt(self.p[_DRIFT][_DRIFT] * max(1.0, self.misfit))
        return Estimate(-self.x[_DRIFT], hypot(fit, unsure))


class SelfDischarge:
    """Learns at each rest, for every cell whose sensor is believed."""

    def __init__(self, spec: AgeingSpec) -> None:
        self._spec = spec
        self._cells: dict[str, _Drift] = {}
        self._bled: dict[str, float] = {}

    def cell_ma(self, module: str, place: int, capacity_ah: float) -> Estimate | None:
        """MA that a cell (place from 0) loses beyond its siblings; None while not known."""
        known = self._cells.get(f"{module}.{place + 1}")
        loss = known.loss(self._spec.bleed_tolerance) if known is not None else None
        if loss is None:
            return None
        ma = 1000.0 * capacity_ah / _HOURS
        return Estimate(ma * loss.value, ma * loss.sigma)

    def take(self, point: RestPoint) -> None:
        """Learn from one more rest."""
        for module in point.cells:
            sure = point.sure(module)
            if len(sure) >= 3:
                self._take_module(point, module, {i: cell.soc for i, cell in sure.items()})

    def forget_time(self) -> None:
        """Nobody knows how long ago the last rest was: begin the drifts anew."""
        self._cells.clear()

    def _take_module(self, point: RestPoint, module: str, socs: Mapping[int, float]) -> None:
        middle = median(socs.values())
        bled = {i: self._newly_bled(f"{module}.{i + 1}", point.bled(module, i)) for i in socs}
        usual = median(bled.values())
        sigmas = {i: cell.sigma for i, cell in point.sure(module).items()}
        for i, soc in socs.items():
            known = self._cells.setdefault(f"{module}.{i + 1}", _Drift(point.day))
            sigma = min(_MOST_SIGMA, max(_LEAST_SIGMA, sigmas[i]))
            known.take(point.day, soc - middle, middle - 0.5, bled[i] - usual, sigma)

    def _newly_bled(self, name: str, ah: float) -> float:
        before = self._bled.get(name, 0.0)
        self._bled[name] = ah
        return max(0.0, ah - before) / self._spec.module_ah

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {
            name: {
                "x": list(one.x),
                "p": [value for row in one.p for value in row],
                "misfit": one.misfit,
                "days": [one.since, one.day],
                "bled": one.bled_since,
            }
            for name, one in self._cells.items()
        }

    def restore(self, values: Any) -> list[str]:
        """Take what to_dict wrote; what does not fit is left out, with the reason."""
        reasons: list[str] = []
        try:
            kept = by_name(values)
        except BAD as error:
            return [f"self-discharge: {error}"]
        for name, one in kept.items():
            try:
                self._cells[name] = _restored(by_name(one))
            except BAD as error:
                reasons.append(f"self-discharge of {name}: {error}")
        return reasons


def _restored(values: Mapping[str, Any]) -> _Drift:
    since, day = numbers(values["days"], 2, 0.0, 1e6)
    made = _Drift(since)
    made.day = max(day, since)
    made.x = numbers(values["x"], 3, -1.0, 1.0)
    flat = numbers(values["p"], 9, -10.0, 10.0)
    made.p = [flat[0:3], flat[3:6], flat[6:9]]
    if min(made.p[i][i] for i in range(3)) <= 0.0:
        raise ValueError("a variance that is not above 0")
    made.misfit = number(values["misfit"], 0.0, 100.0)
    made.bled_since = number(values["bled"], -1e6, 1e6)
    return made
