"""The devices of a site by what they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gridzero.ports.devices import (
    CellMonitor,
    Converter,
    CurrentSensor,
    Device,
    Meter,
    Role,
    Switch,
)


@dataclass(slots=True)
class Parts:
    """One meter, at most one cell monitor and shunt, any number of converters."""

    meter: Meter
    cells: CellMonitor | None = None
    shunt: CurrentSensor | None = None
    chargers: list[Converter] = field(default_factory=list)
    inverters: list[Converter] = field(default_factory=list)
    switches: dict[str, Switch] = field(default_factory=dict)

    def all(self) -> Iterable[Device]:
        """Every device, actuators first: the order in which they are told to stop.

        Switches come last. They are stopped after all others: a contactor opens behind a
        rectifier that gives nothing any more.
        """
        yield from self.inverters
        yield from self.chargers
        if self.cells is not None:
            yield self.cells
        if self.shunt is not None:
            yield self.shunt
        yield self.meter
        yield from self.switches.values()


def sort_parts(devices: Iterable[tuple[Role, Device]]) -> Parts:
    """Put each device in its place. Raises ValueError unless there is exactly one meter."""
    by_role: dict[Role, list[Device]] = {}
    for role, device in devices:
        by_role.setdefault(role, []).append(device)
    meters = [d for d in by_role.get(Role.METER, []) if isinstance(d, Meter)]
    if len(meters) != 1:
        raise ValueError(f"a site has exactly one meter, not {len(meters)}")
    return Parts(
        meter=meters[0],
        cells=next((d for d in by_role.get(Role.CELLS, []) if isinstance(d, CellMonitor)), None),
        shunt=next((d for d in by_role.get(Role.SHUNT, []) if isinstance(d, CurrentSensor)), None),
        chargers=[d for d in by_role.get(Role.CHARGER, []) if isinstance(d, Converter)],
        inverters=[d for d in by_role.get(Role.INVERTER, []) if isinstance(d, Converter)],
        switches={d.name: d for d in by_role.get(Role.SWITCH, []) if isinstance(d, Switch)},
    )
