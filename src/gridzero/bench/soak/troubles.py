"""What breaks during the month: one row per trouble, drawn several times a day."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from gridzero.bench.soak.world import World
from gridzero.ports.links import CanFrame

Act = Callable[[World, Random, bool], None]
"""Called with (world, dice, whether it begins or ends)."""

INVERTER_FORGETS_S, RECTIFIER_FORGETS_S = 10.0, 30.0


class Trouble(NamedTuple):
    """One way to hurt the house.

    longest_s: it lasts 5 s up to so long. charge_s, discharge_s: how much later a command to stop
    takes effect meanwhile (a device that nobody can reach goes on until it forgets).
    """

    name: str
    act: Act
    longest_s: float = 600.0
    charge_s: float = 0.0
    discharge_s: float = 0.0


def _meter_lost(world: World, _dice: Random, begins: bool) -> None:
    world.twin("meter").silent = begins


def _meter_garbage(world: World, dice: Random, begins: bool) -> None:
    junk = dice.choice((b"unavailable", b"NaN", b"[]", b"\xff\xfe", b"", b"1e400"))
    world.twin("meter").garbage = junk if begins else None


def _broker_gone(world: World, _dice: Random, begins: bool) -> None:
    for client in world.media.broker.clients:
        client.plugged = not begins


def _bus_lost(name: str) -> Act:
    def act(world: World, _dice: Random, begins: bool) -> None:
        world.media.can_bus(name).plugged = not begins

    return act


def _module_silent(world: World, _dice: Random, begins: bool) -> None:
    silent = world.twin("battery").silent
    if begins:
        silent.add(world.twin("battery").modules[0].member.number)
    else:
        silent.clear()


def _wire_lost(world: World, _dice: Random, begins: bool) -> None:
    world.media.wire("inverter").plugged = not begins


def _inverter_dead(world: World, _dice: Random, begins: bool) -> None:
    world.twin("inverter").off_mains = begins


def _shunt_unplugged(world: World, _dice: Random, begins: bool) -> None:
    world.twin("shunt").unplugged = begins


def _killed(world: World, _dice: Random, begins: bool) -> None:
    if begins:
        world.kill()
    else:
        world.start()


def _companion_killed(world: World, _dice: Random, begins: bool) -> None:
    if begins:
        world.beside.kill()
    else:
        world.beside.begin()


def _power_cut(world: World, _dice: Random, begins: bool) -> None:
    """The mains are gone for all: converters, Pi and broker."""
    world.house.mains_v = 0.0 if begins else 230.0
    world.twin("inverter").off_mains = begins
    _killed(world, _dice, begins)
    _companion_killed(world, _dice, begins)


def _disk_full(world: World, _dice: Random, begins: bool) -> None:
    world.disk.is_full = begins


def _clock_step(world: World, dice: Random, begins: bool) -> None:
    world.clock_off_s = dice.choice((-86_400.0, -3600.0, 120.0, 7200.0)) if begins else 0.0


def _clock_1970(world: World, _dice: Random, begins: bool) -> None:
    world.clock_off_s = -world.utc_s() if begins else 0.0


def _babble(world: World, dice: Random, begins: bool) -> None:
    bus = world.media.can_bus(dice.choice(("battery_a", "charger")))
    nobody = bus.attach()
    bus.ends.remove(nobody)

    def speak() -> None:
        for _ in range(40):
            if bus.plugged:
                bus.put(nobody, CanFrame(dice.randrange(0x80), bytes(8)))

    _each_step(world, "babble", speak if begins else None)


def _mqtt_flood(world: World, dice: Random, begins: bool) -> None:
    def speak() -> None:
        for _ in range(10):
            key = dice.choice(("mode", "power_w", "identify", "strategy", "ev_hold", "nothing"))
            payload = dice.choice((b"nan", b"", b"\xff\xfe", b"{}", b"9" * 4000))
            world.beside.say(f"gridzero/{key}/set", payload)

    _each_step(world, "flood", speak if begins else None)


def _each_step(world: World, name: str, act: Callable[[], None] | None) -> None:
    if act is not None:
        world.each_step[name] = act
    else:
        world.each_step.pop(name, None)


def _people(world: World, dice: Random, begins: bool) -> None:
    """Who tries every switch, and puts it back in the end."""
    if not begins:
        for key, _, usual in _SWITCHES:
            world.beside.ask(key, usual)
        return
    for key, values, _ in dice.sample(_SWITCHES, 4):
        world.beside.ask(key, dice.choice(values))


_SWITCHES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("mode", ("hold", "auto", "off"), "auto"),
    ("target_w", ("-50", "100"), "0"),
    ("max_charge_w", ("400", "1500"), "2800"),
    ("max_discharge_w", ("200", "600"), "900"),
    ("ramp_w_per_s", ("20", "100"), "0"),
    ("strategy", ("self_use", "peak_shave", "tariff"), "self_use"),
    ("reserve_soc_pct", ("20", "60"), "0"),
    ("max_soc_pct", ("70", "90"), "100"),
    ("maintenance", ("on", "off"), "off"),
    ("ev_hold", ("on", "off"), "off"),
)

_UNREACHABLE_S = RECTIFIER_FORGETS_S + 5.0

TROUBLES = (
    Trouble("meter_lost", _meter_lost),
    Trouble("meter_garbage", _meter_garbage),
    Trouble("broker_gone", _broker_gone, 3600.0),
    Trouble("bus_silent", _bus_lost("battery_a")),
    Trouble("module_silent", _module_silent),
    Trouble("rectifier_bus_silent", _bus_lost("charger"), charge_s=_UNREACHABLE_S),
    Trouble("inverter_wire_lost", _wire_lost, discharge_s=INVERTER_FORGETS_S),
    Trouble("inverter_dead", _inverter_dead),
    Trouble("shunt_unplugged", _shunt_unplugged),
    Trouble(
        "process_killed", _killed, 60.0, charge_s=_UNREACHABLE_S, discharge_s=INVERTER_FORGETS_S
    ),
    Trouble("companion_killed", _companion_killed, 60.0),
    Trouble(
        "power_cut", _power_cut, 1800.0, charge_s=_UNREACHABLE_S, discharge_s=INVERTER_FORGETS_S
    ),
    Trouble("disk_full", _disk_full, 3600.0),
    Trouble("clock_step", _clock_step, 3600.0),
    Trouble("clock_1970", _clock_1970, 3600.0),
    Trouble("can_babble", _babble, 60.0),
    Trouble("mqtt_flood", _mqtt_flood, 30.0),
    Trouble("people", _people, 3600.0),
)
