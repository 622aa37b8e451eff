"""What the simulated shed really was like, beside what was said of it."""

from __future__ import annotations

from collections import deque
from math import sqrt
from typing import NamedTuple

from gridzero.bench.battery.household import soc_at_rest
from gridzero.bench.battery.whole_house import DAY_S, Days, Moment
from gridzero.domain.ageing import HealthReport
from gridzero.sim.pack import rest_v

_LOOK_S = 600.0
_HORIZON_S = 1200.0  # battery.thermal.rules: how far temperatures are predicted
_SETTLED_DAYS = 1.0
_EMPTY_V, _FULL_V = 3.20, 4.06


class Level(NamedTuple):
    """Worst module at the fullest moment of a day: millivolts between its cells at rest, and state
    of charge of the pack, 0..1. cell_soc: what the estimate of one cell over its module's mean was off, rms."""

    mv: float
    soc: float
    own_rms: float
    own_sigma: float


class Judged:
    """Give ``see`` to ``Days.run``."""

    def __init__(self, house: Days) -> None:
        self._house = house
        self._looked_s = 0.0
        self.socs: list[tuple[float, float, float, float]] = []
        self.temps: list[float] = []
        self._foretold: deque[tuple[float, dict[str, float]]] = deque()
        self.alarms: dict[str, int] = {}
        self.doubts: dict[str, int] = {}
        self.because: dict[str, int] = {}
        self.bled_ah = 0.0
        self.in_vain_ah = 0.0
        self.levels: dict[int, Level] = {}
        self.own: list[tuple[float, float, str]] = []
        self.maintenance: dict[str, float] = {}

    def see(self, now: Moment) -> None:
        """One step."""
        self._watch(now)
        self._bled()
        if now.now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now.now_s
            self._look(now)

    def _watch(self, now: Moment) -> None:
        for alarm in now.condition.alarms:
            key = f"{alarm.code}.{alarm.level.name} {alarm.subject}"
            self.alarms[key] = self.alarms.get(key, 0) + 1
        trust = now.condition.trust
        for name in (*trust.cells, *trust.apart, *trust.frozen, *trust.odd_temps):
            self.doubts[name] = self.doubts.get(name, 0) + 1
        if trust.shunt_sign_wrong or trust.shunt_stuck:
            self.doubts["shunt"] = self.doubts.get("shunt", 0) + 1

    def _bled(self) -> None:
        pack, step_s = self._house.pack, self._house.life.step_s
        for name in pack.modules:
            mask = pack.bleeding(name)
            if not mask:
                continue
            socs = pack.cell_soc(name)
            low = min(socs)
            for i, soc in enumerate(socs):
                if mask >> i & 1:
                    ah = rest_v(soc) / 40.0 * step_s / 3600.0
                    self.bled_ah += ah
                    if soc - low < 0.001:
                        self.in_vain_ah += ah

    def _look(self, now: Moment) -> None:
        charge = now.condition.charge
        if charge is None:
            return
        true = usable(self._house)
        self.socs.append((now.now_s, charge.soc, true[0], charge.sigma))
        self._temps(now)
        self._level(now)
        balancing = now.condition.balancing
        if balancing is not None:
            for one in balancing.modules.values():
                self.because[one.reason.value] = self.because.get(one.reason.value, 0) + 1
                if one.reason.value in {"balanced", "measuring"} and now.now_s > DAY_S:
                    self._own(one.module, charge)
        for item in self._house.battery.health().maintenance:
            self.maintenance.setdefault(f"{item.code} {item.subject} {item.urgency.name}", now.now_s / DAY_S)

    def _own(self, name, charge):
        socs = self._house.pack.cell_soc(name)
        cells = charge.modules[name].cells
        mean = sum(c.soc - s for c, s in zip(cells, socs, strict=True)) / len(socs)
        self.own += [(c.soc - s - mean, c.sigma, name) for c, s in zip(cells, socs, strict=True)]

    def _temps(self, now: Moment) -> None:
        thermal, pack = now.condition.thermal, self._house.pack
        while self._foretold and self._foretold[0][0] <= now.now_s:
            _, foretold = self._foretold.popleft()
            self.temps += [one - pack.temp_c(name) for name, one in foretold.items()]
        if thermal is not None:
            known = {n: c for n, c in thermal.predicted_c.items() if c is not None}
            self._foretold.append((now.now_s + _HORIZON_S, known))

    def _level(self, now: Moment) -> None:
        day, pack = int(now.now_s / DAY_S), self._house.pack
        known = self.levels.get(day)
        if known is not None and pack.soc <= known.soc:
            return
        charge = now.condition.charge
        assert charge is not None
        mv, errors, sigmas = 0.0, [], []
        for name in pack.modules:
            socs = pack.cell_soc(name)
            volts = [rest_v(soc) for soc in socs]
            mv = max(mv, 1000.0 * (max(volts) - min(volts)))
            told = [c.soc for c in charge.modules[name].cells]
            mean = sum(told) / len(told) - sum(socs) / len(socs)
            errors += [t - s - mean for t, s in zip(told, socs, strict=True)]
            sigmas += [c.sigma for c in charge.modules[name].cells]
        self.levels[day] = Level(mv, pack.soc, rms(errors), sum(sigmas) / len(sigmas))

    def settled(self) -> list[tuple[float, float, float, float]]:
        return [one for one in self.socs if one[0] > _SETTLED_DAYS * DAY_S]


def rms(errors: list[float]) -> float:
    return sqrt(sum(e * e for e in errors) / len(errors)) if errors else 0.0


def usable(house: Days) -> tuple[float, float]:
    """True state of charge and capacity, Ah, between the first empty and first full cells."""
    low, high = soc_at_rest(_EMPTY_V), soc_at_rest(_FULL_V)
    out = room = 0.0
    for name in house.pack.modules:
        cells = list(zip(house.pack.cell_soc(name), house.pack.cell_ah(name), strict=True))
        out += max(0.0, min((soc - low) * ah for soc, ah in cells))
        room += max(0.0, min((high - soc) * ah for soc, ah in cells))
    return out / (out + room), out + room


def capacity_error(house: Days) -> dict[str, float]:
    from statistics import harmonic_mean

    report: HealthReport = house.battery.health()
    true = {n: harmonic_mean(house.pack.cell_ah(n)) for n in house.pack.modules}
    made = {}
    if report.capacity_ah:
        made["battery"] = 100 * (report.capacity_ah.value / sum(true.values()) - 1)
        made["sigma"] = 100 * report.capacity_ah.sigma / report.capacity_ah.value
    cells = [
        100 * (c.relative_capacity.value * true[n] / ah - 1)
        for n, m in report.modules.items()
        for c, ah in zip(m.cells, house.pack.cell_ah(n), strict=True)
        if c.relative_capacity
    ]
    made["cell"] = max(cells, key=abs, default=float("nan"))
    mods = [100 * (m.capacity_ah.value / true[n] - 1) for n, m in report.modules.items() if m.capacity_ah]
    made["module"] = max(mods, key=abs, default=float("nan"))
    made["usable_ah"] = usable(house)[1]
    if house.condition.charge:
        made["told_ah"] = house.condition.charge.capacity_ah
    if report.offset_a:
        made["offset_a"] = report.offset_a.value
    return made
