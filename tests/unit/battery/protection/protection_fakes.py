"""A healthy battery of three modules, and one that is made ill field by field."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from gridzero.battery.limits import Ratings
from gridzero.battery.profile import VW_GTE_12S, Profile
from gridzero.battery.protection.engine import Protection
from gridzero.battery.protection.watched import Watched
from gridzero.battery.view import BatteryViewer
from gridzero.domain.alarms import Alarm, Level
from gridzero.domain.battery import CurrentLimits
from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge
from gridzero.domain.readings import CurrentReading, ModuleReading, Temperature
from gridzero.domain.reasons import Because
from gridzero.domain.trust import UNTROUBLED, Blame, CellDoubt, Oddity, Trust

RATINGS = Ratings(max_charge_a=30.0, max_discharge_a=30.0, max_module_a=12.0)
STEP_S = 0.5


def limits(charge_a: float = 30.0, discharge_a: float = 30.0) -> CurrentLimits:
    because = Because.CURRENT_LIMIT
    return CurrentLimits(
        charge_a=charge_a,
        discharge_a=discharge_a,
        charge_because=because,
        discharge_because=because,
        max_v=49.2,
    )


def doubt(module: str, cell: int, blame: Blame, **changes: Any) -> CellDoubt:
    made = CellDoubt(
        module=module,
        cell=cell,
        oddity=Oddity.OFFSET,
        blame=blame,
        reading_v=2.58,
        estimate_v=3.70,
        within_v=0.02,
        text=f"cell {module}.{cell} reads oddly",
    )
    return replace(made, **changes)


def trust_of(*doubts: CellDoubt, **changes: Any) -> Trust:
    return replace(Trust(cells={d.name: d for d in doubts}), **changes)


def charge_of(
    volts: dict[str, list[float]],
    *,
    at_s: float = 0.0,
    soc: float = 0.5,
    sigma: float = 0.02,
    module_a: dict[str, float] | None = None,
) -> BatteryCharge:
    amps = module_a or {}
    modules = {
        name: ModuleCharge(
            name=name,
            cells=tuple(CellCharge(soc, sigma, v, 0.003) for v in cells),
            current_a=amps.get(name, 0.0),
        )
        for name, cells in volts.items()
    }
    return BatteryCharge(
        at_s=at_s,
        soc=soc,
        sigma=sigma,
        capacity_ah=75.0,
        out_ah=37.0,
        in_ah=37.0,
        out_wh=1600.0,
        in_wh=1600.0,
        to_empty_s=None,
        to_full_s=None,
        is_full=False,
        is_empty=False,
        anchored_s=None,
        modules=modules,
    )


@dataclass
class Battery:
    """Change a field, let time pass, and see what the protections say."""

    profile: Profile = VW_GTE_12S
    cell_v: dict[str, list[float | None]] = field(
        default_factory=lambda: {name: [3.70] * 12 for name in ("a3", "b1", "b2")}
    )
    temp_c: dict[str, float] = field(default_factory=dict)
    bleeding: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    current_a: float | None = 0.0
    now_s: float = 1000.0
    trust: Trust = UNTROUBLED
    watched: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.protection = Protection(self.profile.rules)
        self._viewer = BatteryViewer(self.profile)
        self._heard_s = dict.fromkeys(self.cell_v, self.now_s)
        self.alarms: tuple[Alarm, ...] = ()

    def after(self, seconds: float) -> tuple[Alarm, ...]:
        """What is said after so long of ticks every half second."""
        for _ in range(max(1, round(seconds / STEP_S))):
            self.now_s += STEP_S
            self.alarms = self.protection.update(self.look())
        return self.alarms

    def first(self, code: str, within_s: float) -> dict[Level, float]:
        """After how many seconds each level of a code is said."""
        began_s, found = self.now_s, dict[Level, float]()
        while self.now_s - began_s < within_s:
            for alarm in self.after(STEP_S):
                if alarm.code == code:
                    found.setdefault(alarm.level, self.now_s - began_s)
        return found

    def said(self, code: str) -> Alarm:
        """The one alarm of a code."""
        (alarm,) = [alarm for alarm in self.alarms if alarm.code == code]
        return alarm

    def told(self, code: str) -> bool:
        return code in self.codes

    @property
    def codes(self) -> set[str]:
        return {alarm.code for alarm in self.alarms}

    def look(self) -> Watched:
        modules = tuple(self._module(name) for name in self.cell_v)
        shunt = None if self.current_a is None else CurrentReading(self.now_s, self.current_a)
        told: dict[str, Any] = {
            "told_charge_a": max(0.0, -(self.current_a or 0.0)),
            "limits": limits(),
        }
        told["running_s"] = self.now_s
        return Watched(
            now_s=self.now_s,
            view=self._viewer.view(modules, self.now_s, self.trust),
            modules=modules,
            ratings=RATINGS,
            trust=self.trust,
            shunt=shunt,
            **{**told, **self.watched},
        )

    def _module(self, name: str) -> ModuleReading:
        if name not in self.silent:
            self._heard_s[name] = self.now_s
        cells = tuple(self.cell_v[name])
        temp_c = self.temp_c.get(name, 20.0)
        suspect = sum(1 << i for i, v in enumerate(cells) if v is not None and not 1.5 <= v <= 4.5)
        return ModuleReading(
            bus=name[0],
            number=int(name[1:]),
            cell_v=cells,
            cell_at_s=(self._heard_s[name],) * len(cells),
            temps=(Temperature(temp_c - 3.0, temp_c),),
            temp_at_s=self._heard_s[name],
            bleeding=self.bleeding.get(name, 0),
            suspect=suspect,
        )
