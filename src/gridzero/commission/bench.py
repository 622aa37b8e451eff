"""What the lines of the list share: the house, the person, and coming to rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridzero.commission.house import House, Json, unit_names
from gridzero.commission.person import Person, agrees
from gridzero.commission.result import Result, skipped
from gridzero.outputs.values import at, number_of

_REST_STATES = 40
_QUIET_STATES = 3
NOT_AGREED = skipped("the words were not typed")


@dataclass(frozen=True, slots=True)
class Bench:
    """What else is known from the file; None = no file was named.

    shunt_zero_a: ``zero_a`` of the shunt. contactors: names of the rectifiers' contactors.
    """

    house: House
    person: Person
    shunt_zero_a: float | None = None
    contactors: tuple[str, ...] | None = None


async def rests(bench: Bench) -> Result | None:
    """Bring the house to mode hold, with consent, and wait until nothing is commanded.

    None when it rests; else why the line cannot be done. Raises NotThere, Refused.
    """
    if at(bench.house.said("settings"), "settings", "mode", "value") != "hold":
        bench.person.say("This needs mode hold. It stays so until you choose another one.")
        if not await agrees(bench.person, "mode hold"):
            return NOT_AGREED
        bench.person.say(await bench.house.ask("mode", "hold"))
    quiet = 0
    for _ in range(_REST_STATES):
        quiet = quiet + 1 if is_quiet(await bench.house.state()) else 0
        if quiet >= _QUIET_STATES:
            return None
    return skipped("it did not come to rest: something still commands power")


def is_quiet(state: Json) -> bool:
    """Mode hold, and no converter is told anything."""
    return at(state, "mode") == "hold" and commanded_w(state) == 0.0


def commanded_w(state: Json) -> float | None:
    """Sum of all commands, W; None where one is unknown."""
    units = [one for kind in ("chargers", "inverters") for one in _units(state, kind)]
    values = [number_of(at(unit, "command_w")) for unit in units]
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def rectifiers_a(state: Json) -> float | None:
    """What all rectifiers say that they give, A >= 0; None where one does not speak."""
    values = [number_of(at(unit, "dc_a")) for unit in _units(state, "chargers")]
    known = [value for value in values if value is not None]
    return -sum(known) if known and len(known) == len(values) else None


def _units(state: Json, kind: str) -> list[Any]:
    return [at(state, kind, name) for name in unit_names(state, kind)]
