"""The single keys, as rows: those of the firmware this house had before, and their meaning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from gridzero.outputs.console import say_battery
from gridzero.outputs.console.dig import dig, number
from gridzero.outputs.console.paint import line
from gridzero.outputs.console.words import Desk
from gridzero.ports.devices import Role

KeyRun = Callable[[Desk], Awaitable[bool]]


def _orders(what: str, value: str = "") -> KeyRun:
    async def run(desk: Desk) -> bool:
        return await desk.ask(what, value)

    return run


def _switches(key: str) -> KeyRun:
    """The other way round than it stands; not without knowing how it stands."""

    async def run(desk: Desk) -> bool:
        value = dig(desk.heard.latest("settings"), "settings", key, "value")
        if value not in {True, False, "on", "off"}:
            desk.say([line(("warn", f"{key} is not known yet, so it is not switched"))])
            return False
        return await desk.ask(key, "off" if value in {True, "on"} else "on")

    return run


async def _balance(desk: Desk) -> bool:
    forced_h = number(desk.heard.latest("battery"), "balancing", "forced_h")
    return await desk.ask("balance", "now" if forced_h is None else "stop")


async def _debug(desk: Desk) -> bool:
    """On, and off again."""
    is_done = await desk.ask("log", "info" if desk.is_debug else "debug")
    desk.is_debug ^= is_done
    return is_done


async def _battery(desk: Desk) -> bool:
    desk.say(say_battery.battery(desk.heard))
    return True


async def _cells(desk: Desk) -> bool:
    desk.say(say_battery.cells(desk.heard))
    return True


def _traces(role: Role) -> KeyRun:
    async def run(desk: Desk) -> bool:
        names = desk.tracer.of_role(role)
        if not names:
            desk.say([line(("warn", f"no {role.value} has a link that can be traced"))])
            return False
        return await desk.follow_link(names[0], raw=False)

    return run


async def _watch(desk: Desk) -> bool:
    return await desk.watch()


async def _leave(desk: Desk) -> bool:
    return desk.leave()


SINGLE_KEYS: Mapping[str, KeyRun] = {
    "q": _leave,
    "R": _orders("restart"),
    "-": _orders("flip_shunt"),
    "r": _orders("clear_full"),
    "d": _debug,
    "C": _traces(Role.CHARGER),
    "B": _traces(Role.CELLS),
    "b": _battery,
    "l": _balance,
    "c": _switches("allow_charge"),
    "i": _switches("allow_discharge"),
    "%": _orders("soc_from_voltage"),
    "!": _orders("soc_full"),
    "p": _cells,
    " ": _watch,
}
"""vw-gte protocol notes, section 6.9."""
