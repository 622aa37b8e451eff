"""State of charge on the simulated battery: known truth at any temperature.

The simulated cells have a curve, resistance and capacities of their own, which the estimator's
cell ``vw_gte`` does not share: its curve is up to 20 mV off in the middle and 90 mV at the bottom.
That is what an owner has who never measured a curve. The rows "own curve" show what a measured one
is worth: there the estimator has the curve of the simulated cells, and all else is as wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from gridzero.battery.cells.catalogue import VW_GTE
from gridzero.battery.cells.model import CellModel
from gridzero.battery.estimation.estimator import Estimator
from gridzero.battery.estimation.settings import Window
from gridzero.battery.profile import VW_GTE_12S
from gridzero.bench.battery.errors import HEADER, Point, cells, errors, plain
from gridzero.bench.battery.section import Section
from gridzero.bench.battery.soc import CASES, SHUNT_SIGMA_A, Case, remembered
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.sim.pack import Pack, rest_v

TEMPS_C = (-10.0, 10.0, 25.0, 40.0)
_GOALS = {-10.0: 3.0}
_GOAL = 1.5
_CELLS, _MODULES = 12, ("b1", "b2")
_START = 0.88
_DRIVE_S, _QUICK_S = 10_800.0, 900.0
_NOISE_V = 0.0005


def twin_section(*, quick: bool = False) -> Section:
    """Temperatures times wrong starts and offsets."""
    rows: list[tuple[str, ...]] = []
    figures: dict[str, dict[str, float | None]] = {}
    for temp_c in TEMPS_C[2:3] if quick else TEMPS_C:
        for curve, case in (("own", CASES[1]), *(("published", case) for case in CASES[1:])):
            cell = own_curve() if curve == "own" else VW_GTE
            found = errors(drive(cell, temp_c, case, _QUICK_S if quick else _DRIVE_S))
            goal = _GOALS.get(temp_c, _GOAL)
            judged = "met" if found.rms <= goal else "MISSED"
            rows.append((f"{temp_c:g} degC", curve, case.name, *cells(found), f"{goal:g}", judged))
            figures[f"{temp_c:g} degC, {curve} curve, {case.name}"] = plain(found)
    return Section(
        "State of charge on the simulated battery, 24 cells read in steps of 1 mV",
        ("temperature", "curve", "wrong", *HEADER, "goal %", ""),
        tuple(rows),
        dict(figures),
    )


def own_curve() -> CellModel:
    """``vw_gte`` with the curve of the simulated cells, as if it had been measured."""
    ocv = tuple((i / 20, rest_v(i / 20)) for i in range(21))
    return replace(VW_GTE, ocv=ocv, ocv_sigma_v=0.005)


def drive(cell_model: CellModel, temp_c: float, case: Case, seconds: float) -> list[Point]:
    """Down from nearly full, changing every 5 to 60 s, some of it charging; every cell counts."""
    pack = Pack(dict.fromkeys(_MODULES, _CELLS), soc=_START, temp_c=temp_c, seed=7)
    estimator = Estimator(cell_model, Window.of(VW_GTE_12S))
    wrong = {n: [soc + case.start for soc in pack.cell_soc(n)] for n in _MODULES}
    estimator.restore(remembered(wrong, VW_GTE.name), 0.0)
    dice = Random(11)
    points: list[Point] = []
    for at_s, current_a in enumerate(_currents(dice, int(seconds))):
        pack.advance(1.0, current_a)
        readings = [_read(pack, number, float(at_s), dice) for number in (1, 2)]
        shown_a = current_a + case.offset_a
        charge = estimator.update(readings, shown_a, SHUNT_SIGMA_A, float(at_s))
        if charge is not None:
            points += [
                Point(float(at_s), cell.soc - soc, cell.sigma)
                for name in _MODULES
                for cell, soc in zip(charge.modules[name].cells, pack.cell_soc(name), strict=True)
            ]
    return points


def _currents(dice: Random, seconds: int) -> Iterator[float]:
    """Of both modules together, A; a quarter of the capacity an hour on average."""
    left_s, current_a = 0, 0.0
    for _ in range(seconds):
        if left_s <= 0:
            left_s, current_a = dice.randint(5, 60), dice.triangular(-30.0, 60.0, 6.0)
        left_s -= 1
        yield current_a


def _read(pack: Pack, number: int, at_s: float, dice: Random) -> ModuleReading:
    """What a module would say: steps of 1 mV and some noise."""
    name = _MODULES[number - 1]
    volts: Sequence[float] = pack.cell_v(name)
    temp_c = round(pack.temp_c(name), 1)
    return ModuleReading(
        bus="b",
        number=number,
        cell_v=tuple(round(v + dice.gauss(0.0, _NOISE_V), 3) for v in volts),
        cell_at_s=(at_s,) * len(volts),
        temps=(Temperature(temp_c, temp_c),),
        temp_at_s=at_s,
    )
