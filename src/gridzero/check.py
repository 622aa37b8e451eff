"""``gridzero check``: what a configuration means, or everything that is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from gridzero.app import check_cells
from gridzero.config.loader import Loaded, load
from gridzero.config.summary import describe
from gridzero.errors import ConfigError
from gridzero.links.memory import MemoryLinks
from gridzero.plugins import Found
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import Device
from gridzero.ports.plugin import DriverContext
from gridzero.runtime.exit_codes import ExitCode
from gridzero.sim.loop import run_simulated


def check_file(file: Path, found: Found) -> ExitCode:
    """Say what a file means, or what is wrong with it; CONFIG where something is."""
    try:
        loaded = load(file, found.plugins, broken=found.reasons)
        devices = _build_devices(loaded, found)
        check_cells(loaded.config, devices.values())
    except ConfigError as error:
        _say(str(error))
        return ExitCode.CONFIG
    _say(f"{file}: good\n{describe(loaded, found.plugins, devices)}")
    return ExitCode.ASKED


def _build_devices(loaded: Loaded, found: Found) -> Mapping[str, Device]:
    """Build each device on links in memory, to find what only building finds."""

    def report(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        """Nothing runs, so nothing has happened."""

    async def build() -> dict[str, Device]:
        kinds = {name: link.type for name, link in loaded.config.links.items()}
        links, clock = MemoryLinks(kinds), LoopClock()
        return {
            name: found.plugins[loaded.config.devices[name]["driver"]].build(
                options, DriverContext(name, clock, links, report)
            )
            for name, options in loaded.device_options.items()
        }

    return run_simulated(build())


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
