"""Plants x meters x traces x laws, each with the same noise seeds."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from gridzero.bench.control.index import UNKNOWN, Index, Shares
from gridzero.bench.control.laws.law import LawRow, Setting
from gridzero.bench.control.metrics import Metrics, avoidable_error, mean_of, measure
from gridzero.bench.control.plants import MeterRow, PlantRow
from gridzero.bench.control.processes import spread
from gridzero.bench.control.simulate import simulate
from gridzero.bench.control.traces import Trace, TraceRow


@dataclass(frozen=True, slots=True)
class Course:
    """What a picture needs of the first seed: W at each step."""

    trace: Trace
    battery_w: array[float]
    error_w: array[float]


@dataclass(frozen=True, slots=True)
class Result:
    """One law in one case. course: kept only when asked for."""

    law: LawRow
    metrics: Metrics
    shares: Shares
    course: Course | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {
            "law": self.law.name,
            "source": self.law.source,
            **self.metrics.to_dict(),
            "index": self.shares.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One plant, meter and trace with the results of all laws."""

    plant: PlantRow
    meter: MeterRow
    trace: str
    seconds: float
    results: tuple[Result, ...]

    @property
    def title(self) -> str:
        """One line."""
        hours = f"{self.seconds / 3600:.3g} h"
        return f"{self.trace} ({hours}) on {self.plant.name}, meter {self.meter.name}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {
            "plant": self.plant.name,
            "meter": self.meter.name,
            "trace": self.trace,
            "seconds": self.seconds,
            "laws": [result.to_dict() for result in self.results],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to compare. seconds: length of every trace, None = its own.

    with_shares: the index too, which costs as much as a simple law.
    """

    plants: Sequence[PlantRow]
    meters: Sequence[MeterRow]
    traces: Sequence[TraceRow]
    laws: Sequence[LawRow]
    seeds: Sequence[int]
    seconds: float | None = None
    with_shares: bool = True
    keep_courses: bool = False

    def cases(self, jobs: int = 1) -> Iterator[Case]:
        """One after the other, as they are ready; the same whatever the number of processes."""
        heads = list(product(self.plants, self.traces, self.meters))
        tasks = [task for head in heads for task in self._tasks(*head)]
        outcomes = spread(_outcome, tasks, jobs)
        for plant, row, meter in heads:
            results = tuple(self._result(law, outcomes) for law in self.laws)
            yield Case(plant, meter, row.name, self.seconds or row.seconds, results)

    def _tasks(self, plant: PlantRow, row: TraceRow, meter: MeterRow) -> Iterator[_Task]:
        """In the order in which the outcomes are asked for."""
        seconds = self.seconds or row.seconds
        first = self.seeds[0]
        for law in self.laws:
            for seed in self.seeds:
                shares = self.with_shares and seed == first
                course = self.keep_courses and seed == first
                yield _Task(law, plant, meter, row, seed, seconds, shares, course)

    def _result(self, law: LawRow, outcomes: Iterator[_Outcome]) -> Result:
        """Shares are a property of the house as much as of the law: the first seed's."""
        runs = [next(outcomes) for _ in self.seeds]
        shares, course = runs[0].shares, runs[0].course
        return Result(law, mean_of([run.metrics for run in runs]), shares or UNKNOWN, course)


class _Task(NamedTuple):
    """One run; goes to another process and so holds nothing but rows and numbers."""

    law: LawRow
    plant: PlantRow
    meter: MeterRow
    row: TraceRow
    seed: int
    seconds: float
    with_shares: bool
    with_course: bool


class _Outcome(NamedTuple):
    """What is worth sending back."""

    metrics: Metrics
    shares: Shares | None
    course: Course | None


def _outcome(task: _Task) -> _Outcome:
    trace = made(task.row, task.plant, task.seed, task.seconds)
    run = simulate(task.law, Setting(task.plant, task.meter, trace), task.seed)
    shares = course = None
    if task.with_shares:
        shares = _index(task.row, task.plant, task.seed, task.seconds).shares(run.battery_w)
    if task.with_course:
        course = Course(trace, run.battery_w, avoidable_error(run))
    return _Outcome(measure(run), shares, course)


@lru_cache(maxsize=2)
def made(row: TraceRow, plant: PlantRow, seed: int, seconds: float) -> Trace:
    """The trace; the last two are kept, since all laws run the same one in turn."""
    return row.make(plant, seed, seconds)


@lru_cache(maxsize=2)
def _index(row: TraceRow, plant: PlantRow, seed: int, seconds: float) -> Index:
    return Index(plant, made(row, plant, seed, seconds).net_load_w)
