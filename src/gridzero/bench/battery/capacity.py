"""How near the learned capacity comes: on the twin of the battery and on measured cells."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from math import exp, inf, sqrt
from operator import itemgetter
from pathlib import Path
from random import Random
from statistics import fmean, harmonic_mean

from gridzero.battery.ageing.health import StateOfHealth
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.battery.ageing.total_least_squares import TotalLeastSquares
from gridzero.bench.battery.ageing_data import (
    Discharge,
    RestTable,
    nasa_discharges,
    panasonic_discharges,
    rows,
)
from gridzero.bench.battery.household import HouseholdDays, Moment, Scene, plain_charge
from gridzero.bench.battery.section import Section
from gridzero.domain.ageing import Estimate, HealthReport
from gridzero.domain.charge import CellCharge, ModuleCharge
from gridzero.domain.trust import UNTROUBLED

MODULES = {f"b{number}": 12 for number in range(1, 10)}
"""The reference house: nine modules of twelve cells."""
_NASA = ("B0005", "B0006", "B0007", "B0029", "B0030", "B0031")
_DAY_S = 86400.0
_STEP_S = 10.0
_FAST_DAYS = 20.0
_NMC = "LG INR18650HG2"
_NCA = "Panasonic NCR18650PF"


def capacity_sections(data: Path | None, days: float = 10.0) -> Iterator[Section]:
    """The twin always; measured cells when data is a folder with their files."""
    yield twin_section(days)
    if data is not None and data.is_dir():
        made = (nasa_section(data), panasonic_section(data), tbsi_section(data))
        yield from (section for section in made if section is not None)


# --- the twin ---------------------------------------------------------------------------------


def live(days: HouseholdDays) -> StateOfHealth:
    """What was learned after all days of a household."""
    learned = StateOfHealth(AgeingSpec())

    def see(now: Moment) -> None:
        learned.update(now.charge, now.modules, now.current_a, UNTROUBLED, now.now_s)

    days.run(see)
    return learned


_SCENES = (
    ("known", "shares as they are", True, 0.004),
    ("known_other_table", "the same, the table wrong the other way", True, -0.004),
    ("equal", "shares taken as equal", False, 0.004),
)


def twin_section(days: float) -> Section:
    """Days of a household, with the share of each module known and not."""
    figures: dict[str, dict[str, float]] = {}
    table = []
    for key, name, known, table_error in _SCENES:
        scene = Scene(modules=MODULES, days=days, shares_known=known, table_error=table_error)
        house = HouseholdDays(scene)
        house.pack.scale("b2", 0.88)
        errors = _errors(live(house).report(), house)
        figures[key] = {what: round(value, 3) for what, value in errors.items()}
        table.append((name, *(f"{value:+.2f} %" for value in errors.values())))
    return Section(
        f"Capacity after {days:g} days of household use in the twin (250 mA, 1 % gain, 1 mV)",
        ("current of each module", "battery", "worst module", "worst cell in its module"),
        tuple(table),
        figures,
    )


def _errors(report: HealthReport, house: HouseholdDays) -> dict[str, float]:
    """Percent: of the battery, of the worst module, of the worst cell over its module."""
    true = {name: harmonic_mean(house.pack.cell_ah(name)) for name in house.pack.modules}
    modules = [
        one.capacity_ah.value / true[name] - 1.0 if one.capacity_ah else inf
        for name, one in report.modules.items()
    ]
    cells = [
        cell.relative_capacity.value * true[name] / ah - 1.0 if cell.relative_capacity else inf
        for name, one in report.modules.items()
        for cell, ah in zip(one.cells, house.pack.cell_ah(name), strict=True)
    ]
    whole = report.capacity_ah.value / sum(true.values()) - 1.0 if report.capacity_ah else inf
    return {
        "battery_percent": 100.0 * whole,
        "module_percent": 100.0 * max(modules, key=abs),
        "cell_percent": 100.0 * max(cells, key=abs),
    }


# --- measured cells ---------------------------------------------------------------------------


class _OneCell:
    """A single cell as a battery of one module, discharged from full once in twenty days.

    These cells age within weeks, a house's within years: with twenty days from one discharge to
    the next the memory of 60 days holds three of them.
    """

    def __init__(self, nominal_ah: float, table: RestTable) -> None:
        spec = AgeingSpec(module_ah=nominal_ah, offset_sigma_a=0.005)
        self.learned = StateOfHealth(spec)
        self._table = table
        self._start_s = 0.0

    def discharge(self, test: Discharge) -> float:
        """Run a discharge and say what the capacity is now, Ah."""
        self._start_s += _FAST_DAYS * _DAY_S
        self._see(0.0, 0.0, 1.0, 0.01)
        end_s = 0.0
        for (from_s, amps), (until_s, _) in zip(test.samples, test.samples[1:], strict=False):
            while end_s < until_s:
                end_s = min(until_s, max(end_s, from_s) + _STEP_S)
                self._see(_STEP_S + end_s, amps, None, 0.1)
        self._see(2 * _STEP_S + end_s, 0.0, self._table.soc(test.rest_v), 0.015)
        self._see(_DAY_S, 0.0, None, 0.1)  # the count is lost: the rest is over
        return self.learned.cell_ah("x1", 0).value

    def _see(self, at_s: float, current_a: float, soc: float | None, sigma: float) -> None:
        now_s = self._start_s + at_s
        cell = CellCharge(0.5 if soc is None else soc, sigma, 3.6, 0.05)
        module = ModuleCharge(name="x1", cells=(cell,), current_a=current_a)
        anchored_s = None if soc is None else now_s
        charge = plain_charge(now_s, cell.soc, {"x1": module}, anchored_s)
        self.learned.update(charge, (), current_a, UNTROUBLED, now_s)


def nasa_section(data: Path) -> Section | None:
    """NASA cells from new to worn out, discharged at 1C or 2C; None without the files."""
    table = RestTable.read(data, _NMC)
    if table is None:
        return None
    found, figures = [], {}
    for name in _NASA:
        tests = nasa_discharges(data, name)
        if len(tests) < 10:
            continue
        cell = _OneCell(2.0, table)
        tried = list(_foretold(cell, tests, table))
        over = _difference([(learned, ah) for learned, ah, _ in tried])[0]
        off = _difference([(foretold, ah) for _, ah, foretold in tried[1:]])[1]
        found.append((name, str(len(tried)), f"{over:+.1f} %", f"{off:.1f} %"))
        figures[name] = {
            "over_their_capacity_percent": round(over, 2),
            "foretold_rmse_percent": round(off, 2),
        }
    if not found:
        return None
    return Section(
        "Capacity of NASA cells over their life",
        ("cell", "discharges", "over capacity at 1C or 2C", "charge of the next one foretold, rms"),
        tuple(found),
        figures,
    )


def panasonic_section(data: Path) -> Section | None:
    """One Panasonic cell before and after four months of tests; None without the file."""
    table, tests = RestTable.read(data, _NCA), panasonic_discharges(data)
    if table is None or not tests:
        return None
    found, figures = [], {}
    for name, test in tests:
        ah = _OneCell(2.9, table).discharge(test)
        found.append(
            (name, f"{test.ah:.3f} Ah", f"{ah:.3f} Ah", f"{100 * (ah / test.ah - 1):+.1f} %")
        )
        figures[name] = {"cycler_ah": round(test.ah, 3), "learned_ah": round(ah, 3)}
    return Section(
        "Capacity of a Panasonic cell before and after, each from one discharge",
        ("test", "cycler at 1C", "learned", "difference"),
        tuple(found),
        figures,
    )


def tbsi_section(data: Path) -> Section | None:
    """How well the fading memory keeps up with real ageing: a full cycle a day for years.

    Swings are full, with a noise of 0.7 %; None without the file.
    """
    raw = rows(data / "tbsi_sunwoda_nmc811_ageing.parquet", ("cell", "temp_c", "capacity_ah"))
    if not raw:
        return None
    found, figures = [], {}
    by_temp = sorted(raw, key=itemgetter("temp_c"))
    for temp_c, group in groupby(by_temp, key=itemgetter("temp_c")):
        errors = [_keep_up(list(cell)) for cell in _cells(list(group))]
        mean, worst = fmean(one[0] for one in errors), max(one[1] for one in errors)
        found.append((f"{temp_c:g} degC", str(len(errors)), f"{mean:.2f} %", f"{worst:.2f} %"))
        figures[f"{temp_c:g}"] = {"rmse_percent": round(mean, 2), "worst_percent": round(worst, 2)}
    return Section(
        "Keeping up with ageing: NMC cells, one cycle a day until they are worn out",
        ("temperature", "cells", "rms error", "worst"),
        tuple(found),
        figures,
    )


def _cells(group: list[dict[str, float]]) -> Iterator[Iterator[float]]:
    group.sort(key=itemgetter("cell"))  # stable: cycles stay in order
    for _, one in groupby(group, key=itemgetter("cell")):
        yield (row["capacity_ah"] for row in one)


def _keep_up(capacities_ah: list[float]) -> tuple[float, float]:
    """Rms and worst error, percent, after the first twenty cycles."""
    dice = Random(1)
    fit = TotalLeastSquares(Estimate(1.0, 0.15))
    errors = []
    for ah in capacities_ah:
        fit.fade(exp(-1.0 / 60.0))
        fit.add(1.0 + dice.gauss(0.0, 0.007), ah / 1.1, 0.007, 0.002)
        errors.append(100.0 * (fit.estimate.value * 1.1 / ah - 1.0))
    late = errors[20:]
    return sqrt(fmean(one * one for one in late)), max(map(abs, late))


def _foretold(
    cell: _OneCell, tests: list[Discharge], table: RestTable
) -> Iterator[tuple[float, float, float]]:
    """Learned capacity, charge measured, and what was foretold of it, Ah.

    Their capacity ends where the voltage under load does, with a tenth to a third of the charge
    still in a worn cell. What is learned is the charge between rest voltages. So the fair question
    is whether it foretells the charge between the rests of the next discharge.
    """
    before_ah = 2.0
    for test in tests:
        foretold_ah = before_ah * (1.0 - table.soc(test.rest_v))
        before_ah = cell.discharge(test)
        yield before_ah, test.ah, foretold_ah


def _difference(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Mean and rms of one over the other less 1, percent."""
    parts = [100.0 * (one / other - 1.0) for one, other in pairs]
    return fmean(parts), sqrt(fmean(part * part for part in parts))
