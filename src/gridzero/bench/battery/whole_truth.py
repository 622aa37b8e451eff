"""What the simulated shed really was like, beside what was said of it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import harmonic_mean
from typing import NamedTuple

from gridzero.bench.battery.household import soc_at_rest
from gridzero.bench.battery.whole_house import DAY_S, Days, Moment
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.trust import Trust
from gridzero.sim.pack import rest_v

_LOOK_S = 600.0
_HORIZON_S = 1200.0  # battery.thermal.rules: how far temperatures are predicted
_SAME_SOC = 0.001
_EMPTY_V, _FULL_V = 3.20, 4.06  # battery.profile: vw_gte_12s


class Told(NamedTuple):
    """State of charge of the battery, 0..1: as told, as it was, and how sure it was said to be."""

    at_s: float
    soc: float
    true_soc: float
    sigma: float

    @property
    def error(self) -> float:
        """Told less true."""
        return self.soc - self.true_soc


class Top(NamedTuple):
    """The fullest moment of a day.

    spread_mv: between the cells of the worst module, were they at rest. cell_rms: how far cells
    are estimated wrongly beside their siblings, state of charge 0..1.
    """

    soc: float
    spread_mv: float
    cell_rms: float


class Truth:
    """Give ``see`` to ``Days.run``.

    alarms, doubts: for how many steps they stood. maintenance: the day on which it was first
    said. bled_ah, vain_ah: bled from all cells, and from cells that were among the lowest.
    """

    def __init__(self, house: Days) -> None:
        self._house = house
        self._looked_s = house.now_s
        self._foretold: deque[tuple[float, dict[str, float]]] = deque()
        self.told: list[Told] = []
        self.temp_errors_c: list[float] = []
        self.tops: dict[int, Top] = {}
        self.alarms: Counter[str] = Counter()
        self.doubts: Counter[str] = Counter()
        self.maintenance: dict[str, float] = {}
        self.bled_ah = self.vain_ah = 0.0

    def see(self, now: Moment) -> None:
        """One step."""
        self.alarms.update(f"{one.code} {one.subject}" for one in now.condition.alarms)
        self.doubts.update(_doubts(now.condition.trust))
        self._note_bleeding()
        if now.now_s - self._looked_s >= _LOOK_S and now.condition.charge is not None:
            self._looked_s = now.now_s
            self._look(now, now.condition.charge)

    def _note_bleeding(self) -> None:
        pack, step_s = self._house.pack, self._house.life.step_s
        for name in pack.modules:
            bleeding = pack.bleeding(name)
            if bleeding:
                socs = pack.cell_soc(name)
                for soc in (soc for i, soc in enumerate(socs) if bleeding >> i & 1):
                    ah = rest_v(soc) / pack.model.bleed_ohm * step_s / 3600.0
                    self.bled_ah += ah
                    self.vain_ah += ah if soc < min(socs) + _SAME_SOC else 0.0

    def _look(self, now: Moment, charge: BatteryCharge) -> None:
        true_soc, _ = usable(self._house)
        self.told.append(Told(now.now_s, charge.soc, true_soc, charge.sigma))
        self._note_temps(now)
        self._note_top(now.now_s, charge)
        for item in self._house.battery.health().maintenance:
            self.maintenance.setdefault(f"{item.code} {item.subject}", now.now_s / DAY_S)

    def _note_temps(self, now: Moment) -> None:
        while self._foretold and self._foretold[0][0] <= now.now_s:
            _, foretold = self._foretold.popleft()
            pack = self._house.pack
            self.temp_errors_c += [temp_c - pack.temp_c(name) for name, temp_c in foretold.items()]
        thermal = now.condition.thermal
        if thermal is not None:
            known = {name: c for name, c in thermal.predicted_c.items() if c is not None}
            self._foretold.append((now.now_s + _HORIZON_S, known))

    def _note_top(self, now_s: float, charge: BatteryCharge) -> None:
        day, pack = int(now_s / DAY_S), self._house.pack
        known = self.tops.get(day)
        if known is None or pack.soc > known.soc:
            errors = [e for name in pack.modules for e in _beside(charge, name, self._house)]
            self.tops[day] = Top(pack.soc, max(map(self._spread_mv, pack.modules)), rms(errors))

    def _spread_mv(self, module: str) -> float:
        volts = [rest_v(soc) for soc in self._house.pack.cell_soc(module)]
        return 1000.0 * (max(volts) - min(volts))


def _doubts(trust: Trust) -> list[str]:
    shunt = ["shunt"] if trust.shunt_sign_wrong or trust.shunt_stuck else []
    return [*trust.cells, *trust.apart, *trust.frozen, *trust.odd_temps, *shunt]


def _beside(charge: BatteryCharge, module: str, house: Days) -> list[float]:
    """Errors of the cells of a module without what they have in common."""
    cells = zip(charge.modules[module].cells, house.pack.cell_soc(module), strict=True)
    errors = [cell.soc - soc for cell, soc in cells]
    mean = sum(errors) / len(errors)
    return [error - mean for error in errors]


def rms(errors: Iterable[float]) -> float:
    """Root of the mean square; 0 of nothing."""
    squares = [error * error for error in errors]
    return sqrt(sum(squares) / len(squares)) if squares else 0.0


def within(told: Sequence[Told]) -> float:
    """Part of the time in which the truth was within two standard deviations."""
    return sum(abs(one.error) <= 2.0 * one.sigma for one in told) / max(1, len(told))


def usable(house: Days) -> tuple[float, float]:
    """True state of charge and Ah between the first empty and first full cell of each module."""
    pack = house.pack
    return usable_of((pack.cell_soc(name), pack.cell_ah(name)) for name in pack.modules)


def usable_of(modules: Iterable[tuple[Sequence[float], Sequence[float]]]) -> tuple[float, float]:
    """The same of (charge of each cell 0..1, Ah of each cell) of each module."""
    low, high = soc_at_rest(_EMPTY_V), soc_at_rest(_FULL_V)
    out_ah = in_ah = 0.0
    for socs, amounts_ah in modules:
        cells = list(zip(socs, amounts_ah, strict=True))
        out_ah += max(0.0, min((soc - low) * ah for soc, ah in cells))
        in_ah += max(0.0, min((high - soc) * ah for soc, ah in cells))
    return out_ah / (out_ah + in_ah), out_ah + in_ah


class Learned(NamedTuple):
    """Percent that the learned capacity is off; None = not known yet.

    battery, sigma: of all modules, and how sure it is said to be. cell: the worst cell over its
    module's mean. usable: what the estimator says can be used.
    """

    battery: float | None
    sigma: float | None
    cell: float | None
    usable: float | None


def learned(house: Days) -> Learned:
    """What is known of the capacity now."""
    report, charge = house.battery.health(), house.condition.charge
    true_ah = {name: harmonic_mean(house.pack.cell_ah(name)) for name in house.pack.modules}
    cells = [
        100.0 * (cell.relative_capacity.value * true_ah[name] / ah - 1.0)
        for name, module in report.modules.items()
        for cell, ah in zip(module.cells, house.pack.cell_ah(name), strict=True)
        if cell.relative_capacity is not None
    ]
    whole = report.capacity_ah
    return Learned(
        battery=100.0 * (whole.value / sum(true_ah.values()) - 1.0) if whole else None,
        sigma=100.0 * whole.sigma / whole.value if whole else None,
        cell=max(cells, key=abs, default=None),
        usable=100.0 * (charge.capacity_ah / usable(house)[1] - 1.0) if charge else None,
    )
