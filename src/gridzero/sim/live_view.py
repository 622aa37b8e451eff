"""A calm picture of the house in a terminal, and one plain line where there is none.

The view only looks: it is given a function that tells the present state, in which everything
may be unknown. Unknown is shown as a dash, never as 0.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import NoReturn

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.style import Style
from rich.text import Text

from gridzero.domain.events import Event, Severity
from gridzero.domain.readings import ModuleReading

_LABEL = "grey62"
_FAINT = "grey35"
_GOOD = "dark_sea_green3"
_BUYS = "light_salmon3"
_SELLS = "sky_blue3"
_SUN = "khaki3"
_STORES = "medium_turquoise"
_ALARM = "indian_red1"

_UNKNOWN = "\u2013"
_QUIET_W = 25.0
_WIDE = 92
_FAULT_LINES = 4
_PLAIN = Console()  # only to break lines
_LOW_V, _HIGH_V = 3.2, 4.15
_HEAT = ("#1c3552", "#22404f", "#27474a", "#2f4a3f", "#454a35", "#574a2e", "#6b4628")
_DANGER = "#8a2f2f"
_BLOCKS = " ▁▂▃▄▅▆▇█"
_DIGITS = {
    "0": ("┏━┓", "┃ ┃", "┗━┛"),
    "1": (" ┓ ", " ┃ ", " ┻ "),
    "2": ("╺━┓", "┏━┛", "┗━╸"),
    "3": ("╺━┓", " ━┫", "╺━┛"),
    "4": ("╻ ╻", "┗━┫", "  ╹"),
    "5": ("┏━╸", "┗━┓", "╺━┛"),
    "6": ("┏━╸", "┣━┓", "┗━┛"),
    "7": ("╺━┓", "  ┃", "  ╹"),
    "8": ("┏━┓", "┣━┫", "┗━┛"),
    "9": ("┏━┓", "┗━┫", "╺━┛"),
    "+": ("   ", "╺╋╸", "   "),
    "-": ("   ", "╺━╸", "   "),
    "W": ("╻ ╻", "┃╻┃", "┗┻┛"),
    " ": (" ", " ", " "),
}


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A charger or inverter. ac_w > 0 toward the house."""

    name: str
    state: str
    ac_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewState:
    """All that is drawn; None is unknown. Signs and units as everywhere.

    seconds: time run. clock: what to show as the time. speed: times real time. because: the
    reason in plain words. soc, soc_sigma: state of charge as estimated, 0..1, and its standard
    deviation. outlook: how long the charge lasts, balancing and health, in words. charge_w,
    discharge_w: what the limits allow now (magnitudes), with charge_because and
    discharge_because why not more. faults: the active ones. score: of the last hour, in words.
    told: what stands at the foot, for whoever looks.
    """

    seconds: float | None = None
    clock: str = ""
    speed: float | None = None
    meter_age_s: float | None = None
    mode: str = ""
    because: str = ""
    grid_w: float | None = None
    load_w: float | None = None
    pv_w: float | None = None
    battery_w: float | None = None
    pack_v: float | None = None
    pack_a: float | None = None
    soc: float | None = None
    soc_sigma: float | None = None
    outlook: str = ""
    min_cell_v: float | None = None
    max_cell_v: float | None = None
    min_cell: str = ""
    max_cell: str = ""
    low_c: float | None = None
    high_c: float | None = None
    charge_w: float | None = None
    discharge_w: float | None = None
    charge_because: str = ""
    discharge_because: str = ""
    units: Sequence[UnitRow] = ()
    modules: Sequence[ModuleReading] = ()
    faults: Sequence[Event] = ()
    score: str = ""
    told: str = ""


