"""Settings and actions as entities, from what gridzero says of them (``gridzero/settings``).

Commands go to gridzero's own topics ``gridzero/KEY/set``: it alone decides, and says what became
of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from gridzero.domain.settings import ACTIONS, SETTINGS, Kind
from gridzero.outputs.home_assistant.facts import Facts
from gridzero.outputs.home_assistant.rows import CONFIG, Pace, Platform, Row
from gridzero.outputs.values import number_of

ANNOUNCE: Final = "announce"

_PAYLOADS: Final = {
    "acknowledge": "all",
    "balance": "now",
    "full_charge": "start",
    "identify": "all",
}
"""What a press says where an action wants an argument; without one here it becomes no button."""

_HAS_NO_BUTTON: Final = frozenset({"log", "trace", ANNOUNCE})
_MAIN_CONTROLS: Final = frozenset({"mode", "strategy"})
_ICONS: Final = {
    "mode": "mdi:cog-play",
    "strategy": "mdi:chess-knight",
    "automatic": "mdi:robot",
    "allow_charge": "mdi:battery-arrow-up",
    "allow_discharge": "mdi:battery-arrow-down",
    "allow_grid_charge": "mdi:transmission-tower-export",
    "ev_hold": "mdi:car-electric",
    "maintenance": "mdi:hammer-wrench",
    "acknowledge": "mdi:check-all",
    "balance": "mdi:scale-balance",
    "full_charge": "mdi:battery-charging-100",
    "identify": "mdi:pulse",
    "announce": "mdi:bullhorn",
}
_MOST_TEXT: Final = 255
_SWITCHED: Final = {"on": True, "off": False}

CATALOGUE: Final[Mapping[str, Any]] = {
    "settings": {row.key: asdict(row) for row in SETTINGS},
    "actions": {row.key: {**asdict(row), "dangerous": row.is_dangerous} for row in ACTIONS},
}
"""In the form of ``gridzero/settings``, for as long as that has not been heard."""


def control_rows(said: Mapping[str, Any], prefix: str) -> Iterator[Row]:
    """said: ``gridzero/settings``, or CATALOGUE. prefix: gridzero's own."""
    for key, setting in _members(said, "settings"):
        row = _setting_row(key, setting, prefix)
        if row is not None:
            yield row
    for key, action in _members(said, "actions"):
        if key not in _HAS_NO_BUTTON and (key in _PAYLOADS or not action.get("argument")):
            yield _button(key, action, prefix)
    title = {"title": "Announce again"}
    yield _button(ANNOUNCE, title, prefix, category="diagnostic")


def _members(said: Mapping[str, Any], group: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    members = said.get(group)
    for key, member in members.items() if isinstance(members, Mapping) else ():
        if isinstance(member, Mapping) and str(key).isidentifier():
            yield str(key), member


def _setting_row(key: str, setting: Mapping[str, Any], prefix: str) -> Row | None:
    make = _MAKERS.get(str(setting.get("kind") or ""))
    return None if make is None else make(key, setting, f"{prefix}/{key}/set")


def _value(facts: Facts, key: str) -> Any:
    """Until settings are heard, of those that the state repeats."""
    said = facts.get(f"settings.settings.{key}")
    return said.get("value") if isinstance(said, Mapping) else facts.get(f"state.{key}")


def _is_on(facts: Facts, key: str) -> bool | None:
    value = _value(facts, key)
    return value if isinstance(value, bool) else _SWITCHED.get(str(value))


def _name(key: str, said: Mapping[str, Any]) -> str:
    return str(said.get("title") or key.replace("_", " ").capitalize())[:80]


def _number(key: str, said: Mapping[str, Any], topic: str) -> Row | None:
    low, high = number_of(said.get("low")), number_of(said.get("high"))
    if low is None or high is None or not low < high:
        return None
    unit = str(said.get("unit") or "")
    step = number_of(said.get("step")) or 1.0
    bounds = (("min", low), ("max", high), ("step", step), ("mode", "box"))
    return Row(
        key=key,
        name=_name(key, said),
        source=partial(_value, key=key),
        platform=Platform.NUMBER,
        pace=Pace.SETTINGS,
        unit=unit,
        device_class="power" if unit == "W" else "",
        category=CONFIG,
        extra=(*bounds, ("command_topic", topic)),
    )


def _choice(key: str, said: Mapping[str, Any], topic: str) -> Row | None:
    options = said.get("options")
    if not isinstance(options, list | tuple) or not options:
        return None
    return Row(
        key=key,
        name=_name(key, said),
        source=partial(_value, key=key),
        platform=Platform.SELECT,
        pace=Pace.SETTINGS,
        category="" if key in _MAIN_CONTROLS else CONFIG,
        icon=_ICONS.get(key, ""),
        options=tuple(map(str, options)),
        extra=(("command_topic", topic),),
    )


def _switch(key: str, said: Mapping[str, Any], topic: str) -> Row:
    return Row(
        key=key,
        name=_name(key, said),
        source=partial(_is_on, key=key),
        platform=Platform.SWITCH,
        pace=Pace.SETTINGS,
        icon=_ICONS.get(key, ""),
        extra=(
            ("command_topic", topic),
            ("payload_on", "on"),
            ("payload_off", "off"),
            ("state_on", "ON"),
            ("state_off", "OFF"),
        ),
    )


def _text(key: str, said: Mapping[str, Any], topic: str) -> Row:
    high = number_of(said.get("high")) or _MOST_TEXT
    longest = int(min(high, _MOST_TEXT))
    return Row(
        key=key,
        name=_name(key, said),
        source=partial(_value, key=key),
        platform=Platform.TEXT,
        pace=Pace.SETTINGS,
        category=CONFIG,
        extra=(("command_topic", topic), ("min", 0), ("max", longest)),
    )


_MAKERS: Final[Mapping[str, Callable[[str, Mapping[str, Any], str], Row | None]]] = {
    Kind.NUMBER: _number,
    Kind.CHOICE: _choice,
    Kind.SWITCH: _switch,
    Kind.TEXT: _text,
    Kind.MOMENT: _text,
}


def _button(key: str, said: Mapping[str, Any], prefix: str, category: str = "") -> Row:
    return Row(
        key=key,
        name=_name(key, said),
        platform=Platform.BUTTON,
        device_class="restart" if key == "restart" else "",
        category=category or ("" if key == "acknowledge" else CONFIG),
        icon=_ICONS.get(key, ""),
        is_enabled=key == "restart" or not said.get("dangerous"),
        extra=(
            ("command_topic", f"{prefix}/{key}/set"),
            ("payload_press", _PAYLOADS.get(key, "press")),
        ),
    )
