"""Readings and charges made by hand for these tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridzero.bench.battery.household import plain_charge
from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.domain.trust import Blame, CellDoubt, Oddity


def reading(
    name: str, volts: Sequence[float | None], now_s: float, temp_c: float = 25.0, bleeding: int = 0
) -> ModuleReading:
    return ModuleReading(
        bus=name[0],
        number=int(name[1:]),
        cell_v=tuple(volts),
        cell_at_s=(now_s,) * len(volts),
        temps=(Temperature(temp_c, temp_c),),
        temp_at_s=now_s,
        bleeding=bleeding,
    )


def charge(
    at_s: float,
    socs: Mapping[str, Sequence[float]],
    *,
    sigma: float = 0.005,
    curve_sigma: float = 0.0,
    anchored: bool = False,
    current_a: float = 0.0,
) -> BatteryCharge:
    modules = {
        name: ModuleCharge(
            name=name,
            cells=tuple(CellCharge(soc, sigma, 3.7, 0.0027, curve_sigma) for soc in cells),
            current_a=current_a / len(socs),
        )
        for name, cells in socs.items()
    }
    return plain_charge(at_s, 0.5, modules, at_s if anchored else None)


def misread(module: str, cell: int) -> CellDoubt:
    return CellDoubt(
        module=module,
        cell=cell,
        oddity=Oddity.OFFSET,
        blame=Blame.SENSOR,
        reading_v=2.58,
        estimate_v=3.72,
        within_v=0.01,
        text="It reads 2.58 V, the other modules say 3.72 V.",
    )
