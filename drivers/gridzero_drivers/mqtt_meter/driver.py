"""The grid meter as the site sees it; meets ports.devices.Meter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from gridzero.domain.readings import MeterReading
from gridzero.ports.links import MqttMessage
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.metering.codec import NoReading, excerpt
from gridzero_drivers.metering.counters import Counters
from gridzero_drivers.metering.desk import Desk
from gridzero_drivers.metering.rounds import Rounds
from gridzero_drivers.mqtt_meter.options import MqttMeterOptions

log = structlog.get_logger()

PATIENCE_S = 10.0
"""Messages without the path are normal on shared topics; for this long, they are a mistake."""


class MqttMeter:
    """Turns messages into readings as they arrive; never raises whatever arrives."""

    def __init__(self, options: MqttMeterOptions, context: DriverContext) -> None:
        """Subscribes at once; subscriptions outlive reconnects."""
        self._name = context.name
        self.interval_s = options.expected_interval_s
        self._link = context.links.mqtt()
        self._rounds = Rounds(options.terms(), options)
        self._desk = Desk(context.report)
        self._understood_at_s: dict[str, float] = {}
        self._said_incomplete = False
        self._counters = Counters(options.counter_paths(), options.kwh_scale)
        if self._counters.are_wanted:  # first: a reading takes along what its own message says
            self._link.subscribe(options.counter_topic or options.topic or "", self._on_counters)
        for topic in self._rounds.topics:
            self._link.subscribe(topic, self._on_message)

    @property
    def name(self) -> str:
        """The device's key in the configuration."""
        return self._name

    def latest(self) -> MeterReading | None:
        """Newest valid reading, None before the first."""
        return self._desk.latest

    def on_reading(self, listener: Callable[[MeterReading], None]) -> None:
        """Call listener at once for each new valid reading."""
        self._desk.on_reading(listener)

    async def run(self) -> None:
        """Wait: readings come by callback, and their age is judged by the core."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Nothing to leave safe: a meter only listens."""

    def _on_message(self, message: MqttMessage) -> None:
        if message.retained:  # stored by the broker, so nobody knows how old it is
            self._link.health.skip(NoReading.RETAINED)
            return
        result = self._rounds.take(message.topic, message.payload, message.received_at_s)
        if isinstance(result, NoReading):
            self._refused(message, result)
        else:
            self._understood(message)
        if isinstance(result, MeterReading):
            self._publish(result)

    def _on_counters(self, message: MqttMessage) -> None:
        """A retained one is old, too: it would seem to run backwards."""
        if not message.retained:
            self._counters.hear(message.payload)

    def _understood(self, message: MqttMessage) -> None:
        self._understood_at_s[message.topic] = message.received_at_s
        self._desk.praise(message.topic)

    def _publish(self, reading: MeterReading) -> None:
        import_kwh, export_kwh = self._counters.take()
        if import_kwh is not None or export_kwh is not None:
            reading = replace(reading, import_kwh=import_kwh, export_kwh=export_kwh)
        self._said_incomplete = False
        self._desk.publish(reading)

    def _refused(self, message: MqttMessage, why: NoReading) -> None:
        self._link.health.skip(why)
        if why is NoReading.INCOMPLETE:
            self._understood(message)
            self._say_incomplete()
        elif why is NoReading.IMPLAUSIBLE:
            self._understood(message)
            self._blame("", why, message)
        elif why.is_garbage or self._lacks_the_path(message, why):
            self._blame(message.topic, why, message)

    def _lacks_the_path(self, message: MqttMessage, why: NoReading) -> bool:
        if why is not NoReading.PATH_MISSING:
            return False
        since_s = self._understood_at_s.setdefault(message.topic, message.received_at_s)
        return message.received_at_s - since_s >= PATIENCE_S

    def _say_incomplete(self) -> None:
        if not self._said_incomplete:
            self._said_incomplete = True
            log.warning("round.incomplete", device=self._name, missing=self._rounds.missing())

    def _blame(self, subject: str, why: NoReading, message: MqttMessage) -> None:
        said = f"{message.topic} said {excerpt(message.payload)}"
        self._desk.blame(subject, f"{why.replace('_', ' ')}: {said}")
