"""What the simulated house is like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gridzero.app import App
from gridzero.config.loader import Loaded
from gridzero.demo.panels import PanelsTwin
from gridzero.domain.decision import Decision
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot
from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin, Options
from gridzero.ports.twins import DeviceTwin
from gridzero.sim.house import House, Reach
from gridzero.sim.household import Household
from gridzero.sim.pack import Pack
from gridzero.sim.sources import PowerSource, Sun

_PANELS = "(panels)"  # no device can be called so
_BATTERY_REASONS = frozenset(
    {
        Because.CELL_FULL,
        Because.CELL_HIGH,
        Because.CELL_OVER,
        Because.SOC_HIGH,
        Because.SOC_LOW,
        Because.CELL_EMPTY,
        Because.CELL_LOW,
        Because.CELL_UNDER,
        Because.TOO_COLD,
        Because.TOO_HOT,
    }
)
_FREE = frozenset(
    {
        Because.COVERING_LOAD,
        Because.STORING_SURPLUS,
        Because.BALANCED,
        Because.MODE_CHARGE,
        Because.MODE_DISCHARGE,
        Because.MODE_HOLD,
        Because.MODE_OFF,
        Because.TARGET_TOPIC,
        Because.STOPPING,
    }
)


@dataclass(slots=True, kw_only=True)
class Scene:
    """load, sun: W over the time of day. start_h: hour of the day at the start. soc: 0..1."""

    load: PowerSource = field(default_factory=Household)
    sun: PowerSource = field(default_factory=lambda: Sun(peak_w=2500.0))
    start_h: float = 11.0
    soc: float = 0.5
    temp_c: float = 18.0
    seed: int = 1


def build_house(app: App, scene: Scene) -> House:
    """A house whose battery has the modules that the configuration names."""
    cells = app.site.parts.cells
    modules = {m.name: len(m.cell_v) for m in cells.modules()} if cells else {}
    pack = Pack(modules or {"a1": 12}, soc=scene.soc, temp_c=scene.temp_c, seed=scene.seed)
    return House(
        scene.load, scene.sun, pack, reach=_full_reach(app), time_of_day_s=scene.start_h * 3600
    )


def build_twins(
    loaded: Loaded, plugins: Mapping[str, DriverPlugin], house: House, seed: int
) -> dict[str, DeviceTwin]:
    """The simulated end of each configured device, and of the panels if they are told of."""
    twins: dict[str, DeviceTwin] = {}
    for number, (name, options) in enumerate(loaded.device_options.items()):
        plugin = plugins[loaded.config.devices[name]["driver"]]
        world = house.behind(*_contactors(loaded, plugin, options))
        twins[name] = plugin.twin(options, world, seed + number)
    if (panels := loaded.config.production) is not None:
        twins[_PANELS] = DeviceTwin(mqtt=(PanelsTwin(panels.topic, panels.scale, house),))
    house.switches.update({name: t.switch for name, t in twins.items() if t.switch is not None})
    return twins


def _contactors(loaded: Loaded, plugin: DriverPlugin, options: Options) -> tuple[str, ...]:
    """What lies between a device and the cells: its own contactor and that of the battery."""
    if plugin.role not in {Role.CHARGER, Role.INVERTER}:
        return ()
    main = loaded.config.battery.contactor
    return (*plugin.switches(options), *((main,) if main else ()))


class Watcher:
    """Counts the seconds of each reason that kept power from where it should have been."""

    def __init__(self, app: App, house: House) -> None:
        self._house, self._full = house, _full_reach(app)
        self._last_s: float | None = None
        self.limits_s: dict[str, float] = {}
        self.faults: list[str] = []
        app.site.on_decision(self._note)
        app.faults.on_event(
            lambda e: self.faults.append(f"{e.code} {e.subject}: {e.text}") if e.active else None
        )

    def _note(self, now: Snapshot, decision: Decision) -> None:
        if self._last_s is not None and decision.because not in _FREE:
            code = decision.because.value
            self.limits_s[code] = self.limits_s.get(code, 0.0) + now.now_s - self._last_s
        self._last_s = now.now_s
        self._house.reach = self._reach(decision)

    def _reach(self, decision: Decision) -> Reach:
        """What the cells forbid is not avoidable; what anything else forbids is."""
        reach = self._full
        if decision.discharge_because in _BATTERY_REASONS:
            reach = replace(reach, max_discharge_w=min(decision.discharge_w, reach.max_discharge_w))
        if decision.charge_because in _BATTERY_REASONS:
            reach = replace(reach, max_charge_w=min(decision.charge_w, reach.max_charge_w))
        return reach


def _full_reach(app: App) -> Reach:
    parts, profile = app.site.parts, app.site.rules.profile
    return Reach(
        max_discharge_w=sum(unit.spec.max_w for unit in parts.inverters),
        max_charge_w=sum(unit.spec.max_w for unit in parts.chargers),
        empty_cell_v=profile.empty_cell_v,
        full_cell_v=profile.full_cell_v,
    )
