"""The simulated house: load, sun, battery and converters meet at the grid connection.

It keeps the books that a run is judged by. "Avoidable" is what the battery could still have
taken or given at that moment: an error that no battery of this size could avoid is nobody's
fault (the measure is that of AstraMeter's evaluator).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import sqrt

from gridzero.ports.twins import ConverterTwin, SwitchTwin, World
from gridzero.sim.pack import Pack
from gridzero.sim.sources import PowerSource

_RUNS_FROM_A = 0.2  # on the DC side: about 10 W, more than any electronics draws
_RESTS_BELOW_A = 0.05
_DIRECTION_W = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What converters and battery could do at most: the yardstick of the avoidable errors.

    Powers are AC magnitudes, W. The pack counts as empty or full by the rest voltage of its
    weakest cell. Replace ``House.reach`` while running when limits change.
    """

    max_discharge_w: float = 0.0
    max_charge_w: float = 0.0
    empty_cell_v: float = 3.3
    full_cell_v: float = 4.1


@dataclass(slots=True)
class Books:
    """Sums since the start; energies in Wh, all >= 0. battery energies are AC, pack's are DC."""

    seconds: float = 0.0
    load_wh: float = 0.0
    pv_wh: float = 0.0
    import_wh: float = 0.0
    export_wh: float = 0.0
    avoidable_import_wh: float = 0.0
    avoidable_export_wh: float = 0.0
    discharged_wh: float = 0.0
    charged_wh: float = 0.0
    pack_out_wh: float = 0.0
    pack_in_wh: float = 0.0
    square_w2s: float = 0.0
    direction_changes: int = 0
    starts: dict[str, int] = field(default_factory=dict)

    @property
    def mean_abs_grid_w(self) -> float | None:
        """Mean of |grid power|, W; None before the first step."""
        return self._mean_w(self.import_wh + self.export_wh)

    @property
    def mean_avoidable_w(self) -> float | None:
        """Mean of the part of |grid power| that the battery could have covered, W."""
        return self._mean_w(self.avoidable_import_wh + self.avoidable_export_wh)

    @property
    def rms_grid_w(self) -> float | None:
        """Root of the mean square of the grid power, W."""
        return sqrt(self.square_w2s / self.seconds) if self.seconds else None

    def _mean_w(self, energy_wh: float) -> float | None:
        return energy_wh * 3600.0 / self.seconds if self.seconds else None


