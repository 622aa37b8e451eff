"""Whether some inverter works at every voltage that the battery is to have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gridzero.battery.cells.catalogue import CELLS, OF_PROFILE
from gridzero.battery.cells.model import CellModel
from gridzero.battery.profile import Profile, profile
from gridzero.config.models import Config
from gridzero.config.problems import Path
from gridzero.config.sketch import Sketch
from gridzero.domain.converters import DcWindow
from gridzero.ports.devices import Role

_SLACK_V = 0.5  # of a pack: the voltages are those at rest, and no measurement is better
_TOO_TALL = "It is for batteries of fewer cells: check its type in the options"


class _Pack(NamedTuple):
    """The voltages at rest that a battery is to have, V."""

    cell: CellModel
    series: int
    lowest_v: float
    highest_v: float

    def left_pct(self, pack_v: float) -> float:
        """State of charge with this voltage at rest, %."""
        return 100.0 * self.cell.soc_at(pack_v / self.series)


def window_warnings(sketch: Sketch, config: Config) -> Iterator[tuple[Path, str, str]]:
    """(key, what, remedy) for each inverter where none covers an end of the battery's voltages."""
    windows = {name: sketch.window_of(name) for name in sketch.of_role(Role.INVERTER)}
    pack = _pack(config)
    if pack is None or not windows:
        return
    if all(_stops_above(window, pack.lowest_v) for window in windows.values()):
        for name, window in windows.items():
            yield ("devices", name), *_too_low(window, pack)
    if all(_ends_below(window, pack.highest_v) for window in windows.values()):
        for name, window in windows.items():
            what = f"it must not be used above {window.max_v:g} V, a full battery has"
            yield ("devices", name), f"{what} {pack.highest_v:.1f} V", _TOO_TALL


def _too_low(window: DcWindow, pack: _Pack) -> tuple[str, str]:
    stop_v = window.stop_v or 0.0
    left = f"about {pack.left_pct(stop_v):.0f} % of the charge"
    what = f"it stops by itself at {stop_v:g} V: {left} stays in the battery"
    return what, "Correct system_v, stop_v and start_v if the inverter is of another kind"


def _stops_above(window: DcWindow, lowest_v: float) -> bool:
    return window.stop_v is not None and window.stop_v > lowest_v + _SLACK_V


def _ends_below(window: DcWindow, highest_v: float) -> bool:
    return window.max_v is not None and window.max_v < highest_v - _SLACK_V


def _pack(config: Config) -> _Pack | None:
    """None where the battery's own numbers are wrong, which is told elsewhere."""
    battery = config.battery
    try:
        limits: Profile = profile(battery.profile, battery.overrides, battery.series_cells)
    except ValueError:
        return None
    cell, series = CELLS[OF_PROFILE[battery.profile]], limits.series_cells
    lowest_v = max(limits.empty_cell_v, cell.open_v(config.control.min_soc_pct / 100.0))
    return _Pack(cell, series, series * lowest_v, series * limits.full_cell_v)
