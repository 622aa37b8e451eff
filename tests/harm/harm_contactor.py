"""A normally open contactor between battery and rectifier, that lives by being fed."""

from __future__ import annotations

import asyncio
from typing import Any


class FedContactor:
    """Meets ports.devices.Switch. Falls open by itself when its lease is not renewed."""

    name = "contactor"

    def __init__(self) -> None:
        self._until_s = float("-inf")

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        self.open()

    def close(self, until_s: float) -> None:
        self._until_s = until_s

    def open(self) -> None:
        self._until_s = float("-inf")

    def is_closed(self) -> bool:
        return asyncio.get_running_loop().time() < self._until_s


class OneLife:
    """What one process feeds; after its death nothing that it says reaches the coil."""

    name = "contactor"

    def __init__(self, coil: FedContactor) -> None:
        self.is_cut = False
        self._coil = coil

    def close(self, until_s: float) -> None:
        if not self.is_cut:
            self._coil.close(until_s)

    def open(self) -> None:
        if not self.is_cut:
            self._coil.open()

    def is_closed(self) -> bool:
        return self._coil.is_closed()


def put_between(contactor: FedContactor, power: Any) -> None:
    """While open, no current flows, whatever the rectifier (twin_power.PowerStage) is told."""
    advance = power.advance

    def guarded(seconds: float, world: Any, **told: Any) -> None:
        advance(seconds, world, **told)
        if not contactor.is_closed():
            power.amps = 0.0
            power._settle(0.0, world.battery_v)

    power.advance = guarded