class House:
    """Meets ports.twins.World.

    load, sun: W over the time of day; both are asked for time_of_day_s plus the time run.
    reach: see Reach. Converters are added as their twins are built. switches: relays by name.
    """

    def __init__(
        self,
        load: PowerSource,
        sun: PowerSource,
        pack: Pack,
        *,
        mains_v: float = 230.0,
        reach: Reach | None = None,
        time_of_day_s: float = 0.0,
    ) -> None:
        self.load = load
        self.sun = sun
        self.pack = pack
        self.mains_v = mains_v
        self.reach = reach or Reach()
        self.time_of_day_s = time_of_day_s
        self.books = Books()
        self._lived_s = 0.0
        self._clock: Callable[[], float] | None = None
        self.battery_w = 0.0
        self.switches: dict[str, SwitchTwin] = {}
        self._converters: dict[str, ConverterTwin] = {}
        self._running: dict[str, bool] = {}
        self._direction = 0
        self._look(0.0)

    def add_converter(self, name: str, twin: ConverterTwin) -> None:
        """Connect the power side of a charger or inverter. The same name twice replaces it."""
        self._converters[name] = twin
        self._running[name] = False
        self.books.starts.setdefault(name, 0)

    def behind(self, *contactors: str) -> World:
        """The house as a device sees it that hangs on the battery through these switches.

        They are looked up in ``switches`` when current is asked for; one that is not there yet
        counts as open.
        """
        return _Behind(self, contactors) if contactors else self

    @property
    def is_connected(self) -> bool:
        """Nothing lies between the battery and what is not behind a contactor."""
        return True

    @property
    def now_s(self) -> float:
        """Seconds since the start; between steps it goes on only where a clock was given."""
        return self._clock() if self._clock else self._lived_s

    def follow(self, clock_s: Callable[[], float]) -> None:
        """Let now_s go on between steps: an ADC converts while physics waits for its step."""
        offset_s = self.now_s - clock_s()
        self._clock = lambda: clock_s() + offset_s

    @property
    def converters(self) -> Mapping[str, ConverterTwin]:
        """The power sides by name."""
        return self._converters

    @property
    def battery_v(self) -> float:
        """At the battery terminals, V."""
        return self.pack.terminal_v

    @property
    def battery_a(self) -> float:
        """A, > 0 out of the battery."""
        return self.pack.current_a

    def cell_v(self, module: str) -> list[float]:
        """True terminal voltage of each cell of a module, V."""
        return self.pack.cell_v(module)

    def temp_c(self, module: str) -> float:
        """Temperature of a module, degrees Celsius."""
        return self.pack.temp_c(module)

    def bleed(self, module: str, cells: int) -> None:
        """Switch the bleed resistors of a module: bit i = cell i+1."""
        self.pack.bleed(module, cells)

    def step(self, seconds: float) -> None:
        """Let time pass with the converters as they are now, and book it."""
        self._lived_s += seconds
        battery_w = battery_a = 0.0
        for name, converter in self._converters.items():
            amps = converter.dc_a
            battery_w += converter.ac_w
            battery_a += amps
            if self._running[name] != (abs(amps) >= _RUNS_FROM_A):
                self._note_start(name, abs(amps))
        self.pack.advance(seconds, battery_a)
        self._look(battery_w)
        self._book(seconds)

    def _look(self, battery_w: float) -> None:
        at_s = self.time_of_day_s + self._lived_s
        self.battery_w = battery_w
        self.load_w = self.load.power_w(at_s)
        self.pv_w = self.sun.power_w(at_s)
        self.grid_w = self.load_w - self.pv_w - battery_w

    def _note_start(self, name: str, amps: float) -> None:
        if not self._running[name]:
            self._running[name] = True
            self.books.starts[name] += 1
        elif amps < _RESTS_BELOW_A:
            self._running[name] = False

    def _book(self, seconds: float) -> None:
        books, hours = self.books, seconds / 3600.0
        grid_w, battery_w = self.grid_w, self.battery_w
        books.seconds += seconds
        books.load_wh += self.load_w * hours
        books.pv_wh += self.pv_w * hours
        books.square_w2s += grid_w * grid_w * seconds
        if grid_w > 0.0:
            books.import_wh += grid_w * hours
            books.avoidable_import_wh += min(grid_w, self._could_give_more_w()) * hours
        else:
            books.export_wh -= grid_w * hours
            books.avoidable_export_wh += min(-grid_w, self._could_take_more_w()) * hours
        if battery_w > 0.0:
            books.discharged_wh += battery_w * hours
        else:
            books.charged_wh -= battery_w * hours
        self._book_pack(self.pack.terminal_v * self.pack.current_a * hours)
        if abs(battery_w) >= _DIRECTION_W:
            self._note_direction(1 if battery_w > 0.0 else -1)

    def _book_pack(self, out_wh: float) -> None:
        if out_wh > 0.0:
            self.books.pack_out_wh += out_wh
        else:
            self.books.pack_in_wh -= out_wh

    def _note_direction(self, direction: int) -> None:
        if direction == -self._direction:
            self.books.direction_changes += 1
        self._direction = direction

    def _could_give_more_w(self) -> float:
        """How far battery_w could still rise; a charge can be stopped even on an empty pack."""
        empty = self.pack.min_rest_v <= self.reach.empty_cell_v
        most_w = 0.0 if empty else self.reach.max_discharge_w
        return max(most_w - self.battery_w, 0.0)

    def _could_take_more_w(self) -> float:
        """How far battery_w could still fall; a discharge can be stopped even on a full pack."""
        full = self.pack.max_rest_v >= self.reach.full_cell_v
        most_w = 0.0 if full else self.reach.max_charge_w
        return max(most_w + self.battery_w, 0.0)


class _Behind:
    """A house seen from behind its contactors; meets ports.twins.World."""

    def __init__(self, house: House, contactors: tuple[str, ...]) -> None:
        self._house, self._contactors = house, contactors

    @property
    def is_connected(self) -> bool:
        switches = self._house.switches
        return all(name in switches and switches[name].is_closed for name in self._contactors)

    @property
    def battery_v(self) -> float:
        """At its own terminals: nothing, once it is cut off."""
        return self._house.battery_v if self.is_connected else 0.0

    @property
    def now_s(self) -> float:
        return self._house.now_s

    @property
    def grid_w(self) -> float:
        return self._house.grid_w

    @property
    def mains_v(self) -> float:
        return self._house.mains_v

    @property
    def battery_a(self) -> float:
        return self._house.battery_a

    def cell_v(self, module: str) -> list[float]:
        return self._house.cell_v(module)

    def temp_c(self, module: str) -> float:
        return self._house.temp_c(module)

    def bleed(self, module: str, cells: int) -> None:
        self._house.bleed(module, cells)
