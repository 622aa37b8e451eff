"""A configuration checked wholly: as it is written, and as only building its devices shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gridzero.app import check_cells
from gridzero.config.files import read_text
from gridzero.config.loader import Loaded, load_text
from gridzero.errors import ConfigError
from gridzero.links.memory import MemoryLinks
from gridzero.plugins import Found
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import Device
from gridzero.ports.plugin import DriverContext
from gridzero.sim.loop import run_simulated


class Checked(NamedTuple):
    """A configuration that can be started. devices: built on links in memory, never started."""

    text: str
    loaded: Loaded
    devices: Mapping[str, Device]


def check_file(file: Path, found: Found) -> Checked:
    """Read and check a file. Raises ConfigError with everything that is wrong with it.

    Takes a while and blocks; a running loop leaves it to a thread.
    """
    return check_text(read_text(file), file, found)


def check_settled(file: Path, found: Found) -> Checked:
    """The same of a file that somebody may be writing just now: half of one can be a good one."""
    checked = check_file(file, found)
    if read_text(file) != checked.text:
        raise ConfigError(
            "it changed while it was read", where=str(file), remedy="Ask again once it is saved"
        )
    return checked


def check_text(text: str, file: Path, found: Found) -> Checked:
    """The same of a text; file names it and tells where its secrets are."""
    loaded = load_text(text, file, found.plugins, broken=found.reasons)
    devices = _build_devices(loaded, found)
    check_cells(loaded.config, devices.values())
    return Checked(text, loaded, devices)


def _build_devices(loaded: Loaded, found: Found) -> Mapping[str, Device]:
    """Each device on links in memory, to find what only building finds."""

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
