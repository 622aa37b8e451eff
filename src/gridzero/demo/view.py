"""What the live view shows, gathered from the site and, for what no meter sees, the house."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gridzero.app import App
from gridzero.control.score import HOUR_MIN
from gridzero.domain.events import Event
from gridzero.domain.faults import FAULTS
from gridzero.domain.reasons import REASONS
from gridzero.domain.snapshot import ConverterView, Snapshot
from gridzero.outputs.battery_words import outlook_of
from gridzero.outputs.score import in_words
from gridzero.sim.house import House
from gridzero.sim.live_view import UnitRow, ViewState


def view_of(
    app: App, house: House, speed: float | None = None, *, told: str = ""
) -> Callable[[], ViewState]:
    """A function that tells the view's state now. Load, sun and clock are the house's own."""

    def state() -> ViewState:
        clock = _clock(house.time_of_day_s + house.now_s)
        if app.site.last is None:
            return ViewState(
                seconds=house.now_s, clock=clock, speed=speed, because="starting", told=told
            )
        now, decision = app.site.last
        battery, charge = now.battery, now.condition.charge
        return ViewState(
            seconds=house.now_s,
            clock=clock,
            speed=speed,
            meter_age_s=app.clock.now_s() - now.meter.received_at_s if now.meter else None,
            mode=now.wanted.mode.value,
            because=REASONS[decision.because],
            grid_w=now.meter.grid_w if now.meter else None,
            load_w=house.load_w,
            pv_w=house.pv_w,
            battery_w=house.battery_w,
            pack_v=battery.pack_v if battery else None,
            pack_a=now.shunt.current_a if now.shunt else None,
            soc=charge.soc if charge else None,
            soc_sigma=charge.sigma if charge else None,
            outlook=outlook_of(now.condition, app.site.battery.health()),
            min_cell_v=battery.min_cell_v if battery else None,
            max_cell_v=battery.max_cell_v if battery else None,
            min_cell=battery.min_cell if battery else "",
            max_cell=battery.max_cell if battery else "",
            low_c=battery.low_c if battery else None,
            high_c=battery.high_c if battery else None,
            charge_w=decision.charge_w,
            discharge_w=decision.discharge_w,
            charge_because=decision.charge_because.replace("_", " "),
            discharge_because=decision.discharge_because.replace("_", " "),
            units=tuple(_units(now)),
            modules=now.modules,
            faults=tuple(_faults(app)),
            score=in_words(app.site.score.figures(HOUR_MIN)),
            told=told,
        )

    return state


def _clock(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _units(now: Snapshot) -> Iterator[UnitRow]:
    for unit in (*now.inverters, *now.chargers):
        yield UnitRow(unit.name, "silent" if unit.silent else unit.state.value, _ac_w(unit))


def _ac_w(unit: ConverterView) -> float | None:
    return unit.reading.ac_w if unit.reading else None


def _faults(app: App) -> Iterator[Event]:
    for fault in app.faults.active:
        row = FAULTS[fault.code]
        yield Event(
            fault.since_s, fault.code, fault.subject, row.severity, fault.text, fault.remedy
        )
