"""What every meter driver does with readings and with what is none."""

from __future__ import annotations

from collections.abc import Callable

from gridzero.domain.readings import MeterReading
from gridzero.ports.plugin import Report


class Desk:
    """Keeps the newest reading, tells listeners, and tells people of garbage once per change."""

    def __init__(self, report: Report) -> None:
        self.latest: MeterReading | None = None
        self._report = report
        self._listeners: list[Callable[[MeterReading], None]] = []
        self._blamed: set[str] = set()

    def on_reading(self, listener: Callable[[MeterReading], None]) -> None:
        """Call listener at once for each new reading."""
        self._listeners.append(listener)

    def publish(self, reading: MeterReading) -> None:
        """A new reading; whatever was blamed on the whole meter is forgiven."""
        self.latest = reading
        self.praise("")
        for listener in self._listeners:
            listener(reading)

    def blame(self, subject: str, text: str) -> None:
        """What subject said cannot be used. subject: a topic, "" = the whole meter."""
        if subject not in self._blamed:
            self._blamed.add(subject)
            self._report("meter_garbage", active=True, text=text, subject=subject)

    def praise(self, subject: str) -> None:
        """What subject says can be used."""
        if subject in self._blamed:
            self._blamed.remove(subject)
            self._report("meter_garbage", active=False, subject=subject)
