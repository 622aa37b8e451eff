"""Finds the drivers: entry points of the group ``gridzero.drivers``."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

import structlog

from gridzero.errors import GridzeroError
from gridzero.ports.plugin import DriverPlugin, Options

log = structlog.get_logger()

GROUP = "gridzero.drivers"


class PluginError(GridzeroError):
    """A driver that cannot be used; the others are not touched by it."""


class Found(NamedTuple):
    """plugins: what can be used. broken: what cannot, and why. Both by driver name."""

    plugins: dict[str, DriverPlugin]
    broken: dict[str, PluginError]

    @property
    def reasons(self) -> dict[str, str]:
        """Why each broken driver is broken, in words."""
        return {name: error.what for name, error in self.broken.items()}


def load_plugins() -> dict[str, DriverPlugin]:
    """All installed drivers by name. Broken ones are logged with their name and left out."""
    found = find_plugins()
    for name, error in found.broken.items():
        log.error("driver.broken", driver=name, what=error.what, remedy=error.remedy)
    return found.plugins


def find_plugins(points: Iterable[EntryPoint] | None = None) -> Found:
    """All installed drivers, sorted by name. Raises nothing.

    points: where to look, by default all entry points of the group.
    """
    found = Found({}, {})
    values: dict[str, str] = {}
    candidates = entry_points(group=GROUP) if points is None else points
    for point in sorted(candidates, key=lambda p: (p.name, p.value)):
        if values.get(point.name) == point.value:
            continue  # the same package found by two ways
        try:
            if point.name in values:
                raise _error(point, f"{values[point.name]} has the same name")
            found.plugins[point.name] = _load(point)
        except PluginError as error:
            found.plugins.pop(point.name, None)  # of two, neither: nobody knows which is meant
            found.broken[point.name] = error
        values[point.name] = point.value
    return found


def _load(point: EntryPoint) -> DriverPlugin:
    try:
        plugin = point.load()
    except Exception as error:  # a stranger's module may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise _error(point, f"{point.value} cannot be imported: {reason}") from error
    if not isinstance(plugin, DriverPlugin):
        raise _error(point, f"{point.value} is a {type(plugin).__name__}, not a DriverPlugin")
    if plugin.name != point.name:
        raise _error(point, f"{point.value} calls itself {plugin.name!r}")
    if not issubclass(plugin.options, Options):
        raise _error(point, f"the options of {point.value} are no subclass of Options")
    return plugin


def _error(point: EntryPoint, what: str) -> PluginError:
    remedy = "Install its package again, or report this to its maker"
    return PluginError(what, where=f"driver {point.name}", remedy=remedy)
