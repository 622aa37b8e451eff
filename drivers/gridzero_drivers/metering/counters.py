"""What the meter itself has counted, beside its power. It never spoils a reading of power."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field, FiniteFloat

from gridzero.domain.readings import MeterReading
from gridzero.ports.plugin import Options
from gridzero_drivers.metering.codec import Form, NoReading, Shape, decode
from gridzero_drivers.metering.path import Path, parse
from gridzero_drivers.metering.places import JsonPath

JsonPaths = JsonPath | tuple[JsonPath, ...]


class Counting(Options):
    """Where the meter's own counters stand.

    import_kwh_path, export_kwh_path: several are summed (tariffs). kwh_scale: kWh per unit of them.
    """

    import_kwh_path: JsonPaths | None = None
    export_kwh_path: JsonPaths | None = None
    kwh_scale: FiniteFloat = Field(default=1.0, gt=0)

    def counter_paths(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Where import and export are counted; empty = nowhere."""
        return _all(self.import_kwh_path), _all(self.export_kwh_path)


class Counters:
    """Keeps what was heard until the next reading takes it along."""

    def __init__(self, options: Counting, form: Form = "json") -> None:
        self._scale = options.kwh_scale
        self._shapes = tuple(
            Shape(paths, form=form) if paths else None for paths in options.counter_paths()
        )
        self._heard: list[float | None] = [None, None]

    @property
    def are_wanted(self) -> bool:
        """Whether any counter is configured."""
        return any(self._shapes)

    def hear(self, payload: bytes) -> None:
        """Take a message; what is no number leaves what was heard before."""
        for direction, shape in enumerate(self._shapes):
            counted = self._counted(payload, shape)
            if counted is not None:
                self._heard[direction] = counted

    def onto(self, reading: MeterReading) -> MeterReading:
        """The reading with what was heard since the one before it."""
        (import_kwh, export_kwh), self._heard = self._heard, [None, None]
        if import_kwh is None and export_kwh is None:
            return reading
        return replace(reading, import_kwh=import_kwh, export_kwh=export_kwh)

    def _counted(self, payload: bytes, shape: Shape | None) -> float | None:
        """Tariffs are summed; one that is missing makes the sum unknown."""
        content = decode(payload, shape) if shape else NoReading.PATH_MISSING
        return None if isinstance(content, NoReading) else sum(content.numbers) * self._scale


def _all(paths: JsonPaths | None) -> tuple[Path, ...]:
    if paths is None:
        return ()
    return tuple(parse(text) for text in ((paths,) if isinstance(paths, str) else paths))
