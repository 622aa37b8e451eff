"""What is done to the real site, minute after minute: one row each."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import NamedTuple

from real_house import CABLES, RealHouse, lay_cable, order
from real_processes import Broker, Gridzero


class Site(NamedTuple):
    """Everything that can be hurt."""

    house: RealHouse
    broker: Broker
    gridzero: Gridzero


class Trouble(NamedTuple):
    """One row. for_s: how long.

    noticed, healed: words of gridzero's log that show it; "" = nothing is said. zero_s,
    charge_zero_s: power that was given (or taken) ends so long after the beginning; None = it goes
    on. heals_s: the goal for ``healed``; None = there is none but power within a minute.
    """

    name: str
    begin: Callable[[Site], None]
    end: Callable[[Site], None]
    for_s: float
    noticed: tuple[str, ...] = ()
    healed: tuple[str, ...] = ()
    zero_s: float | None = None
    charge_zero_s: float | None = None
    heals_s: float | None = None


def _down(link: str) -> Callable[[Site], None]:
    return lambda _: order("ip", "link", "set", CABLES[link][0], "down")


def _up(link: str) -> Callable[[Site], None]:
    return lambda _: order("ip", "link", "set", CABLES[link][0], "up")


def _pulled(_: Site) -> None:
    order("ip", "link", "del", CABLES["battery"][0])


def _plugged(_: Site) -> None:
    lay_cable("battery")


def _silent(site: Site) -> None:
    site.house.modules.silent.add(2)


def _speaks(site: Site) -> None:
    site.house.modules.silent.clear()


def _hang_pty(site: Site) -> None:
    """Nobody reads the line any more: the kernel's buffer fills, the inverter hears nothing."""
    asyncio.get_running_loop().remove_reader(site.house.pty()._device_fd)


def _free_pty(site: Site) -> None:
    pty = site.house.pty()
    asyncio.get_running_loop().add_reader(pty._device_fd, pty._readable)


def _lossy(_: Site) -> None:
    for ours, theirs in CABLES.values():
        for end in (ours, theirs):
            netem = ("root", "netem", "loss", "20%", "delay", "5ms")
            order("tc", "qdisc", "add", "dev", end, *netem)


def _lossless(_: Site) -> None:
    for ours, theirs in CABLES.values():
        for end in (ours, theirs):
            order("tc", "qdisc", "del", "dev", end, "root")


def _junk(site: Site) -> None:
    """Retained, on every topic that gridzero hears, and on many that it does not."""
    for topic in _JUNK:
        site.house.mqtt.publish(topic, b"\xff{junk", retain=True)


def _cleared(site: Site) -> None:
    for topic in _JUNK:
        site.house.mqtt.publish(topic, b"", retain=True)


_JUNK = (
    *("meterbox/grid", "gridzero/mode/set", "gridzero/power_w/set", "gridzero/state"),
    *("gridzero/energy_old", "homeassistant/status"),
    *(f"noise/{number}" for number in range(100)),
)


def _clock_on(_: Site) -> None:
    order("date", "-s", "+2 hours")


def _clock_back(_: Site) -> None:
    order("date", "-s", "-2 hours")


def _kill_companion(site: Site) -> None:
    if (pid := site.gridzero.companion) is not None:
        os.kill(pid, signal.SIGKILL)


def _nothing(_: Site) -> None:
    pass


_BUS = ("bus_silent.raised", "module_silent.raised", "link_down.raised")
_BUS_WELL = ("bus_silent.cleared",)
_MQTT_WELL = ("meter_lost.cleared",)

ONCE = (
    Trouble(
        "gridzero killed",
        lambda s: s.gridzero.kill(),
        lambda s: s.gridzero.start(),
        for_s=14.0,
        zero_s=12.0,
        charge_zero_s=36.0,
    ),
    Trouble("companion killed", _kill_companion, _nothing, for_s=1.0),
)
"""In the first minutes, so that processes have a long life after it."""

AGAIN = (
    Trouble(
        "mosquitto killed",
        lambda s: s.broker.end(),
        lambda s: s.broker.start(),
        for_s=18.0,
        noticed=("meter_lost.raised", "link.lost", "link_down.raised"),
        healed=_MQTT_WELL,
        zero_s=14.0,
        charge_zero_s=16.0,
        heals_s=5.0,
    ),
    Trouble(
        "battery interface down",
        _down("battery"),
        _up("battery"),
        for_s=15.0,
        noticed=_BUS,
        healed=_BUS_WELL,
        zero_s=10.0,
        charge_zero_s=12.0,
        heals_s=5.0,
    ),
    Trouble(
        "line hung",
        _hang_pty,
        _free_pty,
        for_s=15.0,
        zero_s=12.0,
    ),
    Trouble(
        "battery interface removed",
        _pulled,
        _plugged,
        for_s=15.0,
        noticed=_BUS,
        healed=_BUS_WELL,
        zero_s=10.0,
        charge_zero_s=12.0,
        heals_s=5.0,
    ),
    Trouble("20 % of frames lost", _lossy, _lossless, for_s=20.0),
    Trouble(
        "mosquitto hung",
        lambda s: s.broker.send(signal.SIGSTOP),
        lambda s: s.broker.send(signal.SIGCONT),
        for_s=18.0,
        noticed=("meter_lost.raised",),
        healed=_MQTT_WELL,
        zero_s=14.0,
        charge_zero_s=16.0,
        heals_s=5.0,
    ),
    Trouble(
        "rectifier interface down",
        _down("charger"),
        _up("charger"),
        for_s=15.0,
        noticed=("charger_silent.raised", "link_down.raised", "device_lost.raised"),
        healed=("charger_silent.cleared", "device_lost.cleared"),
        heals_s=5.0,
    ),
    Trouble("retained junk", _junk, _cleared, for_s=10.0),
    Trouble("clock two hours on", _clock_on, _clock_back, for_s=20.0),
    Trouble(
        "module silent",
        _silent,
        _speaks,
        for_s=15.0,
        noticed=("module_silent.raised",),
        healed=("module_silent.cleared",),
        zero_s=10.0,
        charge_zero_s=12.0,
        heals_s=5.0,
    ),
)
