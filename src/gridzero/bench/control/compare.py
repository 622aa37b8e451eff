"""Plants x meters x traces x laws, each with the same noise seeds."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gridzero.bench.control.index import Index, Shares
from gridzero.bench.control.laws.law import LawRow, Setting
from gridzero.bench.control.metrics import Metrics, avoidable_error, mean_of, measure
from gridzero.bench.control.plants import MeterRow, PlantRow
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
    """What to compare. seconds: length of every trace, None = its own."""

    plants: Sequence[PlantRow]
    meters: Sequence[MeterRow]
    traces: Sequence[TraceRow]
    laws: Sequence[LawRow]
    seeds: Sequence[int]
    seconds: float | None = None
    keep_courses: bool = False

    def cases(self) -> Iterator[Case]:
        """One after the other, as they are ready."""
        for plant in self.plants:
            for row in self.traces:
                seconds = self.seconds or row.seconds
                traces = [row.make(plant, seed, seconds) for seed in self.seeds]
                indices = [Index(plant, trace.net_load_w) for trace in traces]
                for meter in self.meters:
                    results = tuple(
                        self._result(law, plant, meter, traces, indices) for law in self.laws
                    )
                    yield Case(plant, meter, row.name, seconds, results)

    def _result(
        self,
        law: LawRow,
        plant: PlantRow,
        meter: MeterRow,
        traces: Sequence[Trace],
        indices: Sequence[Index],
    ) -> Result:
        runs = [
            simulate(law, Setting(plant, meter, trace), seed)
            for trace, seed in zip(traces, self.seeds, strict=True)
        ]
        course = None
        if self.keep_courses:
            course = Course(traces[0], runs[0].battery_w, avoidable_error(runs[0]))
        # shares are a property of the house as much as of the law: the first seed's
        shares = indices[0].shares(runs[0].battery_w)
        return Result(law, mean_of([measure(run) for run in runs]), shares, course)
