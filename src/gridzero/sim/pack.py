"""The physics of the simulated battery: parallel modules of cells in series.

Each cell has a rest voltage over its state of charge; each module has an ohmic resistance, one
resistor-capacitor pair and a temperature. Modules share the current so that all see the same
terminal voltage. Cells are brought up to date once a second, currents at every step.

Assumed, because no measurement of these modules is public: 1.5 mOhm ohmic and 1.2 mOhm with
40 s per cell (5 s pulses of retired 21 Ah NMC pouch cells in the PulseBat set show 2.8 to
3.6 mOhm in all), bleed resistors of 40 Ohm, 9 kJ/K of heat capacity per module. Capacity: about
25 Ah (vw-gte protocol notes, section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp
from random import Random

REFRESH_S = 1.0
LONGEST_STEP_S = 20.0

# Rest voltage of an NMC cell at 0, 5, 10 ... 100 % state of charge, drawn by hand between the
# published curves of LG HG2, LG M50 and a retired 21 Ah pouch cell.
_REST_V = (
    *(3.000, 3.310, 3.415, 3.475, 3.525, 3.567, 3.600, 3.624, 3.646, 3.670),
    *(3.702, 3.750, 3.804, 3.860, 3.907, 3.952, 4.000, 4.048, 4.087, 4.122, 4.200),
)
_STEPS = len(_REST_V) - 1
_RISE_V = tuple(b - a for a, b in pairwise(_REST_V))
_AREA = (0.0, *accumulate((a + b) / 2 for a, b in pairwise(_REST_V)))


def rest_v(soc: float) -> float:
    """Rest voltage of a cell, V; straight lines go on below 0 and above 1, never below 0 V."""
    place = soc * _STEPS
    if 0.0 <= place < _STEPS:  # nearly always: the simulation asks a hundred times a second
        step = int(place)
        return _REST_V[step] + _RISE_V[step] * (place - step)
    step = 0 if place < 0.0 else _STEPS - 1
    return max(_REST_V[step] + _RISE_V[step] * (place - step), 0.0)


def stored_v(soc: float) -> float:
    """Energy in a cell relative to 0 % and per unit of capacity: the area under rest_v, V."""
    place = soc * _STEPS
    step = min(max(int(place), 0), _STEPS - 1)
    part = place - step
    return (_AREA[step] + part * (_REST_V[step] + _RISE_V[step] * part / 2)) / _STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class PackModel:
    """What the modules are made of. Resistances are per cell at 25 degrees Celsius.

    spreads: standard deviation between cells, relative (state of charge: absolute).
    cold_factor: resistance grows by this much per degree below 25, as e-folding, 1/K.
    heat_j_per_k: of a module. cooling_s: how slowly it follows ambient_c.
    """

    capacity_ah: float = 25.0
    ohmic_ohm: float = 0.0015
    rc_ohm: float = 0.0012
    rc_s: float = 40.0
    bleed_ohm: float = 40.0
    capacity_spread: float = 0.02
    soc_spread: float = 0.006
    resistance_spread: float = 0.05
    cold_factor: float = 0.025
    heat_j_per_k: float = 9000.0
    cooling_s: float = 7200.0


class _Module:
    """Cells in series, and what the pack's inner loop needs of them."""

    __slots__ = (
        "bleeding",
        "capacity_as",
        "charge_as",
        "current_a",
        "emf_v",
        "heat_j",
        "ohmic_25_ohm",
        "ohmic_ohm",
        "open_v",
        "rc_ohm",
        "rc_v",
        "share",
        "soc",
        "temp_c",
    )

    def __init__(
        self, cells: int, soc: float, temp_c: float, model: PackModel, dice: Random
    ) -> None:
        self.capacity_as = [
            model.capacity_ah * 3600.0 * _about_one(dice, model.capacity_spread)
            for _ in range(cells)
        ]
        spread = [_within_three_sigma(dice, model.soc_spread) for _ in range(cells)]
        self.soc = _evened_out(soc, spread)
        ohms = [_about_one(dice, model.resistance_spread) for _ in range(cells)]
        self.share = [ohm / sum(ohms) for ohm in ohms]
        self.ohmic_25_ohm = model.ohmic_ohm * sum(ohms)
        self.ohmic_ohm = self.rc_ohm = 0.0
        self.temp_c = temp_c
        self.bleeding = 0
        self.current_a = self.rc_v = 0.0
        self.charge_as = self.heat_j = 0.0
        self.open_v: list[float] = []
        self.emf_v = 0.0
        self.weigh(model)

    def weigh(self, model: PackModel) -> None:
        """Bring voltages and resistances up to what charge and temperature say."""
        self.open_v = [rest_v(soc) for soc in self.soc]
        self.emf_v = sum(self.open_v)
        self.ohmic_ohm = self.ohmic_25_ohm * exp(model.cold_factor * (25.0 - self.temp_c))
        self.rc_ohm = self.ohmic_ohm * model.rc_ohm / model.ohmic_ohm

    def settle(self, seconds: float, ambient_c: float, model: PackModel) -> float:
        """Book what flowed since the last call into cells and heat. Returns J bled away."""
        gone_as = self.charge_as
        self.soc = [
            soc - gone_as / full_as for soc, full_as in zip(self.soc, self.capacity_as, strict=True)
        ]
        bled_j = self._bleed(seconds, model.bleed_ohm) if self.bleeding else 0.0
        warmer_c = (self.heat_j + bled_j) / model.heat_j_per_k
        cooled = 1.0 - exp(-seconds / model.cooling_s)
        self.temp_c += warmer_c - (self.temp_c - ambient_c) * cooled
        self.charge_as = self.heat_j = 0.0
        self.weigh(model)
        return bled_j

    def _bleed(self, seconds: float, ohm: float) -> float:
        bled_j = 0.0
        for i, volts in enumerate(self.open_v):
            if self.bleeding >> i & 1:
                self.soc[i] -= volts / ohm * seconds / self.capacity_as[i]
                bled_j += volts * volts / ohm * seconds
        return bled_j


