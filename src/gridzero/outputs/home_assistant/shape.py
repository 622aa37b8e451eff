"""What devices there are, as gridzero itself says: every configured one, heard or silent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from gridzero import __version__
from gridzero.outputs.feed import Feed
from gridzero.outputs.home_assistant.controls import CATALOGUE, control_rows
from gridzero.outputs.home_assistant.happenings import event_row
from gridzero.outputs.home_assistant.main_rows import MAIN_ROWS, money_rows
from gridzero.outputs.home_assistant.rows import Row
from gridzero.outputs.home_assistant.unit_rows import converter_rows, module_rows
from gridzero.outputs.home_assistant.update import Releases, update_row

MAIN: Final = "main"
_NAME: Final = re.compile(r"[a-z0-9_]{1,40}")
_MOST_DEVICES: Final = 64
_MOST_CELLS: Final = 32
_NO_VALUES: Final = frozenset({"value"})


@dataclass(frozen=True, slots=True)
class Shape:
    """Names of everything, what can be set, and whether a newer gridzero waits on the disk."""

    modules: tuple[tuple[str, int], ...]
    chargers: tuple[str, ...]
    inverters: tuple[str, ...]
    said: str
    can_update: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """One device with its entities. key: stable, part of topics and unique ids."""

    key: str
    name: str
    model: str
    rows: tuple[Row, ...]

    @property
    def subsystem(self) -> str:
        """What all its entities need; "" for the main device."""
        return "" if self.key == MAIN else self.key

    @property
    def subsystems(self) -> frozenset[str]:
        """All that its entities need."""
        return frozenset({self.subsystem, *(row.needs for row in self.rows)} - {""})


def shape_of(feed: Feed) -> Shape | None:
    """None before gridzero has named all its devices."""
    state, cells = feed.latest("state"), feed.latest("cells")
    if state is None or cells is None:
        return None
    modules = tuple((name, _cells(cells[name])) for name in _names(cells))
    said = controls_of(feed)
    return Shape(
        modules, tuple(_names(state.get("chargers"))), tuple(_names(state.get("inverters"))), said
    )


def controls_of(feed: Feed) -> str:
    """What can be set, without the present values: a change of those changes no entity."""
    said = feed.latest("settings") or CATALOGUE
    return repr(
        {
            group: {key: _without_value(row) for key, row in said[group].items()}
            for group in ("settings", "actions")
            if isinstance(said.get(group), Mapping)
        }
    )


def _without_value(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    return {key: value for key, value in row.items() if key not in _NO_VALUES}


def _names(table: Any) -> Iterator[str]:
    names = table if isinstance(table, Mapping) else ()
    fitting = [str(name) for name in names if _NAME.fullmatch(str(name))]
    yield from fitting[:_MOST_DEVICES]


def _cells(module: Any) -> int:
    volts = module.get("cells_v") if isinstance(module, Mapping) else None
    return min(len(volts), _MOST_CELLS) if isinstance(volts, list) else 0


def devices_of(
    feed: Feed, shape: Shape, name: str, currency: str, releases: Releases
) -> Iterator[Device]:
    """The main device first: the others name it as the way to them."""
    said = feed.latest("settings") or CATALOGUE
    rows = (
        *MAIN_ROWS,
        *money_rows(currency),
        *control_rows(said, feed.prefix),
        event_row(),
        update_row(releases.shown, feed.prefix, is_ready=shape.can_update),
    )
    yield Device(MAIN, name, "home battery", rows)
    for module, cells in shape.modules:
        title = f"{name} module {module}"
        yield Device(f"module_{module}", title, "battery module", tuple(module_rows(module, cells)))
    for kind, names in (("charger", shape.chargers), ("inverter", shape.inverters)):
        for unit in names:
            rows = tuple(converter_rows(f"{kind}s", unit))
            yield Device(f"{kind}_{unit}", f"{name} {unit}", kind, rows)


def node_of(prefix: str) -> str:
    """An id for all unique ids: from the topic prefix, which no two gridzeros of a broker share.

    So it outlives a new name, a lost state folder and a new machine.
    """
    slug = re.sub(r"[^a-z0-9_]", "_", prefix.lower())
    return slug if slug == prefix else f"{slug}_{crc32(prefix.encode()):08x}"


VERSION: Final = __version__
