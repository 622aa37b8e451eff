"""What the meter itself has counted, beside its power. It never spoils a reading of power."""

from __future__ import annotations

from gridzero_drivers.metering.codec import Form, NoReading, Shape, decode
from gridzero_drivers.metering.path import Path

Counted = tuple[tuple[Path, ...], tuple[Path, ...]]
"""Where import and export are counted."""

Counts = tuple[float | None, float | None]
"""Import and export, kWh; None = not said since they were last taken."""

_NOTHING: Counts = (None, None)


class Counters:
    """Keeps what was heard until the next reading takes it along.

    paths: of import and of export; empty = nowhere. scale: kWh per unit of them.
    """

    def __init__(self, paths: Counted, scale: float, form: Form = "json") -> None:
        self._scale = scale
        self._shapes = tuple(_shape(each, form) for each in paths)
        self._heard = _NOTHING

    @property
    def are_wanted(self) -> bool:
        """Whether any counter is configured."""
        return any(self._shapes)

    def hear(self, payload: bytes) -> None:
        """Take a message of the topic; what is no number leaves what was heard before."""
        bought, sold = (self._counted(payload, shape) for shape in self._shapes)
        self._heard = (
            self._heard[0] if bought is None else bought,
            self._heard[1] if sold is None else sold,
        )

    def take(self) -> Counts:
        """What was heard, once."""
        heard, self._heard = self._heard, _NOTHING
        return heard

    def _counted(self, payload: bytes, shape: Shape | None) -> float | None:
        """Tariffs are summed; one that is missing makes the sum unknown."""
        content = decode(payload, shape) if shape else NoReading.PATH_MISSING
        return None if isinstance(content, NoReading) else sum(content.numbers) * self._scale


def _shape(paths: tuple[Path, ...], form: Form) -> Shape | None:
    return Shape(paths, form=form) if paths else None
