"""What a reading must be like to count at all: finite numbers, of the past, that can be true.

One NaN that gets into a sum stays there for ever, and one reading from the future makes every
later one look old. So they are stopped at the door, and what they claim stays unknown: the last
good reading goes on to age, and its age does what it always does.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from gridzero.domain.converters import ConverterSpec
from gridzero.domain.readings import ConverterReading, CurrentReading, MeterReading
from gridzero.domain.snapshot import Snapshot

_OLDEST_S = 15.0  # the ledger cannot say what was given before
_MOST_OF_IT = 2.0  # times the largest power: no converter gives more


class LastGood:
    """Remembers the newest meter and shunt readings that can be true."""

    def __init__(self) -> None:
        self._seen: MeterReading | None = None
        self._meter: MeterReading | None = None
        self._shunt: CurrentReading | None = None

    def of(self, now: Snapshot) -> Snapshot:
        """The snapshot, with the last good readings in place of those that cannot be true."""
        meter, shunt = self._good_meter(now), self._good_shunt(now)
        if meter is now.meter and shunt is now.shunt:
            return now
        return replace(now, meter=meter, shunt=shunt)

    def _good_meter(self, now: Snapshot) -> MeterReading | None:
        if now.meter is not self._seen:
            self._seen = now.meter
            self._meter = _taken(now.meter, self._meter, now.now_s)
        return self._meter

    def _good_shunt(self, now: Snapshot) -> CurrentReading | None:
        new = now.shunt
        if new is None or (isfinite(new.current_a) and new.at_s <= now.now_s):
            self._shunt = new
        return self._shunt


def _taken(
    new: MeterReading | None, last: MeterReading | None, now_s: float
) -> MeterReading | None:
    """The new reading if it can be true, else the last; None is an answer too.

    A stamp from after the arrival is taken for the arrival.
    """
    if new is None:
        return None
    if not isfinite(new.grid_w) or not new.received_at_s <= now_s:
        return last
    if last is not None and new.received_at_s < last.received_at_s:
        return last
    if not new.received_at_s - new.at_s <= _OLDEST_S:
        return last
    return new if new.at_s <= new.received_at_s else replace(new, at_s=new.received_at_s)


def believable(
    reading: ConverterReading | None, spec: ConverterSpec, now_s: float
) -> ConverterReading | None:
    """What a converter reports of itself, without what cannot be true.

    A report from the future is none at all; a number that is none, or a power beyond twice the
    largest (spec), is not known.
    """
    if reading is None or not reading.at_s <= now_s:
        return None
    ac_w, dc_v, dc_a = _finite(reading.ac_w), _finite(reading.dc_v), _finite(reading.dc_a)
    if ac_w is not None and not abs(ac_w) <= _MOST_OF_IT * spec.max_w:
        ac_w = None
    if ac_w is reading.ac_w and dc_v is reading.dc_v and dc_a is reading.dc_a:
        return reading
    return replace(reading, ac_w=ac_w, dc_v=dc_v, dc_a=dc_a)


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
