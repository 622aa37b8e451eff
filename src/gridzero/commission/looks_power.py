"""Lines of the list about meter, contactors, silence and inverters."""

from __future__ import annotations

import asyncio

from gridzero.commission import judge
from gridzero.commission.bench import NOT_AGREED, Bench, rests
from gridzero.commission.house import Json, fault_codes, mean, unit_names
from gridzero.commission.looks_battery import CHARGE_W, rectifier_gives
from gridzero.commission.person import agrees
from gridzero.commission.result import Result, bad, good, skipped
from gridzero.outputs.values import at, number_of

DISCHARGE_W = 200.0
STOPS_WITHIN_S = 10.0
_SEEN_S = 3.0
"""What it takes to see it: the state comes once a second, the meter lags, the power falls."""
_CALM_STATES = 8
_START_STATES = 25
_SILENCE_STATES = 60
_FORGETS_STATES = 35
_BACK_STATES = 60
_OPENS_STATES = 30
_WATCH_STATES = 25


async def meter(bench: Bench) -> Result:
    """A kettle, and how old readings become."""
    if why := await rests(bench):
        return why
    await bench.person.answer("Everything large off. Enter when it is calm")
    before = await bench.house.states(_CALM_STATES)
    await bench.person.answer("Now switch a kettle on (1 kW or more). Enter when it works")
    after = await bench.house.states(_CALM_STATES)
    ages = [number_of(at(state, "meter_age_s")) for state in (*before, *after)]
    known = [age for age in ages if age is not None]
    oldest_s = max(known) if len(known) == len(ages) else None
    return judge.meter(mean(before, "grid_w"), mean(after[2:], "grid_w"), oldest_s)


async def contactor(bench: Bench) -> Result:
    """Closes for a charge, opens when the rectifier falls silent; the contact says both."""
    if why := await rests(bench):
        return why
    before = switches_of(await bench.house.state())
    if not before:
        return skipped("no contactor is configured: read docs/contactor.md before you go on")
    if blind := sorted(name for name, closed in before.items() if closed is None):
        return bad(
            f"{', '.join(blind)} has no auxiliary contact",
            "Wire one and name it as feedback_line: else nobody sees a welded contactor",
        )
    if told := await _contactor_faults(bench):
        return bad(told, "Main switch off. Measure that contact and its auxiliary contact")
    if not await agrees(bench.person, f"charge {CHARGE_W:g} W"):
        return NOT_AGREED
    async with bench.house.trial("charge", CHARGE_W):
        gives = await rectifier_gives(bench)
        during = switches_of(await bench.house.state())
    if not gives:
        told = await _contactor_faults(bench)
        return bad(f"no current came within two minutes {told}", "Look at console faults and why")
    return await _falls(bench, [name for name, closed in during.items() if closed])


async def _contactor_faults(bench: Bench) -> str:
    """What the driver itself says of its contacts, "" for nothing."""
    faults = fault_codes(await bench.house.state()).items()
    return "; ".join(f"{code} {text}" for code, text in faults if code.startswith("contactor_"))


async def _falls(bench: Bench, closed: list[str]) -> Result:
    """Without its rectifier's voice a contactor must open; that of the battery may stay."""
    names = closed if bench.contactors is None else sorted({*closed} & {*bench.contactors})
    if not names:
        told = ", ".join(closed) or "none"
        return good(f"closed: {told}; none of them is a rectifier's")
    await bench.person.answer("Pull the CAN plug of the rectifier, then Enter")
    opened_s = await _opened(bench, names)
    await bench.person.answer("Put the plug back in, then Enter")
    if opened_s is None:
        return bad(
            f"{', '.join(names)} did not open within {_OPENS_STATES} s",
            "Main switch off. Measure the contact: it is welded, or its coil is still fed",
        )
    return good(f"{', '.join(names)} closed, and opened {opened_s} s after the last word")


async def _opened(bench: Bench, names: list[str]) -> int | None:
    """After how many seconds all are open (any, where the file does not say whose they are)."""
    enough = any if bench.contactors is None else all
    for second in range(1, _OPENS_STATES + 1):
        now = switches_of(await bench.house.state())
        if enough(now.get(name) is False for name in names):
            return second
    return None


async def rectifier_silence(bench: Bench) -> Result:
    """What flows when nobody speaks to the rectifier."""
    if why := await rests(bench):
        return why
    bench.person.say(
        "A clamp meter round the battery cable, a hand at the main switch: the unit may"
    )
    bench.person.say("give all its current half a minute after its plug is pulled.")
    if not await agrees(bench.person, "I pull the plug of the rectifier"):
        return NOT_AGREED
    await bench.person.answer("Pull its CAN plug now, then Enter. A minute goes by")
    states = await bench.house.states(_SILENCE_STATES)
    await bench.person.answer("Put the plug back in, then Enter")
    back = await _speaks_again(bench)
    return _after_silence(states, back=back)


