"""The list, in an order in which nothing can happen before it has been tried."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gridzero.commission import looks_battery, looks_power
from gridzero.commission.bench import Bench
from gridzero.commission.person import yes
from gridzero.commission.result import Result, bad, good, skipped

Look = Callable[[Bench], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Step:
    """One line. do: what the person does before. look: what gridzero measures and judges.

    moves: whether power flows for it, after words that the person types.
    """

    key: str
    title: str
    do: str
    look: Look
    moves: bool = False
    by_hand: bool = False


def _by_hand(question: str, mend: str) -> Look:
    """A line that only the person can see."""

    async def look(bench: Bench) -> Result:
        told = await yes(bench.person, question)
        if told is None:
            return skipped("not answered")
        return good("seen by the person") if told else bad("not so, says the person", mend)

    return look


def _hand(key: str, title: str, do: str, question: str, mend: str) -> Step:
    return Step(key, title, do, _by_hand(question, mend), by_hand=True)


STEPS: tuple[Step, ...] = (
    _hand(
        "bus",
        "CAN without power",
        "Everything off. Ohmmeter between CANH and CANL of each bus.",
        "About 60 ohm on each?",
        "120 ohm: a terminator is missing. 40 or less: one too many. Open: a wire",
    ),
    Step(
        "modules",
        "Module count and cell voltages",
        "Modules have their 12 V and are plugged in; their power terminals are still free.",
        looks_battery.modules,
    ),
    Step(
        "apart",
        "Modules in parallel",
        "Before they are joined, or before the last link is closed.",
        looks_battery.modules_apart,
    ),
    Step(
        "cells",
        "Cells against a voltmeter",
        "Traction voltage: gloves, tools that are insulated, a second person.",
        looks_battery.voltmeter,
    ),
    Step(
        "meter",
        "Meter: sign and interval",
        "A kettle at hand.",
        looks_power.meter,
    ),
    Step(
        "shunt_zero",
        "Shunt: zero",
        "Battery connected, everything at rest.",
        looks_battery.shunt_zero,
    ),
    _hand(
        "rectifier_offline",
        "Rectifier: values for silence",
        "Battery disconnected. End gridzero, then: gridzero commission rectifier --config FILE",
        "Stored, acknowledged, and seen after a minute of silence?",
        "Without them a dead Pi means full current: only behind a contactor",
    ),
    Step(
        "contactor",
        "Contactor",
        "It is heard: a click when it closes, a click when it opens.",
        looks_power.contactor,
        moves=True,
    ),
    _hand(
        "contactor_falls",
        "Contactor falls by itself",
        "The five lines at the end of docs/contactor.md: kill -STOP, kill -9, the Pi's supply.",
        "Did it open each time?",
        "Do not go on: the feed is not a heartbeat, or the driver stage holds it",
    ),
    Step(
        "shunt_sign",
        "Shunt: sign and amount",
        "A small charge.",
        looks_battery.shunt_sign,
        moves=True,
    ),
    Step(
        "rectifier_silence",
        "Rectifier: silence",
        "Battery connected, fuse in, main switch within reach.",
        looks_power.rectifier_silence,
        moves=True,
    ),
    Step(
        "inverter",
        "Inverter: amount",
        "A small discharge; no kettle, no oven meanwhile.",
        looks_power.inverter,
        moves=True,
    ),
    Step(
        "inverter_silence",
        "Inverter: silence",
        "Its RS485 plug within reach.",
        looks_power.inverter_silence,
        moves=True,
    ),
    _hand(
        "watchdog",
        "Watchdog",
        "With watchdog.hardware: kill -STOP the process of gridzero. This list goes on afterwards.",
        "Did the Pi restart by itself, and the house come back?",
        "dtparam=watchdog=on, RuntimeWatchdogSec=0, the group of /dev/watchdog: gridzero doctor",
    ),
    _hand(
        "alerts",
        "You are told",
        "gridzero alerts test --config FILE",
        "Did the message arrive?",
        "docs/alerts.md: address, password, network",
    ),
)
STEP_OF = {step.key: step for step in STEPS}
