"""State of charge on measured drive cycles, with everything wrong that usually is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gridzero.battery.cells.catalogue import NCA
from gridzero.battery.estimation.estimator import Estimator
from gridzero.battery.estimation.memory import VERSION
from gridzero.battery.estimation.settings import Window
from gridzero.bench.battery.errors import HEADER, Errors, Point, cells, errors, plain
from gridzero.bench.battery.records import AGED_AH, Cycle, Sample, cycles
from gridzero.bench.battery.section import Section
from gridzero.domain.readings import ModuleReading, Temperature

SHUNT_SIGMA_A = 0.25
WRONG_START = 0.20
START_SIGMA = 0.10
_WINDOW = Window(full_v=4.15, empty_v=3.0)
_QUICK_S = 1200.0


class Case(NamedTuple):
    """What is made wrong. offset_a: of the shunt. start: added to the state of charge at first."""

    name: str
    offset_a: float
    start: float


CASES = (
    Case("true", 0.0, 0.0),
    Case("start -20 %, +250 mA", SHUNT_SIGMA_A, -WRONG_START),
    Case("start -20 %, -250 mA", -SHUNT_SIGMA_A, -WRONG_START),
)


def drive_section(data: Path, *, quick: bool = False) -> Section:
    """All files times all cases. Raises ConfigError."""
    rows: list[tuple[str, ...]] = []
    figures: dict[str, dict[str, object]] = {}
    for cycle in _with_aged(cycles(data, _QUICK_S if quick else None)):
        for case in CASES[1:] if quick else CASES:
            found = errors(estimated(cycle.samples, case, cycle.capacity_ah))
            rows.append((cycle.name, case.name, *cells(found), cycle.note, _judged(cycle, found)))
            figures[f"{cycle.name}, {case.name}"] = {**plain(found), "note": cycle.note}
    return Section(
        "State of charge on drive cycles of a Panasonic NCR18650PF (2.9 Ah)",
        ("cycle", "wrong", *HEADER, "file", "rms <= 1.5 %"),
        tuple(rows),
        dict(figures),
    )


def _with_aged(files: Iterable[Cycle]) -> Iterator[Cycle]:
    """Files whose truth is of a younger cell come a second time, with their own capacity."""
    for cycle in files:
        yield cycle
        if cycle.name in AGED_AH:
            yield cycle.counted_with(AGED_AH[cycle.name], NCA.capacity_ah)


def estimated(
    samples: Sequence[Sample], case: Case, capacity_ah: float | None = None
) -> list[Point]:
    """Run the estimator over one file. capacity_ah: as if ageing had shown it."""
    estimator = Estimator(NCA, _WINDOW)
    if capacity_ah is not None:
        estimator.calibrate("b1", capacity_ah=(capacity_ah,))
    start = samples[0].soc + case.start
    estimator.restore(remembered({"b1": [start]}, NCA.name), 0.0)
    return [_point(estimator, sample, case.offset_a) for sample in samples]


def remembered(modules: dict[str, list[float]], kind: str) -> dict[str, object]:
    """A stored state with these states of charge, each said to be true within START_SIGMA."""
    stored = {
        name: {"cells": [[soc, START_SIGMA, 0.0] for soc in socs]} for name, socs in modules.items()
    }
    return {"version": VERSION, "cell": kind, "modules": stored}


def _point(estimator: Estimator, sample: Sample, offset_a: float) -> Point:
    at_s, temp_c = sample.time_s, sample.temp_c
    reading = ModuleReading(
        bus="b",
        number=1,
        cell_v=(sample.volts,),
        cell_at_s=(at_s,),
        temps=(Temperature(temp_c, temp_c),),
        temp_at_s=at_s,
    )
    charge = estimator.update([reading], sample.current_a + offset_a, SHUNT_SIGMA_A, at_s)
    if charge is None:
        return Point(at_s, 1.0, 1.0)
    cell = charge.modules["b1"].cells[0]
    return Point(at_s, cell.soc - sample.soc, cell.sigma)


def _judged(cycle: Cycle, found: Errors) -> str:
    if cycle.goal is None:
        return "-"
    return "met" if found.rms <= cycle.goal else "MISSED"
