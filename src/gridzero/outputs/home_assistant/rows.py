"""One entity of Home Assistant is one row: what it is called, how it looks, where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from gridzero.outputs.home_assistant.facts import Facts
from gridzero.outputs.values import number_of


class Platform(StrEnum):
    """Kinds of entity, in Home Assistant's words."""

    SENSOR = "sensor"
    BINARY_SENSOR = "binary_sensor"
    NUMBER = "number"
    SELECT = "select"
    SWITCH = "switch"
    BUTTON = "button"
    TEXT = "text"
    EVENT = "event"
    UPDATE = "update"


class Pace(StrEnum):
    """How often a value is told; the value is the last part of its state topic.

    Home Assistant stores every change for ever in a database, often on an SD card.
    """

    POWER = "power"
    READINGS = "readings"
    STATUS = "status"
    SLOW = "slow"
    ENERGY = "energy"
    CELLS = "cells"
    SETTINGS = "settings"
    EVENT = "event"


class Rhythm(NamedTuple):
    """period_s: told so often at least. least_s: never more often.

    change: a number that moved by so much is told before the period ends, 0 = whatever changed,
    None = nothing is. expire_s: without news for so long the value is unavailable; None = never.
    """

    period_s: float
    least_s: float = 1.0
    change: float | None = None
    expire_s: int | None = None
    is_retained: bool = False


RHYTHMS: Final = {
    Pace.POWER: Rhythm(5.0, least_s=2.0, change=20.0, expire_s=20),
    Pace.READINGS: Rhythm(15.0, expire_s=60),
    Pace.STATUS: Rhythm(60.0, change=0.0),
    Pace.SLOW: Rhythm(60.0),
    Pace.ENERGY: Rhythm(60.0),
    Pace.CELLS: Rhythm(60.0),
    Pace.SETTINGS: Rhythm(60.0, change=0.0, is_retained=True),
}

Source = str | Callable[[Facts], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entity.

    key: stable for ever, part of its unique id. source: path of the value, or a function of all
    that is known. needs: without this subsystem it is unavailable. scale, digits: of numbers.
    options: of enumerations and selects. extra: whatever else the platform takes.
    """

    key: str
    name: str
    source: Source = ""
    platform: Platform = Platform.SENSOR
    pace: Pace = Pace.SLOW
    unit: str = ""
    device_class: str = ""
    state_class: str = ""
    category: str = ""
    icon: str = ""
    needs: str = ""
    scale: float = 1.0
    digits: int | None = None
    options: tuple[str, ...] = ()
    is_enabled: bool = True
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def has_state(self) -> bool:
        """Whether its value is told in turn: buttons have none, events are told when they are."""
        return self.platform not in {Platform.BUTTON, Platform.EVENT}

    def value(self, facts: Facts) -> Any:
        """What the entity shows; None = unknown. Nothing that its platform would complain about."""
        raw = facts.get(self.source) if isinstance(self.source, str) else self.source(facts)
        return self._shown(raw)

    def _shown(self, raw: Any) -> Any:
        if self.platform is Platform.UPDATE:
            return raw
        if self.platform in {Platform.BINARY_SENSOR, Platform.SWITCH}:
            return ("ON" if raw else "OFF") if isinstance(raw, bool) else None
        if self.platform is Platform.TEXT:
            return str(raw)[:255] if raw is not None else ""
        if self.options:
            return raw if raw in self.options else None
        if self.device_class == "timestamp" or self.is_words:
            return str(raw)[:255] if raw is not None else None
        return self._number(number_of(raw))

    @property
    def is_words(self) -> bool:
        """A sensor without a unit and a class shows words."""
        return self.platform is Platform.SENSOR and not (self.unit or self.state_class)

    def _number(self, raw: float | None) -> float | None:
        if raw is None:
            return None
        bounds = dict(self.extra)
        if not bounds.get("min", raw) <= raw <= bounds.get("max", raw):
            return None
        value = raw * self.scale
        return value if self.digits is None else round(value, self.digits)


def power(key: str, name: str, source: Source, needs: str = "", icon: str = "") -> Row:
    """A power in W, as often as makes sense."""
    return Row(
        key=key,
        name=name,
        source=source,
        pace=Pace.POWER,
        unit="W",
        device_class="power",
        state_class="measurement",
        digits=0,
        needs=needs,
        icon=icon,
    )


def energy(key: str, name: str, *, icon: str = "") -> Row:
    """A counter in kWh that only ever rises: a key of ``gridzero/energy``."""
    return Row(
        key=key,
        name=name,
        source=f"energy.{key}_kwh",
        pace=Pace.ENERGY,
        unit="kWh",
        device_class="energy",
        state_class="total_increasing",
        digits=2,
        icon=icon,
    )


def measured(
    key: str,
    name: str,
    source: Source,
    unit: str,
    digits: int,
    *,
    pace: Pace = Pace.READINGS,
    category: str = "",
    needs: str = "",
    is_enabled: bool = True,
    device_class: str | None = None,
    icon: str = "",
    scale: float = 1.0,
) -> Row:
    """A measurement; its class follows from the unit where that is clear."""
    return Row(
        key=key,
        name=name,
        source=source,
        pace=pace,
        unit=unit,
        device_class=CLASS_OF_UNIT.get(unit, "") if device_class is None else device_class,
        state_class="measurement",
        category=category,
        digits=digits,
        needs=needs,
        is_enabled=is_enabled,
        icon=icon,
        scale=scale,
    )


CLASS_OF_UNIT: Final = {
    "V": "voltage",
    "A": "current",
    "°C": "temperature",
    "s": "duration",
    "h": "duration",
    "W": "power",
}
DIAGNOSTIC: Final = "diagnostic"
CONFIG: Final = "config"
