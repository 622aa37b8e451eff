"""Net loads from measured records."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path

from gridzero.bench.control.converters import STEP_S
from gridzero.bench.control.plants import PlantRow
from gridzero.bench.control.traces import HOUR_S, Trace, TraceRow, sampled
from gridzero.sim.sources import Constant, Samples, read_power


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Measured load, measured sun, or both, from files; the missing one counts as 0 W.

    day: part of a load file that has several. peak_w: what a per-unit sun is multiplied with.
    constant_w: sun that never changes, beside the measured one. start_h: hour of the records at
    which the trace begins.
    """

    load: Path | None = None
    sun: Path | None = None
    day: str | None = None
    peak_w: float = 3000.0
    constant_w: float = 0.0
    start_h: float = 0.0

    @property
    def name(self) -> str:
        """From the files' names."""
        words = [path.stem for path in (self.load, self.sun) if path]
        words += [self.day] if self.day else []
        words += [f"minus-{self.constant_w:g}W"] if self.constant_w else []
        return "-".join(words)

    def seconds(self) -> float:
        """From start_h to the end of the load's (or the sun's) record. Raises ConfigError."""
        record = self._loaded() or self._shone()
        return max((record.seconds if record else 0.0) - self.start_h * HOUR_S, STEP_S)

    def __call__(self, _plant: PlantRow, _seed: int, seconds: float) -> Trace:
        """The trace. Raises ConfigError."""
        nothing = Constant(0.0)
        load, sun = self._loaded() or nothing, self._shone() or nothing
        trace = sampled(self.name, load, sun, seconds, start_s=self.start_h * HOUR_S)
        if self.constant_w:
            powers_w = array("d", [power_w - self.constant_w for power_w in trace.net_load_w])
            return Trace(trace.name, powers_w)
        return trace

    def _loaded(self) -> Samples | None:
        return read_power(self.load, day=self.day) if self.load else None

    def _shone(self) -> Samples | None:
        return read_power(self.sun, scale=self.peak_w, repeat=True) if self.sun else None


def from_files(recorded: Recorded, name: str | None = None) -> TraceRow:
    """A row of a record, as long as the record itself. Raises ConfigError."""
    return TraceRow(name or recorded.name, "from files", recorded, recorded.seconds())