class Pack:
    """Modules in parallel; the battery side of the simulated house.

    modules: number of cells by module name. soc: state of charge of every module, 0..1.
    temp_c: temperature at the start, and of the room (``ambient_c``, may be changed).
    The same seed gives the same cells.
    """

    def __init__(
        self,
        modules: Mapping[str, int],
        *,
        soc: float = 0.5,
        temp_c: float = 20.0,
        model: PackModel | None = None,
        seed: int = 1,
    ) -> None:
        if not modules or min(modules.values()) < 1:
            raise ValueError("a pack needs at least one module, each of at least one cell")
        self.model = model or PackModel()
        self.ambient_c = temp_c
        self.current_a = 0.0
        self.terminal_v = 0.0
        self.heat_wh = 0.0
        self.bled_wh = 0.0
        self._modules = {
            name: _Module(cells, soc, temp_c, self.model, Random(f"{seed}/{name}"))
            for name, cells in modules.items()
        }
        self._all = tuple(self._modules.values())
        self._unsettled_s = 0.0
        self._step_s = self._rc_part = 0.0
        self._gather()
        self._share_current(0.0)

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the modules."""
        return tuple(self._modules)

    @property
    def soc(self) -> float:
        """Mean state of charge of all cells, 0..1 (beyond both when abused)."""
        return sum(sum(m.soc) / len(m.soc) for m in self._all) / len(self._all)

    @property
    def stored_wh(self) -> float:
        """Energy above 0 % state of charge, Wh."""
        cells = ((c, s) for m in self._all for c, s in zip(m.capacity_as, m.soc, strict=True))
        return sum(capacity_as * stored_v(soc) for capacity_as, soc in cells) / 3600.0

    def advance(self, seconds: float, current_a: float, *, step_s: float = REFRESH_S) -> None:
        """Let current_a (> 0 discharges) flow for so long, in steps of at most step_s.

        Days go faster with longer steps. Within a step modules do not shift current among each
        other, which they do over minutes: 20 s is the most that is allowed.
        """
        if not 0.0 < step_s <= LONGEST_STEP_S:
            raise ValueError(
                f"a step of {step_s:g} s is not above 0 and at most {LONGEST_STEP_S:g}"
            )
        while seconds > step_s:
            self._step(step_s, current_a)
            seconds -= step_s
        if seconds > 0.0:
            self._step(seconds, current_a)

    def cell_v(self, module: str) -> list[float]:
        """Terminal voltage of each cell, V; their sum is the pack's terminal voltage."""
        this = self._modules[module]
        drop_v = this.emf_v - self.terminal_v
        return [v - drop_v * part for v, part in zip(this.open_v, this.share, strict=True)]

    def temp_c(self, module: str) -> float:
        """Temperature of a module, degrees Celsius."""
        return self._modules[module].temp_c

    def module_a(self, module: str) -> float:
        """Current of one module, A, > 0 discharges."""
        return self._modules[module].current_a

    def cell_soc(self, module: str) -> tuple[float, ...]:
        """State of charge of each cell, as of the last full second."""
        return tuple(self._modules[module].soc)

    def cell_ah(self, module: str) -> tuple[float, ...]:
        """Capacity of each cell, Ah."""
        return tuple(full_as / 3600.0 for full_as in self._modules[module].capacity_as)

    def bleeding(self, module: str) -> int:
        """Cells whose bleed resistor is on: bit i = cell i+1."""
        return self._modules[module].bleeding

    def bleed(self, module: str, cells: int) -> None:
        """Switch the bleed resistors of a module: bit i = cell i+1."""
        self._modules[module].bleeding = cells

    def set_soc(self, soc: float) -> None:
        """Shift all cells so that each module's mean is soc: the spread stays."""
        for module in self._all:
            shift = soc - sum(module.soc) / len(module.soc)
            module.soc = [one + shift for one in module.soc]
        self._reweigh()

    def set_cell_soc(self, module: str, cell: int, soc: float) -> None:
        """Make one cell (counted from 1) different, to see what the guard does."""
        self._modules[module].soc[cell - 1] = soc
        self._reweigh()

    def set_temp_c(self, module: str, temp_c: float) -> None:
        """Heat or cool a module at once."""
        self._modules[module].temp_c = temp_c
        self._reweigh()

    def _step(self, seconds: float, current_a: float) -> None:
        if seconds != self._step_s:
            self._step_s = seconds
            self._rc_part = 1.0 - exp(-seconds / self.model.rc_s)
        self._share_current(current_a)
        terminal_v, rc_part = self.terminal_v, self._rc_part
        for m in self._all:
            amps = m.current_a
            m.charge_as += amps * seconds
            # all that is lost between rest voltage and terminals; what the capacitor of the
            # pair holds meanwhile comes back later with the opposite sign
            m.heat_j += amps * (m.emf_v - terminal_v) * seconds
            m.rc_v += (amps * m.rc_ohm - m.rc_v) * rc_part
        self._unsettled_s += seconds
        if self._unsettled_s >= REFRESH_S - 1e-9:
            self._settle()

    def _share_current(self, current_a: float) -> None:
        """Solve sum((emf - rc - V) / ohmic) = current for the common voltage V."""
        pushed_a = -current_a
        for m in self._all:
            pushed_a += (m.emf_v - m.rc_v) / m.ohmic_ohm
        terminal_v = pushed_a / self._siemens
        for m in self._all:
            m.current_a = (m.emf_v - m.rc_v - terminal_v) / m.ohmic_ohm
        self.terminal_v = terminal_v
        self.current_a = current_a

    def _settle(self) -> None:
        seconds, self._unsettled_s = self._unsettled_s, 0.0
        self.heat_wh += sum(m.heat_j for m in self._all) / 3600.0
        bled_j = [m.settle(seconds, self.ambient_c, self.model) for m in self._all]
        self.bled_wh += sum(bled_j) / 3600.0
        self._gather()

    def _reweigh(self) -> None:
        for module in self._all:
            module.weigh(self.model)
        self._gather()
        self._share_current(self.current_a)

    def _gather(self) -> None:
        self._siemens = sum(1.0 / m.ohmic_ohm for m in self._all)
        self.min_rest_v = min(min(m.open_v) for m in self._all)
        self.max_rest_v = max(max(m.open_v) for m in self._all)


def _within_three_sigma(dice: Random, sigma: float) -> float:
    return max(-3.0 * sigma, min(3.0 * sigma, dice.gauss(0.0, sigma)))


def _about_one(dice: Random, sigma: float) -> float:
    return 1.0 + _within_three_sigma(dice, sigma)


def _evened_out(soc: float, spread: list[float]) -> list[float]:
    """States of charge with this spread whose voltages add up to that of equal cells.

    Modules that have long been in parallel have equal voltages, so none starts with a current.
    """
    wanted_v = len(spread) * rest_v(soc)
    cells = [soc + one for one in spread]
    for _ in range(4):  # Newton; the slope of the mean cell is near enough
        slope_v = (rest_v(soc + 0.01) - rest_v(soc - 0.01)) / 0.02 * len(spread)
        shift = (wanted_v - sum(map(rest_v, cells))) / slope_v
        cells = [one + shift for one in cells]
    return cells
