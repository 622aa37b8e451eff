"""What happens, as the event entity of the main device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gridzero.outputs.home_assistant.rows import Pace, Platform, Row

EVENT: Final = "event"
_TYPES: Final = (
    "fault",
    "fault_cleared",
    "meter_lost",
    "meter_back",
    "actuator_stuck",
    "plan_changed",
    "refused",
    "told",
)
_STUCK: Final = frozenset({"inverter_not_following", "charger_not_following", "charger_refused"})
_MOST_CHARACTERS: Final = 500


def event_row() -> Row:
    """One entity for everything that happens."""
    return Row(
        key=EVENT,
        name="Event",
        platform=Platform.EVENT,
        pace=Pace.EVENT,
        icon="mdi:bell-ring",
        extra=(("event_types", list(_TYPES)),),
    )


def event_of(said: Mapping[str, Any]) -> dict[str, str]:
    """An event of ``gridzero/event`` in the form of Home Assistant's event entities."""
    kept = ("code", "subject", "text", "remedy", "severity")
    words = {key: str(said.get(key) or "")[:_MOST_CHARACTERS] for key in kept}
    return {"event_type": _type_of(words, is_active=said.get("active") is True), **words}


def _type_of(words: Mapping[str, str], *, is_active: bool) -> str:
    code = words["code"]
    if code.endswith("_refused") and code != "charger_refused":
        return "refused"
    if code == "meter_lost":
        return "meter_lost" if is_active else "meter_back"
    if code in _STUCK and is_active:
        return "actuator_stuck"
    if code.startswith("plan_"):
        return "plan_changed"
    if words["severity"] == "info":
        return "told"
    return "fault" if is_active else "fault_cleared"
