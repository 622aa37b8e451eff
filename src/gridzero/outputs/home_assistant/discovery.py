"""The messages by which Home Assistant learns of entities, in its two forms.

``device``: one message per device, Home Assistant 2024.11 and later. ``single``: one per entity.
https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from gridzero.outputs.home_assistant.rows import RHYTHMS, Platform, Row
from gridzero.outputs.home_assistant.shape import MAIN, VERSION, Device

MIGRATE: Final = '{"migrate_discovery": true}'


class Form(StrEnum):
    """How entities are announced."""

    DEVICE = "device"
    SINGLE = "single"


Published = dict[str, dict[str, str]]
"""Discovery topic -> component key -> platform: what Home Assistant was told of."""


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that topics and ids are made of.

    node: first part of unique ids. prefix: gridzero's own. discovery: Home Assistant's.
    """

    node: str
    prefix: str
    discovery: str
    dashboard_url: str | None = None

    def state_topic(self, device: str, pace: str) -> str:
        """Below the own prefix."""
        return f"ha/{device}/{pace}"

    def available_topic(self, subsystem: str) -> str:
        """Below the own prefix."""
        return f"ha/available/{subsystem}"

    def unique_id(self, device: str, key: str) -> str:
        """Stable for ever."""
        return f"{self.node}_{key}" if device == MAIN else f"{self.node}_{device}_{key}"

    def identifier(self, device: str) -> str:
        """Of a device."""
        return self.node if device == MAIN else f"{self.node}_{device}"


class Discovery:
    """Messages for a set of devices."""

    def __init__(self, names: Names, form: Form) -> None:
        self._names, self._form = names, form

    def messages(
        self, devices: Iterable[Device], former: Mapping[str, Mapping[str, str]]
    ) -> Iterator[tuple[str, str, dict[str, str]]]:
        """(topic, payload, components) each. former: what was there, so that it can go."""
        for device in devices:
            if self._form is Form.DEVICE:
                yield self._device_message(device, former)
            else:
                yield from self._single_messages(device)

    def _device_message(
        self, device: Device, former: Mapping[str, Mapping[str, str]]
    ) -> tuple[str, str, dict[str, str]]:
        topic = f"{self._names.discovery}/device/{self._names.identifier(device.key)}/config"
        components = {row.key: self._component(device, row) for row in device.rows}
        platforms = {row.key: row.platform.value for row in device.rows}
        gone = {
            key: {"platform": platform}
            for key, platform in former.get(topic, {}).items()
            if platforms.get(key) != platform
        }
        payload = {
            "device": self._about(device),
            "origin": _ORIGIN,
            "availability": self._availability(device.subsystem),
            "availability_mode": "all",
            "components": {**gone, **components},
        }
        return topic, json.dumps(payload, ensure_ascii=False), platforms

    def _single_messages(self, device: Device) -> Iterator[tuple[str, str, dict[str, str]]]:
        for row in device.rows:
            component = self._component(device, row)
            platform = component.pop("platform")
            object_id = self._names.unique_id(device.key, row.key)
            payload = {
                "availability": self._availability(device.subsystem),
                "availability_mode": "all",
                **component,
                "device": self._about(device),
                "origin": _ORIGIN,
            }
            topic = f"{self._names.discovery}/{platform}/{self._names.node}/{object_id}/config"
            yield topic, json.dumps(payload, ensure_ascii=False), {row.key: platform}

    def _about(self, device: Device) -> dict[str, Any]:
        about: dict[str, Any] = {
            "identifiers": [self._names.identifier(device.key)],
            "name": device.name,
            "manufacturer": "gridzero",
            "model": device.model,
        }
        if device.key != MAIN:
            return about | {"via_device": self._names.node}
        about["sw_version"] = VERSION
        if self._names.dashboard_url:
            about["configuration_url"] = self._names.dashboard_url
        return about

    def _availability(self, *subsystems: str) -> list[dict[str, str]]:
        own = [f"{self._names.prefix}/status"]
        own += [f"{self._names.prefix}/{self._names.available_topic(s)}" for s in subsystems if s]
        return [{"topic": topic} for topic in own]

    def _component(self, device: Device, row: Row) -> dict[str, Any]:
        component: dict[str, Any] = {
            "platform": row.platform.value,
            "unique_id": self._names.unique_id(device.key, row.key),
            "name": row.name,
            **_looks(row),
        }
        if row.platform is not Platform.BUTTON:
            topic = self._names.state_topic(device.key, row.pace)
            component["state_topic"] = f"{self._names.prefix}/{topic}"
        if row.has_state:
            component["value_template"] = f"{{{{ {_value_of(row)} }}}}"
        if row.needs:
            component["availability"] = self._availability(device.subsystem, row.needs)
            component["availability_mode"] = "all"
        return component


def _value_of(row: Row) -> str:
    """In Jinja. An object has methods, of which ``update`` is one: its members are in brackets."""
    if row.platform is Platform.UPDATE:
        return f"value_json['{row.key}'] | tojson"
    return f"value_json.{row.key}"


_ORIGIN: Final = {"name": "gridzero", "sw_version": VERSION}
_EXPIRE: Final = frozenset({Platform.SENSOR, Platform.BINARY_SENSOR})


def _looks(row: Row) -> dict[str, Any]:
    looks: dict[str, Any] = {
        "device_class": row.device_class,
        "state_class": row.state_class,
        "unit_of_measurement": row.unit,
        "entity_category": row.category,
        "icon": row.icon,
        "options": list(row.options),
    }
    shown = {key: value for key, value in looks.items() if value}
    if row.digits is not None and row.platform is Platform.SENSOR:
        shown["suggested_display_precision"] = row.digits
    if not row.is_enabled:
        shown["enabled_by_default"] = False
    rhythm = RHYTHMS.get(row.pace)
    if rhythm is not None and rhythm.expire_s is not None and row.platform in _EXPIRE:
        shown["expire_after"] = rhythm.expire_s
    return shown | dict(row.extra)
