"""What the meter itself has counted, beside its power. It never spoils a reading of power."""

from __future__ import annotations

from gridzero_drivers.metering.codec import NoReading, Shape, decode
from gridzero_drivers.metering.path import Path
from gridzero_drivers.mqtt_meter.options import MqttMeterOptions

Counts = tuple[float | None, float | None]
"""Import and export, kWh; None = not said since they were last taken."""

_NOTHING: Counts = (None, None)


class Counters:
    """Keeps what was heard until the next reading takes it along."""

    def __init__(self, options: MqttMeterOptions) -> None:
        self.topic = options.counter_topic or options.topic or ""
        self._scale = options.kwh_scale
        self._shapes = tuple(map(_shape, options.counter_paths()))
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


def _shape(paths: tuple[Path, ...]) -> Shape | None:
    return Shape(paths) if paths else None
