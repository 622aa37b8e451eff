"""Lines of the list about modules, cells and the shunt."""

from __future__ import annotations

from typing import Any

from gridzero.commission import judge
from gridzero.commission.bench import NOT_AGREED, Bench, rectifiers_a, rests
from gridzero.commission.house import Json, fault_codes, mean
from gridzero.commission.person import agrees, number
from gridzero.commission.result import Result, bad, good, skipped
from gridzero.outputs.values import at, number_of

CHARGE_W = 300.0
_BEGIN_STATES = 120
_SETTLE_STATES = 10
_MEASURE_STATES = 10
_ZERO_STATES = 20
_NOT_TYPED = skipped("no number was typed")


async def modules(bench: Bench) -> Result:
    """Count and voltages."""
    wired = await number(bench.person, "How many modules have you wired?")
    if wired is None:
        return _NOT_TYPED
    cells = cells_of(await bench.house.cells())
    state = await bench.house.state()
    stranger = fault_codes(state).get("unexpected_module")
    if stranger:
        return bad(stranger, "Add it to devices.battery.buses, or take it off the bus")
    there, healthy = (_whole(at(state, "battery", key)) for key in ("modules", "healthy"))
    return judge.modules(there, healthy, wired, cells)


async def modules_apart(bench: Bench) -> Result:
    """Before they are joined."""
    return judge.modules_apart(cells_of(await bench.house.cells()))


async def voltmeter(bench: Bench) -> Result:
    """The lowest and the highest cell, and the first one."""
    cells = cells_of(await bench.house.cells())
    state = await bench.house.state()
    extremes = [at(state, "battery", key) for key in ("min_cell", "max_cell")]
    names = [str(name) for name in extremes if isinstance(name, str)]
    names += [f"{module}.1" for module in list(cells)[:1]]
    told: list[str] = []
    for name in dict.fromkeys(names):
        measured_v = await number(bench.person, f"Volts at cell {name}?")
        if measured_v is None:
            return _NOT_TYPED
        result = judge.voltmeter(name, _cell_v(cells, name), measured_v)
        if result.mend:
            return result
        told.append(result.text)
    return good("; ".join(told)) if told else bad("no cell is known", "First mend the module count")


async def shunt_zero(bench: Bench) -> Result:
    """At rest, with everything connected."""
    if why := await rests(bench):
        return why
    states = await bench.house.states(_ZERO_STATES)
    values = [number_of(at(state, "battery", "current_a")) for state in states]
    known = [value for value in values if value is not None]
    spread_a = max(known) - min(known) if known else 0.0
    return judge.zero(mean(states, "battery", "current_a"), spread_a, bench.shunt_zero_a)


async def shunt_sign(bench: Bench) -> Result:
    """Charge a little, and compare shunt, rectifier and clamp meter."""
    if why := await rests(bench):
        return why
    bench.person.say(
        "A clamp meter belongs round the battery cable now, a hand at the main switch."
    )
    if not await agrees(bench.person, f"charge {CHARGE_W:g} W"):
        return NOT_AGREED
    async with bench.house.trial("charge", CHARGE_W):
        if not await rectifier_gives(bench):
            return await _held_back(bench)
        await bench.house.states(_SETTLE_STATES)
        states = await bench.house.states(_MEASURE_STATES)
        if "shunt_sign" in fault_codes(states[-1]):
            return await _held_back(bench)
        result = judge.shunt_sign(
            mean(states, "battery", "current_a"),
            _mean([rectifiers_a(state) for state in states]),
        )
        return result if result.mend else await _clamp(bench, result)


async def _clamp(bench: Bench, result: Result) -> Result:
    """While it still charges."""
    clamp_a = await number(bench.person, "What does the clamp meter say, A?")
    if clamp_a is None:
        return good(f"{result.text}; no clamp meter")
    states = await bench.house.states(3)
    against = judge.clamp(mean(states, "battery", "current_a"), clamp_a)
    return against if against.mend else good(f"{result.text}; {against.text}")


async def rectifier_gives(bench: Bench) -> bool:
    """Wait until a rectifier gives current: it programs, closes its contactor and walks in.

    After a time in which it gave what nobody asked for it is locked for a minute.
    """
    for _ in range(_BEGIN_STATES):
        amps = rectifiers_a(await bench.house.state())
        if amps is not None and amps >= judge.RECTIFIER_A:
            return True
    return False


async def _held_back(bench: Bench) -> Result:
    state = await bench.house.state()
    faults = fault_codes(state)
    if "shunt_sign" in faults:  # gridzero has seen it first, and has stopped charging
        return bad(f"shunt_sign {faults['shunt_sign']}", judge.TURN_SHUNT)
    why = at(state, "limits", "charge_because")
    told = ", ".join(f"{code} {text}" for code, text in faults.items()) or "no fault stands"
    return bad(
        f"no current came within two minutes, or not for long: {why}; {told}"[:400],
        "console why tells what keeps the rectifier back",
    )


def cells_of(told: Json) -> dict[str, list[float | None]]:
    """Cell voltages by module, from ``gridzero/cells``."""
    return {
        str(name): [number_of(volts) for volts in row]
        for name in told
        if isinstance(row := at(told, name, "cells_v"), list)
    }


def _cell_v(cells: dict[str, list[float | None]], name: str) -> float | None:
    module, _, place = name.rpartition(".")
    row = cells.get(module, [])
    return row[int(place) - 1] if place.isdecimal() and 0 < int(place) <= len(row) else None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
