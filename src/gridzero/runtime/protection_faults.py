"""Alarms of the battery's protections as faults that people see, and back: acknowledged trips.

The fault book keeps what a person must end, over restarts too; the protection keeps why power is
refused. Here the two are made to agree.
"""

from __future__ import annotations

from collections.abc import Iterable

from gridzero.battery.battery import Battery
from gridzero.domain.alarms import Alarm, Level
from gridzero.runtime.fault_book import FaultBook, Key


class ProtectionFaults:
    """Says what the protections of one battery say. Takes up at once what an earlier life left."""

    def __init__(self, battery: Battery, faults: FaultBook) -> None:
        self._battery, self._faults = battery, faults
        self._codes = battery.codes
        self._said: tuple[Alarm, ...] = ()
        battery.relatch(
            (fault.code, fault.subject, Level.TRIP.name.lower(), fault.text)
            for fault in faults.active
            if fault.is_latched and fault.code in self._codes
        )
        faults.on_acknowledge(self._acknowledged)

    def sync(self, alarms: Iterable[Alarm]) -> None:
        """Make the standing faults those of the alarms; cheap while nothing changes."""
        now = tuple(alarms)
        if now == self._said:
            return
        self._said = now
        standing = [alarm for alarm in now if not alarm.is_latched]
        latched = {(one.code, one.subject) for one in self._battery.latched}
        self._faults.sync(
            self._codes,
            {_key(alarm): alarm.text for alarm in standing},
            {_key(alarm): alarm.level for alarm in standing},
            latched,
        )

    def _acknowledged(self, key: Key) -> None:
        if key[0] in self._codes:
            self._battery.acknowledge(key[0])


def _key(alarm: Alarm) -> Key:
    return alarm.code, alarm.subject
