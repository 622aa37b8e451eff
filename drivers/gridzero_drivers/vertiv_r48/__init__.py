"""Vertiv (Emerson) R48-series rectifiers as battery chargers, over CAN at 125 kbit/s."""

from __future__ import annotations

from gridzero.ports.devices import Charger, Role
from gridzero.ports.plugin import DriverContext, DriverPlugin
from gridzero.ports.twins import DeviceTwin, World
from gridzero_drivers.vertiv_r48.driver import VertivR48
from gridzero_drivers.vertiv_r48.explain import explain
from gridzero_drivers.vertiv_r48.offline import R48Offline
from gridzero_drivers.vertiv_r48.options import VertivR48Options
from gridzero_drivers.vertiv_r48.twin import R48Twin
from gridzero_drivers.vertiv_r48.vectors import check_vector


def _build(options: VertivR48Options, context: DriverContext) -> Charger:
    return VertivR48(options, context)


def _twin(options: VertivR48Options, world: World, seed: int) -> DeviceTwin:
    twin = R48Twin(options.module, options.rated_dc_w, world, seed)
    return DeviceTwin(can={options.link: twin}, converters=(twin,))


def _link_names(options: VertivR48Options) -> tuple[tuple[str, str], ...]:
    return (("can", options.link),)


plugin = DriverPlugin(
    name="vertiv_r48",
    summary="Vertiv/Emerson R48 rectifier as a charger (CAN, 125 kbit/s)",
    role=Role.CHARGER,
    options=VertivR48Options,
    build=_build,
    twin=_twin,
    check_vector=check_vector,
    link_names=_link_names,
    switches=lambda options: (options.contactor,) if options.contactor else (),
    addresses=lambda options: ((options.link, f"rectifier {options.module}"),),
    explain=explain,
    offline=R48Offline,
)