def _after_silence(states: list[Json], *, back: bool) -> Result:
    late = states[_FORGETS_STATES:]
    silent = [at(late[-1], "chargers", name, "silent") for name in unit_names(late[-1], "chargers")]
    if True not in silent:
        return bad("gridzero still heard it", "Was that the right plug? Do it again")
    amps = [number_of(at(state, "battery", "current_a")) for state in late]
    known = [value for value in amps if value is not None]
    if len(known) != len(amps):
        return bad("the shunt did not speak all the time", "First mend the lines of the shunt")
    most_a = max(map(abs, known))  # whatever the sign: nothing else works at rest
    if not most_a <= judge.NOISE_A:
        return bad(
            f"up to {most_a:.1f} A flowed in silence",
            "Never without a contactor. Store harmless values: gridzero commission rectifier",
        )
    if not back:
        return bad("it was calm in silence, but does not speak again", "Look at plug and mains")
    return good(f"silent, up to {most_a:.1f} A, and it speaks again")


async def _speaks_again(bench: Bench) -> bool:
    for _ in range(_BACK_STATES):
        state = await bench.house.state()
        units = unit_names(state, "chargers")
        if all(at(state, "chargers", name, "silent") is False for name in units):
            return True
    return False


async def inverter(bench: Bench) -> Result:
    """Whether the meter falls by what the inverter is told."""
    if why := await rests(bench):
        return why
    if not await agrees(bench.person, f"discharge {DISCHARGE_W:g} W"):
        return NOT_AGREED
    before = await bench.house.states(_CALM_STATES)
    async with bench.house.trial("discharge", DISCHARGE_W):
        await bench.house.states(_START_STATES)
        during = await bench.house.states(_CALM_STATES)
    if why := await rests(bench):
        return why
    await bench.house.states(_CALM_STATES)
    after = await bench.house.states(_CALM_STATES)
    grid_w = [mean(states, "grid_w") for states in (before, during, after)]
    return judge.inverter(grid_w[0], grid_w[1], grid_w[2], DISCHARGE_W)


async def inverter_silence(bench: Bench) -> Result:
    """Whether it stops by itself when its plug is pulled."""
    if why := await rests(bench):
        return why
    if not await agrees(bench.person, f"discharge {DISCHARGE_W:g} W"):
        return NOT_AGREED
    before_w = mean(await bench.house.states(_CALM_STATES), "grid_w")
    async with bench.house.trial("discharge", DISCHARGE_W):
        await bench.house.states(_START_STATES)
        during_w = mean(await bench.house.states(_CALM_STATES), "grid_w")
        gave_w = before_w - during_w if before_w is not None and during_w is not None else None
        if gave_w is None or not gave_w >= judge.CLEARLY * DISCHARGE_W:
            return bad("it did not discharge", "First mend the line of its amount")
        await bench.person.answer("Pull its RS485 plug and press Enter in the same moment")
        stopped_s = await _rises(bench, (before_w or 0.0) - judge.CLEARLY * gave_w)
    await bench.person.answer("Put the plug back in, then Enter")
    return _after_the_plug(stopped_s)


async def _rises(bench: Bench, above_w: float) -> float | None:
    """After how many seconds the meter is above that, and stays so; None = never."""
    loop = asyncio.get_running_loop()
    begun_s, since_s = loop.time(), None
    for _ in range(_WATCH_STATES):
        grid_w = number_of(at(await bench.house.state(), "grid_w"))
        if grid_w is None or not grid_w >= above_w:
            since_s = None
        elif since_s is not None:
            return since_s
        else:
            since_s = loop.time() - begun_s
    return None


def _after_the_plug(stopped_s: float | None) -> Result:
    if stopped_s is None:
        return bad(
            "it goes on without a word",
            "Do not use it: its firmware knows no time-out, only its mains plug stops it",
        )
    told = f"it was seen to have stopped {stopped_s:.0f} s after the plug"
    if not stopped_s <= STOPS_WITHIN_S + _SEEN_S:
        return bad(told, f"Longer than {STOPS_WITHIN_S:g} s: ask its maker, or take another one")
    return good(told)


def switches_of(state: Json) -> dict[str, bool | None]:
    """By name whether a contactor is closed, as its auxiliary contact says."""
    told = at(state, "switches")
    rows = told if isinstance(told, dict) else {}
    return {str(name): one if isinstance(one, bool) else None for name, one in rows.items()}
