"""What people look at, beside a demo in real time."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from gridzero.children import children
from gridzero.config.models import Config
from gridzero.demo.live import LiveSite, free_port
from gridzero.runtime.supervisor import Service


def people_beside(config: Config, file: Path, site: LiveSite) -> Iterator[Service]:
    """Companion and, where it is installed, web page of a demo.

    What they write goes to a file: the screen belongs to the demo.
    """
    output = (Path(config.site.state_dir) / "people.log").open("w", buffering=1)
    broker = ("--mqtt", f"127.0.0.1:{site.port}")
    shown = _that_can_be_shown(config)
    yield from children(shown, file, site.app.faults, site.app.clock, *broker, output=output)


def doors(config: Config) -> list[str]:
    """Where a person finds them, one a line."""
    shown, found = _that_can_be_shown(config), []
    if shown.dashboard is not None:
        found.append(_door("web page: http://", shown.dashboard.host, shown.dashboard.port))
    elif config.dashboard is not None:
        found.append("web page: pip install 'gridzero[dashboard]'")
    if shown.console.enabled:
        found.append(_door("console: gridzero console ", shown.console.host, shown.console.port))
    return found


def _door(words: str, host: str, port: int) -> str:
    """Where to find it; what already listens there is no part of this demo."""
    if free_port(port) != port:
        return f"{words.partition(':')[0]}: none, port {port} is taken"
    return f"{words}{host}:{port}"


def _that_can_be_shown(config: Config) -> Config:
    """Without a web page where its extra is not installed."""
    if find_spec("nicegui") is not None:
        return config
    return config.model_copy(update={"dashboard": None})
