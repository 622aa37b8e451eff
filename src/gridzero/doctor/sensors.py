"""Asks the devices on I2C whether they answer, and only while no gridzero runs.

A read of the register at the pointer 0 changes nothing in an ADS1115 (SBAS444, 9.6.1: conversion
register, read only).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gridzero.config.links import I2cLinkConfig
from gridzero.doctor.evidence import Evidence, Unseen
from gridzero.errors import LinkError
from gridzero.links.i2c_bus import RealI2c
from gridzero.real_links import up_soon

_OPEN_S = 1.5
_BUSY = Unseen("gridzero runs and owns the bus; its faults tell whether it answers")

Answers = Mapping[tuple[str, int], str | Unseen]


async def ask_sensors(seen: Evidence) -> Answers:
    """By link and address: "" = it answers."""
    if seen.house is None:
        return {}
    wanted = seen.house.sensors
    if seen.is_running or not isinstance(seen.others, tuple) or seen.others:
        return dict.fromkeys(wanted, _BUSY)
    return {place: await _ask(seen, *place) for place in wanted}


async def _ask(seen: Evidence, link: str, address: int) -> str | Unseen:
    assert seen.house is not None, "ask_sensors looked"
    section = seen.house.config.links.get(link)
    if not isinstance(section, I2cLinkConfig):
        return Unseen(f"{link} is no I2C bus")
    file = seen.devices.get(f"/dev/i2c-{section.bus_number}")
    if file is None or not file.exists or not file.may_open:
        return Unseen("its bus cannot be opened")
    return await _read(section.bus_number, link, address)


async def _read(number: int, link: str, address: int) -> str:
    bus = RealI2c(name=link, bus_number=number, report=_untold)
    task = asyncio.create_task(bus.run(), name="i2c")
    try:
        await up_soon(bus.health, _OPEN_S)
        await bus.read_word(address, 0)
    except LinkError as error:
        return error.what
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return ""


def _untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """The answer tells it."""
