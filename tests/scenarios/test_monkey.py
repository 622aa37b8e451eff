"""A monkey at every wire of the demo's house: random troubles, the same ones for each seed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

import pytest
from invariants import keeps_every_limit
from scenario import Story, house

from gridzero.domain.decision import Decision
from gridzero.domain.modes import Mode
from gridzero.domain.snapshot import Snapshot
from gridzero.errors import GridzeroError

SEEDS = range(int(os.environ.get("GRIDZERO_FUZZ_MONKEYS", "6")))

_QUIET_S, _PLAY_S = 45.0, 60.0
_LENGTHS_S = (0.4, 2.0, 8.0, 20.0)
_LOADS_W = (300.0, 650.0, -900.0)
_STEP_S = 0.25
_SOON_S, _AT_LAST_S = 120.0, 480.0
_WATCHED_S = 20.0
_SETTLED_W = 45.0
_GARBAGE = (
    b"",
    b"NaN",
    b"-inf",
    b"1e400",
    b"\xff\x00",
    b"{",
    b"[]",
    b"9" * 5000,
    b"99999999",
    b"12;3",
)
_WISHES = (b"nan", b"-1", b"1e9", b"", b"\xff", b"discharge", b"off", b"hold", b"300")
_TOPICS = ("mode", "power_w", "target_w", "balancing", "identify")

Act = Callable[[Story, Random, bool], None]


def _meter_says_garbage(story: Story, chance: Random, on: bool) -> None:
    story.twin["meter"].garbage = chance.choice(_GARBAGE) if on else None


def _meter_spikes(story: Story, chance: Random, on: bool) -> None:
    power_w = chance.choice((-60_000, -2000, 0, 2000, 60_000))
    story.twin["meter"].garbage = b"%d" % power_w if on else None


def _meter_is_late(story: Story, chance: Random, on: bool) -> None:
    story.twin["meter"].jitter_s = chance.uniform(0.2, 3.0) if on else 0.0


def _inverter_lost_on_the_wire(story: Story, _chance: Random, on: bool) -> None:
    story.site.links.wire("inverter").plugged = not on


def _bus_lost(name: str) -> Act:
    def act(story: Story, _chance: Random, on: bool) -> None:
        story.site.links.can_bus(name).plugged = not on

    return act


def _knob(device: str, name: str, *, on: Any = True, off: Any = False) -> Act:
    def act(story: Story, _chance: Random, is_on: bool) -> None:
        setattr(story.twin[device], name, on if is_on else off)

    return act


def _rectifier_stuck(story: Story, chance: Random, on: bool) -> None:
    story.twin["rectifier"].power.stuck_at_a = chance.uniform(0.0, 20.0) if on else None


def _module_silent(story: Story, _chance: Random, on: bool) -> None:
    (story.twin["battery"].silent.add if on else story.twin["battery"].silent.discard)(3)


def _owner_types(story: Story, chance: Random, on: bool) -> None:
    client = story.site.links.broker.attach()
    if on:
        client.publish(f"gridzero/{chance.choice(_TOPICS)}/set", chance.choice(_WISHES))
        return
    with suppress(GridzeroError):
        story.site.app.site.settings.change(mode=Mode.AUTO, power_w=0.0, target_w=0.0)


_ACTS: tuple[Act, ...] = (
    _meter_says_garbage,
    _meter_spikes,
    _meter_is_late,
    _knob("meter", "silent"),
    _knob("meter", "frozen"),
    _inverter_lost_on_the_wire,
    _knob("inverter", "off_mains"),
    _knob("inverter", "stuck"),
    _knob("inverter", "silent"),
    _knob("inverter", "slew_scale", on=0.3, off=1.0),
    _knob("inverter", "dead_time_s", on=3.0, off=0.3),
    _bus_lost("charger"),
    _bus_lost("battery_a"),
    _knob("rectifier", "silent"),
    _knob("rectifier", "deaf"),
    _rectifier_stuck,
    _module_silent,
    _knob("shunt", "unplugged"),
    _knob("shunt", "frozen"),
    _owner_types,
)


class _Prank(NamedTuple):
    act: Act
    from_s: float
    to_s: float


def _pranks(chance: Random) -> list[_Prank]:
    found = []
    for _ in range(chance.randint(2, 6)):
        from_s = _QUIET_S + chance.uniform(0.0, _PLAY_S)
        found.append(_Prank(chance.choice(_ACTS), from_s, from_s + chance.choice(_LENGTHS_S)))
    return found


async def _play(story: Story, pranks: list[_Prank], chance: Random) -> None:
    turns = [(p.from_s, p.act, True) for p in pranks] + [(p.to_s, p.act, False) for p in pranks]
    for at_s, act, on in sorted(turns, key=lambda turn: turn[0]):
        await story.until(at_s)
        act(story, chance, on)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_monkey_at_the_wires_breaks_no_limit_and_leaves_no_wind_up(seed: int) -> None:
    chance = Random(seed)
    load_w, pranks = chance.choice(_LOADS_W), _pranks(chance)
    broken: list[AssertionError] = []

    def watch(now: Snapshot, decision: Decision) -> None:
        try:
            keeps_every_limit(now, decision)
        except AssertionError as error:
            broken.append(error)

    async with house(load_w=max(load_w, 0.0), sun_w=max(-load_w, 0.0)) as story:
        story.site.app.site.on_decision(watch)
        await _play(story, pranks, chance)
        over_s = story.now_s
        for deadline_s in (_SOON_S, _AT_LAST_S):
            await story.until(over_s + deadline_s + _WATCHED_S)
            if _held(story, over_s + deadline_s):
                break
        assert not broken, f"{pranks}: {broken[0]}"
        assert _held(story, over_s + deadline_s), (pranks, story.moments[-1], story.events)


def _held(story: Story, from_s: float) -> bool:
    return all(abs(m.grid_w) < _SETTLED_W for m in story.between(from_s, from_s + _WATCHED_S))
