"""What a person should look after: maintenance, balancing, the next full charge, ageing."""

from __future__ import annotations

from typing import Any, Final

from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.pick import Json, at, column, number, rows, text, truth

MOST_TASKS: Final = 20


def care_of(battery: Json | None, health: Json | None, state: Json | None) -> dict[str, Any]:
    """Rows of name and words, and tasks, the most urgent first."""
    return {
        "rows": [
            {"name": "Last full", "value": _full(battery)},
            {"name": "Full charge", "value": _full_charge(battery, state)},
            {"name": "Balancing", "value": _balancing(battery)},
            {"name": "Cycles", "value": words.figure(number(health, "cycles"), 1)},
            {"name": "Passed through", "value": _through(health)},
            {"name": "Service life left", "value": _remaining(health)},
            {"name": "Weakest modules", "value": _weakest(health)},
        ],
        "due": truth(battery, "charge.full_charge_due") is True,
        "tasks": [_task(row) for row in list(rows(health, "maintenance"))[:MOST_TASKS]],
        "known": health is not None,
    }


def _full(battery: Json | None) -> str:
    ago_h = number(battery, "charge.full_ago_h")
    if battery is None:
        return words.UNKNOWN
    return "never seen" if ago_h is None else f"{words.hours(ago_h)} ago"


def _full_charge(battery: Json | None, state: Json | None) -> str:
    if truth(state, "full_charge"):
        return "goes on"
    due = truth(battery, "charge.full_charge_due")
    if due is None:
        return words.UNKNOWN
    return "due" if due else "not due"


def _balancing(battery: Json | None) -> str:
    """Hours it takes; where nothing is to do, that it is done."""
    left_ah, left_h = number(battery, "balancing.ah_left"), number(battery, "balancing.hours_left")
    forced_h = number(battery, "balancing.forced_h")
    forced = f", asked for: {words.hours(forced_h)} more" if forced_h else ""
    if left_h:
        return f"{words.hours(left_h)} left{forced}"
    if left_ah is None:
        return words.UNKNOWN
    return f"{words.unit(left_ah, 'Ah', 1)} to bleed{forced}" if left_ah else f"level{forced}"


def _through(health: Json | None) -> str:
    out_kwh = number(health, "out_kwh")
    return words.UNKNOWN if out_kwh is None else f"{words.kilowatt_hours(out_kwh)} out"


def _remaining(health: Json | None) -> str:
    """With its bounds; unknown while no loss is certain."""
    days = [number(health, f"remaining_days.{key}") for key in ("value", "from", "to")]
    if health is not None and days[0] is None:
        return "no loss is certain yet"
    value, low, high = (words.years(one) for one in days)
    known_bounds = days[1] is not None and days[2] is not None
    return f"{value} ({low} to {high})" if known_bounds else value


def _weakest(health: Json | None) -> str:
    names = [name[:20] for name in column(health, "weakest_first", 3) if isinstance(name, str)]
    if names:
        return ", ".join(names)
    return words.UNKNOWN if at(health, "modules") is None else "still learning"


def _task(row: Json) -> dict[str, str]:
    sure = number(row, "sure_pct")
    return {
        "urgency": text(row, "urgency") or "",
        "subject": text(row, "subject") or "",
        "what": text(row, "what") or "",
        "why": text(row, "why") or "",
        "remedy": text(row, "remedy") or "",
        "sure": "" if sure is None else f"{words.unit(sure, '%')} sure",
    }
