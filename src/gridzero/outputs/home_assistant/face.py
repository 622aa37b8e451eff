"""The face of gridzero in Home Assistant: announces, tells, and takes back what has gone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog

from gridzero.config.faces import HomeAssistantConfig
from gridzero.outputs.feed import Feed
from gridzero.outputs.home_assistant.controls import ANNOUNCE
from gridzero.outputs.home_assistant.discovery import MIGRATE, Discovery, Form, Names, Published
from gridzero.outputs.home_assistant.happenings import event_of
from gridzero.outputs.home_assistant.published import Memory
from gridzero.outputs.home_assistant.rows import RHYTHMS, Pace
from gridzero.outputs.home_assistant.shape import MAIN, Device, Shape, devices_of, node_of, shape_of
from gridzero.outputs.home_assistant.states import States
from gridzero.outputs.home_assistant.update import OnDisk, Releases
from gridzero.ports.clock import Clock
from gridzero.ports.links import MqttMessage

log = structlog.get_logger()

_LOOK_S: Final = 1.0
_SETTINGS_PATIENCE_S: Final = 5.0
_BIRTH_WAIT_S: Final = 3.0
_BIRTH_SPREAD_S: Final = 2.0
_STATES_AFTER_S: Final = 2.0
_BETWEEN_FORMS_S: Final = 1.0
_EVENTS_AT_ONCE: Final = 20
_NEVER: Final = float("inf")


class HomeAssistantFace:
    """Keeps Home Assistant's picture of one gridzero true.

    state_dir: where it remembers what it has announced. meter_lost_s: age from which a meter
    reading counts for nothing. on_disk: which version a restart of control would begin.
    """

    name = "home_assistant"

    def __init__(
        self,
        feed: Feed,
        clock: Clock,
        config: HomeAssistantConfig,
        *,
        state_dir: Path,
        meter_lost_s: float = 10.0,
        on_disk: OnDisk | None = None,
    ) -> None:
        self._feed, self._clock, self._meter_lost_s = feed, clock, meter_lost_s
        self._device_name = config.name or feed.prefix
        self._currency = config.currency
        self._names = Names(
            config.node_id or node_of(feed.prefix), feed.prefix, config.discovery_prefix
        )
        self._form = Form(config.discovery)
        self._discovery = Discovery(self._names, self._form)
        self._rhythms = {
            **RHYTHMS,
            Pace.POWER: RHYTHMS[Pace.POWER]._replace(period_s=config.power_period_s),
        }
        self._releases = Releases(clock, on_disk)
        self._memory = Memory(state_dir / "home_assistant.json")
        self._shape: Shape | None = None
        self._devices: tuple[Device, ...] = ()
        self._states = States((), self._names)
        self._announce_s = self._states_s = _NEVER
        self._begun_s = clock.now_s()
        self._events_left = _EVENTS_AT_ONCE
        self._listen(config)

    def _listen(self, config: HomeAssistantConfig) -> None:
        self._feed.on("event", self._on_event)
        self._feed.on_status(self._on_status)
        self._releases.listen(self._feed.link, self._feed.prefix, config.release_topic)
        self._feed.link.subscribe(config.birth_topic, self._on_birth)
        self._feed.link.subscribe(f"{self._feed.prefix}/{ANNOUNCE}/set", self._on_announce)

    async def run(self) -> None:
        """See outputs.face.Face."""
        self._memory.load()
        try:
            while True:
                await self._look()
                await self._clock.sleep_s(_LOOK_S)
        finally:
            self._states.tell_absence(self._feed)

    async def _look(self) -> None:
        now_s = self._clock.now_s()
        self._events_left = _EVENTS_AT_ONCE
        shape = self._present_shape(now_s)
        if shape is not None and shape != self._shape:
            self._take(shape)
            self._announce_s = now_s
        if self._shape is None:
            return
        if now_s >= self._announce_s:
            await self._announce()
        if now_s >= self._states_s:
            self._states_s = _NEVER
            self._states.hurry()
        self._states.tell(self._feed, now_s, self._meter_lost_s)

    def _present_shape(self, now_s: float) -> Shape | None:
        """Ranges of settings are gridzero's; the catalogue's where it has not said them."""
        is_early = now_s < self._begun_s + _SETTINGS_PATIENCE_S
        if self._feed.latest("settings") is None and is_early:
            return None
        shape = shape_of(self._feed) if self._feed.age_s("cells") < _LOOK_S * 60 else None
        return shape and replace(shape, can_update=self._releases.is_ready(self._running()))

    def _running(self) -> object:
        """The version of the control process, as it says itself."""
        return (self._feed.latest("settings") or {}).get("version")

    def _take(self, shape: Shape) -> None:
        self._shape = shape
        name, currency = self._device_name, self._currency
        self._devices = tuple(devices_of(self._feed, shape, name, currency, self._releases))
        self._states = States(self._devices, self._names, self._rhythms)

    async def _announce(self) -> None:
        """Home Assistant takes over entities of the other form only in this order."""
        self._announce_s = _NEVER
        former = self._memory.published
        messages = list(self._discovery.messages(self._devices, former))
        fresh: Published = {topic: components for topic, _, components in messages}
        gone = [topic for topic in former if topic not in fresh]
        moved = [topic for topic in gone if _form_of(topic) is not self._form]
        for topic in moved:
            self._feed.link.publish(topic, MIGRATE, retain=True)
        if moved:
            await self._clock.sleep_s(_BETWEEN_FORMS_S)
        for topic, payload, _ in messages:
            self._feed.link.publish(topic, payload, retain=True)
        if moved:
            await self._clock.sleep_s(_BETWEEN_FORMS_S)
        for topic in gone:
            self._feed.link.publish(topic, "", retain=True)
        self._forget(self._memory.subsystems - self._states.subsystems)
        self._states_s = self._clock.now_s() + _STATES_AFTER_S
        log.info("home_assistant.announced", devices=len(self._devices), gone=len(gone))
        self._memory.keep(fresh, self._states.subsystems)

    def _forget(self, subsystems: frozenset[str]) -> None:
        """An empty retained message is none."""
        for subsystem in subsystems:
            self._feed.publish(self._names.available_topic(subsystem), "", retain=True)

    def _soon(self, wait_s: float) -> None:
        self._announce_s = min(self._announce_s, self._clock.now_s() + wait_s)

    def _on_birth(self, message: MqttMessage) -> None:
        """Not at once: Home Assistant says it before it is ready, and to everybody at once."""
        if message.payload == b"online" and not message.retained:
            self._soon(_BIRTH_WAIT_S + random.uniform(0.0, _BIRTH_SPREAD_S))  # noqa: S311 - no secret

    def _on_announce(self, message: MqttMessage) -> None:
        if not message.retained:
            self._soon(_LOOK_S)

    def _on_status(self, is_online: bool) -> None:
        """A gridzero that comes back may have brought its own broker, which keeps nothing."""
        if is_online and self._shape is not None:
            self._soon(_LOOK_S)

    def _on_event(self, said: Mapping[str, Any]) -> None:
        """A refused wish is answered with the old value, so that nobody believes in the new one."""
        if self._events_left <= 0:
            return
        self._events_left -= 1
        event = event_of(said)
        self._feed.publish(self._names.state_topic(MAIN, Pace.EVENT), event)
        if event["event_type"] == "refused":
            self._releases.end_progress()
            self._states.hurry(Pace.SETTINGS)


def _form_of(topic: str) -> Form:
    return Form.DEVICE if "/device/" in topic else Form.SINGLE
