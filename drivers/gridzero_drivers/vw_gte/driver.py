"""Battery modules on one or more CAN buses; meets ports.devices.CellMonitor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from gridzero.domain.readings import ModuleReading
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.vw_gte.balancing import cells_text
from gridzero_drivers.vw_gte.bus import GteBus
from gridzero_drivers.vw_gte.module import Module, Rules
from gridzero_drivers.vw_gte.options import VwGteOptions

log = structlog.get_logger()

_AGREE_POLLS = 2.5  # two poll periods and some jitter


class VwGteCells:
    """Cell voltages, temperatures and balancing of VW battery modules.

    Modules are known by bus and number: packs share numbers, so a number alone names nothing.
    """

    def __init__(self, options: VwGteOptions, context: DriverContext) -> None:
        self.name = context.name
        rules = Rules(
            min_v=options.plausible_min_v,
            max_v=options.plausible_max_v,
            agree_s=_AGREE_POLLS * options.poll_period_s,
        )
        self._modules = tuple(Module(member, rules) for member in options.members())
        self._by_name = {module.name: module for module in self._modules}
        self._buses = tuple(
            GteBus(
                key,
                context.links.can(bus.link),
                [module for module in self._modules if module.member.bus == key],
                options,
                context,
            )
            for key, bus in options.buses.items()
        )
        self._orders = {name: order for bus in self._buses for name, order in bus.orders.items()}
        self._refused: dict[str, int] = {}

    def expected(self) -> Sequence[str]:
        """See ports.devices.CellMonitor."""
        return tuple(self._by_name)

    def modules(self) -> Sequence[ModuleReading]:
        """See ports.devices.CellMonitor. Cheap: unchanged modules are not built again."""
        return tuple([module.reading() for module in self._modules])

    def bleed(self, cells: Mapping[str, int], until_s: float) -> None:
        """See ports.devices.CellMonitor. Sent with the next poll, within one poll period."""
        self._refuse_the_impossible(cells)
        for name, order in self._orders.items():
            order.ask(max(0, cells.get(name, 0)) & self._by_name[name].all_cells, until_s)

    def _refuse_the_impossible(self, cells: Mapping[str, int]) -> None:
        refused = {name: cells[name] & ~self._possible(name) for name in cells}
        refused = {name: mask for name, mask in refused.items() if mask}
        for name, mask in refused.items():
            if self._refused.get(name) != mask:
                log.warning("balancing.refused", module=name, cells=_refused_text(mask))
        self._refused = refused

    def _possible(self, name: str) -> int:
        return self._by_name[name].all_cells if name in self._orders else 0

    async def run(self) -> None:
        """Serve all buses until cancelled. A bus that fails or is silent leaves the others be."""
        async with asyncio.TaskGroup() as buses:
            for bus in self._buses:
                buses.create_task(bus.run(), name=f"{self.name}.{bus.key}")

    async def stop(self) -> None:
        """End balancing on every bus; about 30 ms, also with dead buses. Raises nothing."""
        for order in self._orders.values():
            order.ask(0, 0.0)
        async with asyncio.TaskGroup() as buses:
            for bus in self._buses:
                buses.create_task(bus.end_balancing(), name=f"{self.name}.{bus.key}.end")


def _refused_text(mask: int) -> str:
    return cells_text(mask) if mask > 0 else str(mask)