class History:
    """The recent past of one power, one column for each stretch of column_s.

    A column keeps its largest excursion, so that no spike is averaged away.
    """

    def __init__(self, column_s: float, columns: int = 400) -> None:
        self._column_s = column_s
        self._values: deque[float] = deque(maxlen=columns)
        self._stretch: int | None = None

    def note(self, seconds: float | None, power_w: float | None) -> None:
        """Take a value; without a time each one is a column."""
        value, stretch = known(power_w), self._stretch_of(seconds)
        if stretch is None or stretch != self._stretch or not self._values:
            self._values.append(value or 0.0)
        elif value is not None and abs(value) > abs(self._values[-1]):
            self._values[-1] = value
        self._stretch = stretch

    def newest(self, columns: int) -> list[float]:
        """The last so many values, oldest first."""
        return list(self._values)[-columns:] if columns > 0 else []

    def _stretch_of(self, seconds: float | None) -> int | None:
        seconds = known(seconds)
        return None if seconds is None else int(seconds // self._column_s)


@dataclass
class LiveView:
    """Draws what state() tells, every_s of the loop's time, until cancelled.

    On a terminal it takes the whole screen; elsewhere it prints a line every plain_every_s.
    column_s: how much time one column of the charts stands for.
    """

    state: Callable[[], ViewState]
    console: Console = field(default_factory=Console)
    every_s: float = 0.5
    plain_every_s: float = 5.0
    column_s: float = 5.0

    def __post_init__(self) -> None:
        self._grid = History(self.column_s)
        self._battery = History(self.column_s)

    async def run(self) -> NoReturn:
        """Show until cancelled; the terminal is as before afterwards."""
        if self.console.is_terminal:
            await self._run_screen()
        while True:
            line = plain_line(self.state())
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
            await asyncio.sleep(self.plain_every_s)

    async def _run_screen(self) -> NoReturn:
        with Live(console=self.console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(self.picture(self.state()), refresh=True)
                await asyncio.sleep(self.every_s)

    def picture(self, now: ViewState) -> Picture:
        """What to draw now; also remembers the powers for the charts."""
        self._grid.note(now.seconds, now.grid_w)
        self._battery.note(now.seconds, now.battery_w)
        return Picture(now, self._grid, self._battery, self.column_s)


@dataclass(frozen=True, slots=True)
class Picture:
    """A rich renderable that fits itself into the space there is."""

    now: ViewState
    grid: History
    battery: History
    column_s: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One Text a line; never more lines than the terminal has."""
        width, height = options.max_width, options.height or console.height
        for line in self.lines(width, height)[:height]:
            line.no_wrap, line.overflow = True, "ellipsis"
            yield line

    def lines(self, width: int, height: int) -> list[Text]:
        """Everything that fits, in order; what matters less gives way."""
        head = [*self._header(width), *self._powers(width)]
        flow = [self._flow(), self._because()]
        pack = [self._pack(wide=width >= _WIDE), self._limits()]
        cells = list(_cells(self.now.modules, wide=width >= _WIDE))
        spare = height - len(head) - len(flow) - len(pack) - len(cells)
        alarms = list(_faults(self.now.faults, max(spare, _FAULT_LINES), width))
        spare -= len(alarms)
        for told in (self._outlook(), self._score()):
            if spare >= 1 and told is not None:
                pack.append(told)
                spare -= 1
        if spare < 0:
            cells = _shortened(cells, len(cells) + spare)
        if spare >= 1:
            flow.append(Text())
        if spare >= 2 and cells:
            pack.append(Text())
        if spare >= 3 and alarms:
            cells.append(Text())
        if spare >= 4:
            head.append(Text())
        lines = [*head, *flow, *pack, *cells, *alarms]
        return lines + self._foot(height - len(lines))

    def _foot(self, room: int) -> list[Text]:
        """Where else to look, on the last row."""
        if room < 1 or not self.now.told:
            return []
        return [*(Text() for _ in range(room - 1)), Text(f"  {self.now.told}", _LABEL)]

    def _header(self, width: int) -> Iterator[Text]:
        now = self.now
        left = Text.assemble((" gridzero", f"bold {_GOOD}"), ("  " + now.mode, "bold"))
        age_s = known(now.meter_age_s)
        late = age_s is None or age_s > 1.5
        right = Text(style=_LABEL)
        for part in (now.clock, _speed(now.speed)):
            right.append(part + "   " if part else "")
        right.append(f"meter {number(age_s, '.1f')} s ", _ALARM if late else _LABEL)
        gap = max(width - left.cell_len - right.cell_len, 1)
        yield Text.assemble(left, " " * gap, right)
        yield Text("─" * width, _FAINT)

    def _powers(self, width: int) -> Iterator[Text]:
        """The grid power in large digits, and two charts beside it."""
        grid_w = known(self.now.grid_w)
        style = _grid_style(grid_w)
        left = [Text(f"{'  ' + _grid_word(grid_w):<32}", style)]
        left += [Text(f"{'  ' + row:<32}", style) for row in _large(grid_w)]
        columns = max(width - 32 - 19, 0)
        span = _span(columns * self.column_s)
        charts = [
            *_chart(("grid", span), self.grid.newest(columns), columns, (_BUYS, _SELLS)),
            *_chart(("battery", ""), self.battery.newest(columns), columns, (_GOOD, _STORES)),
        ]
        for number_part, chart_part in zip(left, charts, strict=True):
            yield Text.assemble(number_part, chart_part)

    def _flow(self) -> Text:
        """Sun and battery on their ways to or from the house."""
        now = self.now
        battery_w = known(now.battery_w)
        arrow, style = _battery_arrow(battery_w)
        line = Text.assemble("  ", ("sun ", _LABEL), (watts(now.pv_w), _SUN))
        line.append(" ━━▶ " if (known(now.pv_w) or 0.0) >= 1.0 else " ─── ", _FAINT)
        line.append("house ", _LABEL).append(watts(now.load_w), "bold")
        line.append(arrow, style if battery_w else _FAINT)
        line.append("battery ", _LABEL).append(watts(battery_w, absolute=True), style)
        for unit in now.units:
            line.append(f"   {unit.name} ", _FAINT).append(_doing(unit), _LABEL)
        return line

    def _because(self) -> Text:
        return Text.assemble("  ", (self.now.because or _UNKNOWN, "italic"))

    def _pack(self, *, wide: bool) -> Text:
        now = self.now
        low_v, high_v = known(now.min_cell_v), known(now.max_cell_v)
        line = Text.assemble("  ", ("pack ", _LABEL), f"{number(now.pack_v, '.2f')} V")
        line.append(f"  {number(now.pack_a, '+.1f')} A")
        line.append(f"  {_charge(now.soc, now.soc_sigma)}", "bold")
        line.append("   cells ", _LABEL)
        line.append(f"{number(low_v, '.3f')} to {number(high_v, '.3f')} V")
        if low_v is not None and high_v is not None:
            line.append(f"  {(high_v - low_v) * 1000.0:.0f} mV", _LABEL)
            line.append(_named(now.min_cell, now.max_cell) if wide else "", _FAINT)
        line.append(f"   {number(now.low_c, '.0f')} to {number(now.high_c, '.0f')} °C")
        return line

    def _outlook(self) -> Text | None:
        return Text(f"  {self.now.outlook}", _LABEL) if self.now.outlook else None

    def _score(self) -> Text | None:
        return Text(f"  last hour {self.now.score}", _LABEL) if self.now.score else None

    def _limits(self) -> Text:
        now = self.now
        line = Text.assemble("  ", ("may give ", _LABEL), watts(now.discharge_w))
        line.append(f" ({now.discharge_because})" if now.discharge_because else "", _LABEL)
        line.append("   may take ", _LABEL).append(watts(now.charge_w))
        return line.append(f" ({now.charge_because})" if now.charge_because else "", _LABEL)


def known(value: float | None) -> float | None:
    """The value, or None when it is no finite number."""
    return value if value is not None and isfinite(value) else None


def number(value: float | None, spec: str) -> str:
    """Formatted, or a dash."""
    value = known(value)
    return _UNKNOWN if value is None else format(value, spec)


def watts(power_w: float | None, *, absolute: bool = False) -> str:
    """Power for people: ``409 W``, ``1.65 kW``, or a dash."""
    value = known(power_w)
    if value is None:
        return f"{_UNKNOWN} W"
    value = abs(value) if absolute else value
    return f"{value:.0f} W" if abs(value) < 999.5 else f"{value / 1000.0:.2f} kW"


def plain_line(now: ViewState) -> str:
    """The state in one line without colours, for logs and pipes."""
    faults = ", ".join(f"{fault.code} {fault.subject}".strip() for fault in now.faults)
    parts = (
        f"{now.clock or number(now.seconds, '.0f') + ' s'} {now.mode}".strip(),
        f"grid {watts(now.grid_w)}, house {watts(now.load_w)}, sun {watts(now.pv_w)}",
        f"battery {watts(now.battery_w)}: {now.because or 'unknown'}",
        f"charge {_charge(now.soc, now.soc_sigma)}",
        f"cells {number(now.min_cell_v, '.3f')} to {number(now.max_cell_v, '.3f')} V",
        f"faults: {faults or 'none'}",
    )
    return " | ".join(parts)


def _charge(soc: float | None, sigma: float | None) -> str:
    """State of charge with its error: ``49 ±3 %``."""
    soc, sigma = known(soc), known(sigma)
    error = "" if soc is None or sigma is None else f" ±{sigma * 100.0:.0f}"
    return f"{number(None if soc is None else soc * 100.0, '.0f')}{error} %"


def _grid_style(grid_w: float | None) -> str:
    if grid_w is None:
        return _FAINT
    if abs(grid_w) <= _QUIET_W:
        return _GOOD
    return _BUYS if grid_w > 0 else _SELLS


def _grid_word(grid_w: float | None) -> str:
    if grid_w is None:
        return "grid unknown"
    if abs(grid_w) <= _QUIET_W:
        return "grid at rest"
    return "buying from the grid" if grid_w > 0 else "selling to the grid"


def _battery_arrow(battery_w: float | None) -> tuple[str, str]:
    if not battery_w:
        return " ─── ", _LABEL
    return (" ◀━━ ", _GOOD) if battery_w > 0 else (" ━━▶ ", _STORES)


def _speed(speed: float | None) -> str:
    value = known(speed)
    return "" if value is None or value <= 1.05 else f"{value:.0f} x"


def _doing(unit: UnitRow) -> str:
    """The power of a unit that gives or takes any, else its state."""
    return watts(unit.ac_w, absolute=True) if known(unit.ac_w) else unit.state


def _named(low: str, high: str) -> str:
    return f" {low}..{high}" if low or high else ""


def _large(power_w: float | None) -> list[str]:
    """Three rows of line-drawn digits; 99 999 W at most."""
    text = "-- W" if power_w is None else f"{max(-99999, min(99999, round(power_w))):+d} W"
    text = "0 W" if text in {"+0 W", "-0 W"} else text
    return [" ".join(_DIGITS[sign][row] for sign in text) for row in range(3)]


def _span(seconds: float) -> str:
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.0f} h"


def _chart(
    labels: tuple[str, str], values: list[float], columns: int, styles: tuple[str, str]
) -> Iterator[Text]:
    """Two rows around zero: bars up for positive, down for negative values."""
    top_w = max((abs(value) for value in values), default=0.0)
    top_w = max(top_w, 100.0)
    heights = [round(8 * (value / top_w)) for value in values]
    upper = "".join(_BLOCKS[max(height, 0)] for height in heights)
    # hanging bars are drawn as what is left of a block below them, in reverse
    lower = Text()
    for height in heights:
        if height < 0:
            lower.append(_BLOCKS[8 + height], Style(color=styles[1], reverse=True))
        else:
            lower.append("─" if height == 0 else " ", _FAINT)
    name, below = (f"{label:>8} " for label in labels)
    yield Text.assemble(
        (name, _LABEL), (upper.rjust(columns), styles[0]), (f" {watts(top_w)}", _FAINT)
    )
    yield Text.assemble((below, _FAINT), " " * (columns - len(values)), lower)


def _cells(modules: Sequence[ModuleReading], *, wide: bool) -> Iterator[Text]:
    """A row for each module, cells shaded from the lowest to the highest of the pack."""
    scale = _scale(modules)
    for module in modules:
        line = Text.assemble((f"  {module.name:<4}", _LABEL))
        for place, volts in enumerate(module.cell_v):
            mark = _mark(module, place)
            line.append_text(_cell(known(volts), mark, scale, wide=wide))
        hottest = max((known(temp.high_c) or -inf for temp in module.temps), default=-inf)
        line.append(f" {number(hottest, '.0f'):>3}°", _LABEL)
        yield line


def _scale(modules: Sequence[ModuleReading]) -> tuple[float, float]:
    """Middle and half width of the healthy cells' voltages, V; at least 10 mV to each side."""
    every = (v for module in modules for v in module.cell_v)
    healthy = [v for v in every if v is not None and _LOW_V < v < _HIGH_V]
    if not healthy:
        return 0.0, inf
    low_v, high_v = min(healthy), max(healthy)
    return (low_v + high_v) / 2, max((high_v - low_v) / 2, 0.010)


def _cell(volts: float | None, mark: str, scale: tuple[float, float], *, wide: bool) -> Text:
    if volts is None:
        return Text(f"{_UNKNOWN:^{5 if wide else 4}}{mark}", _FAINT)
    text = f"{volts:.3f}" if wide else f"{volts * 1000.0:4.0f}"
    if not _LOW_V < volts < _HIGH_V:
        return Text(text + mark, f"bold white on {_DANGER}")
    middle_v, half_v = scale
    place = round((volts - middle_v) / half_v * 3) + 3
    shade = _HEAT[max(0, min(place, len(_HEAT) - 1))]
    return Text(text + mark, f"grey82 on {shade}")


def _mark(module: ModuleReading, place: int) -> str:
    """Why a cell is special: ``?`` suspect, ``▾`` being bled."""
    if module.suspect >> place & 1:
        return "?"
    return "▾" if module.bleeding >> place & 1 else " "


def _faults(faults: Iterable[Event], room: int, width: int) -> Iterator[Text]:
    """What is wrong, the worst first, and what to do: on lines of its own while room lasts."""
    short = list(_short_faults(faults, room))
    full = [row for line in short for row in _wrapped(line, width)]
    yield from full if len(full) <= room else short


def _wrapped(line: Text, width: int) -> list[Text]:
    """The line over as many rows as it needs, the further ones below its text."""
    rows = line.wrap(_PLAIN, max(width - 3, 20))
    return [row if place == 0 else Text("   ") + row for place, row in enumerate(rows)]


def _short_faults(faults: Iterable[Event], room: int) -> Iterator[Text]:
    ranked = sorted(faults, key=lambda one: -one.severity)[:room]
    for place, fault in enumerate(ranked):
        sign, style = ("✖", _ALARM) if fault.severity >= Severity.FAULT else ("!", _SUN)
        line = Text.assemble((f" {sign} ", f"bold {style}"), (fault.subject, "bold"), " ")
        line.append(fault.text or fault.code, style)
        if place < room - len(ranked):
            yield line
            yield Text(f"   {fault.remedy}", _LABEL)
        else:
            yield line.append(f"  {fault.remedy}", _LABEL)


def _shortened(rows: list[Text], room: int) -> list[Text]:
    """The first rows and how many are missing."""
    if room < 1:
        return []
    missing = len(rows) - room + 1
    return [*rows[: room - 1], Text(f"  … and {missing} more modules", _FAINT)]
