"""What people look at, beside a demo in real time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from gridzero.children import children
from gridzero.config.models import Config
from gridzero.demo.live import LiveSite
from gridzero.runtime.supervisor import Service


def people_beside(config: Config, file: Path, site: LiveSite) -> Iterator[Service]:
    """Companion and, where it is installed, web page of a demo; tells where to find them.

    What they write goes to a file: the screen belongs to the demo.
    """
    if find_spec("nicegui") is None:
        config = config.model_copy(update={"dashboard": None})
    if config.dashboard is not None:
        _tell(f"web page: http://{config.dashboard.host}:{config.dashboard.port}")
    if config.console.enabled:
        _tell(f"console: gridzero console {config.console.host}:{config.console.port}")
    output = (Path(config.site.state_dir) / "people.log").open("w", buffering=1)
    broker = ("--mqtt", f"127.0.0.1:{site.port}")
    yield from children(config, file, site.app.faults, site.app.clock, *broker, output=output)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
