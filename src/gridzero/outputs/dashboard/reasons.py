"""Reasons by what they mean to the house, for the band below the curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gridzero.domain.reasons import REASONS, Because

TONES: Final = {
    "gives": (
        *(Because.COVERING_LOAD, Because.MODE_DISCHARGE, Because.PEAK_SHAVING),
        Because.EXPORT_GUARD,
    ),
    "stores": (
        *(Because.STORING_SURPLUS, Because.MODE_CHARGE, Because.FULL_CHARGE, Because.TARIFF_BUYS),
        Because.TARGET_TOPIC,
    ),
    "rests": (
        *(Because.BALANCED, Because.MODE_HOLD, Because.MODE_OFF, Because.BELOW_PEAK),
        *(Because.PEAK_RESERVE, Because.TARIFF_WAITS, Because.ZERO_CROSS_HOLD),
        *(Because.KEEPING_WARM, Because.DROP_TO_ZERO, Because.PERIODIC_LOAD),
        *(Because.BELOW_MINIMUM, Because.RESTART_DWELL, Because.NOT_WORTH_IT),
        *(Because.MAINTENANCE, Because.EV_HOLD, Because.STARTING, Because.STOPPING),
        *(Because.IDENTIFYING, Because.RAMP),
    ),
    "trouble": (
        *(Because.METER_UNKNOWN, Because.METER_LATE, Because.METER_LOST, Because.METER_WRONG),
        *(Because.BATTERY_UNKNOWN, Because.BATTERY_STALE, Because.TEMPERATURE_UNKNOWN),
        *(Because.CELL_IMPLAUSIBLE, Because.UNEXPECTED_MODULE, Because.FAULT_LATCHED),
        *(Because.CONTACTOR_OPEN, Because.CELL_OVER, Because.CELL_UNDER, Because.OVER_CURRENT),
        *(Because.PROTECTED, Because.TRIPPED, Because.SHUNT_STALE, Because.CHARGER_SILENT),
        *(Because.NO_INVERTER, Because.NO_CHARGER, Because.NOT_FOLLOWING),
    ),
}
"""What is in none of them is a limit: of the battery, of a converter, or one that a person set."""
LIMIT: Final = "limit"
_TONE_OF = {code.value: tone for tone, codes in TONES.items() for code in codes}


def runs_of(
    at_s: Sequence[float], step_s: float, seconds: Mapping[str, Sequence[float | None]]
) -> Iterator[dict[str, Any]]:
    """Spans in which one reason prevailed; seconds: by code, how long it held in each point."""
    run: dict[str, Any] | None = None
    for index, begin_s in enumerate(at_s):
        code = _longest(index, seconds)
        if run and code == run["code"] and begin_s <= run["to_s"] + step_s / 2:
            run["to_s"] = begin_s + step_s
            continue
        if run:
            yield run
        run = _run(code, begin_s, step_s) if code else None
    if run:
        yield run


def _run(code: str, begin_s: float, step_s: float) -> dict[str, Any]:
    return {
        "code": code,
        "tone": _TONE_OF.get(code, LIMIT),
        "text": _words(code),
        "from_s": begin_s,
        "to_s": begin_s + step_s,
    }


def _words(code: str) -> str:
    """Of a code that a newer gridzero has written: the code itself."""
    known = code in set(Because)
    return REASONS[Because(code)] if known else code.replace("_", " ")


def _longest(index: int, seconds: Mapping[str, Sequence[float | None]]) -> str | None:
    known = [(values[index] or 0.0, code) for code, values in seconds.items()]
    best = max(known, default=(0.0, ""))
    return best[1] if best[0] > 0.0 else None
