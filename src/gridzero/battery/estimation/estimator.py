"""State of charge of the whole battery: a bank of filters, one a cell group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot, inf, isfinite, sqrt
from typing import Any

from gridzero.battery.cells.model import CellModel
from gridzero.battery.estimation import figures, memory
from gridzero.battery.estimation.cell_filter import WIDEST_SOC, CellFilter
from gridzero.battery.estimation.ends import Ends
from gridzero.battery.estimation.figures import Room, Rooms
from gridzero.battery.estimation.memory import Stored
from gridzero.battery.estimation.module_filter import ModuleFilter
from gridzero.battery.estimation.motion import go_on
from gridzero.battery.estimation.pack_current import PackCurrent
from gridzero.battery.estimation.settings import EstimatorSettings, Window
from gridzero.battery.estimation.sharing import Source, share
from gridzero.domain.charge import BatteryCharge, ModuleCharge
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import UNTROUBLED, Trust

_SHARE_PERIOD_S = 1.0
_ROOM_PERIOD_S = 3.0
_START_OHM_SIGMA = 0.5
_FRESH_S = 5.0
_MOST_A = 10_000.0
_SOUND_OHM = (0.2, 20.0)


class Estimator:
    """Knows how much is in each cell, from what it reads and what flows.

    window: between which cell voltages the battery is used. Not thread-safe, has no clock:
    ``update`` is told the time, any steady one in seconds.
    """

    def __init__(
        self, model: CellModel, window: Window, settings: EstimatorSettings | None = None
    ) -> None:
        self._model, self._settings = model, settings or EstimatorSettings()
        self._rooms = Rooms(model, window)
        self._ends, self._full_v = Ends(window), window.full_v
        self._pack = PackCurrent(self._settings.gap_s, self._settings.mean_s)
        self._bank: dict[str, ModuleFilter] = {}
        self._found: dict[str, tuple[ModuleCharge, Room]] = {}
        self._roomed_s: dict[str, float] = {}
        self._stored: dict[str, Stored] = {}
        self._calibrated: dict[str, tuple[Sequence[float] | None, float | None]] = {}
        self._current_sigma_a = 0.0
        self._shared_s: float | None = None
        self._latest: BatteryCharge | None = None
        self.refused: dict[str, str] = {}

    @property
    def latest(self) -> BatteryCharge | None:
        """The last result; None before any module could be estimated."""
        return self._latest

    def update(
        self,
        modules: Sequence[ModuleReading],
        current_a: float | None,
        current_sigma_a: float,
        now_s: float,
        trust: Trust = UNTROUBLED,
    ) -> BatteryCharge | None:
        """Call at each tick; cheap while nothing is new.

        current_a: of the whole battery as measured, A, > 0 discharge; None or NaN = unknown.
        current_sigma_a: by how much it may be off all the time, A. trust: which readings count;
        an offset or a wrong sign of the shunt that it knows is taken out here.
        """
        self._believe_current(current_sigma_a)
        self._pack.note(_corrected(current_a, trust), now_s)
        changed = [self._look_at(m, modules, now_s, trust) for m in modules]
        if not any(changed):
            return self._latest
        self._share(modules, now_s)
        self._look_at_ends(modules, now_s)
        self._latest = self._summary(modules, now_s)
        return self._latest

    def calibrate(
        self,
        module: str,
        *,
        capacity_ah: Sequence[float] | None = None,
        ohm_factor: float | None = None,
    ) -> None:
        """What ageing has shown: capacity of each cell, Ah; resistance relative to the model's.

        It is kept for modules that have not appeared yet. Raises ValueError for what no cell has.
        """
        if capacity_ah is not None and not all(isfinite(ah) and ah > 0.0 for ah in capacity_ah):
            raise ValueError(f"{module}: a capacity must be above 0")
        low, high = _SOUND_OHM
        if ohm_factor is not None and not low <= ohm_factor <= high:
            raise ValueError(f"{module}: a resistance of {ohm_factor:g} times the model's")
        before = self._calibrated.get(module, (None, None))
        self._calibrated[module] = (capacity_ah or before[0], ohm_factor or before[1])
        if module in self._bank:
            self._apply(self._bank[module])

    def begin_anew(self) -> None:
        """Forget what was counted; the next update begins from voltages. Capacities stay."""
        for known in (self._bank, self._found, self._roomed_s, self._stored):
            known.clear()
        self._latest = None

    def take_for_full(self) -> None:
        """Move the cells of each module so that its highest is full."""
        full = self._model.soc_at(self._full_v)
        for module in self._bank.values():
            missing = full - max(cell.soc for cell in module.cells)
            for cell in module.cells:
                cell.move(missing)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a file; ``restore`` takes them back. Ages are as of the last update."""
        now_s = self._latest.at_s if self._latest else 0.0
        known = {
            name: memory.written(m.cells, None if m.anchored_s is None else now_s - m.anchored_s)
            for name, m in self._bank.items()
        }
        return {"version": memory.VERSION, "cell": self._model.name, "modules": known}

    def restore(self, document: object, age_s: float) -> Mapping[str, str]:
        """Take what ``to_dict`` wrote age_s ago, before the first ``update``; the older one first.

        Returns why modules were refused (``battery`` when nothing could be used), also kept in
        ``refused``, which later names those whose number of cells turns out to differ. Refused
        modules start from their voltage. Never raises for bad content.
        """
        stored, refused = memory.read(document, self._model.name, age_s)
        self._stored |= stored  # a newer one may lack a module that is silent for weeks
        self.refused.update(refused)
        return refused

    def _believe_current(self, sigma_a: float) -> None:
        """A source of current that is less exact than the last: offsets are less known too."""
        sigma_a = sigma_a if isfinite(sigma_a) and sigma_a >= 0.0 else self._current_sigma_a
        if sigma_a > self._current_sigma_a:
            more_a2 = sigma_a**2 - self._current_sigma_a**2
            for module in self._bank.values():
                part = module.share.part
                widest_a, more_var = 4.0 * sigma_a * part, more_a2 * part**2
                for cell in module.cells:
                    cell.p22 += more_var
                    cell.widest_a = max(cell.widest_a, widest_a)
        self._current_sigma_a = sigma_a

    def _look_at(
        self, reading: ModuleReading, modules: Sequence[ModuleReading], now_s: float, trust: Trust
    ) -> bool:
        """Whether anything new was learned about this module."""
        module = self._bank.get(reading.name)
        if module is not None and len(module.cells) != len(reading.cell_v):
            self._forget(reading.name)  # another one was connected
            module = None
        if module is None:
            module = self._begin(reading, len(modules), now_s, trust)
            if module is None:
                return False
        elif not module.is_due(reading, now_s):
            return False
        module.update(reading, self._pack.total, self._pack.now_a, now_s, trust)
        if not all(cell.is_sound for cell in module.cells):  # never seen; a wrong number must
            self._forget(reading.name)  # not stay, so the module starts again
            return False
        self._found[reading.name] = self._figures(module, now_s)
        return True

    def _begin(
        self, reading: ModuleReading, modules: int, now_s: float, trust: Trust
    ) -> ModuleFilter | None:
        """A module that was not there before: from what is stored, else from its voltages."""
        count = len(reading.cell_v)
        stored = self._stored.pop(reading.name, None)
        if stored is not None and len(stored.cells) != count:
            text = f"it was stored with {len(stored.cells)} cells and has {count}"
            self.refused[reading.name] = text
            stored = None
        cells = (
            self._remembered(stored, modules)
            if stored
            else self._from_voltage(reading, modules, trust)
        )
        if not cells:
            return None
        module = ModuleFilter(reading.name, cells, self._model, self._settings)
        if stored and stored.anchored_age_s is not None:
            module.anchored_s = now_s - stored.anchored_age_s
        module.join(self._pack.total, now_s)
        self._bank[reading.name] = module
        self._apply(module)
        self._shared_s = None
        self._share_now(modules)
        return module

    def _remembered(self, stored: Stored, modules: int) -> list[CellFilter]:
        cells = []
        for place, one in enumerate(stored.cells):
            cell = CellFilter(self._model, one.soc, one.sigma, self._offset_sigma_a(modules))
            cell.offset_a = max(-cell.widest_a, min(cell.widest_a, one.offset_a))
            if stored.motion is not None:
                go_on(cell, stored.motion, place)
            cells.append(cell)
        return cells

    def _from_voltage(self, reading: ModuleReading, modules: int, trust: Trust) -> list[CellFilter]:
        """As if the cells had rested; none while fewer than half can be read.

        A cell that cannot be read starts as the mean of the others, and unsure.
        """
        volts = [_believed(reading, i, trust) for i in range(len(reading.cell_v))]
        known = [v for v in volts if v is not None]
        if not known or 2 * len(known) < len(volts):
            return []
        mean_v = sum(known) / len(known)
        return [self._started(v, mean_v, modules) for v in volts]

    def _started(self, volts: float | None, mean_v: float, modules: int) -> CellFilter:
        current_a = self._pack.now_a
        unknown_a = self._settings.unknown_c_rate * self._model.capacity_ah
        share_a = current_a / modules if current_a is not None else 0.0
        temp_c = self._settings.default_temp_c
        ohm = self._model.ohmic_ohm(temp_c) + self._model.slow_ohm(temp_c)
        open_v = (mean_v if volts is None else volts) + share_a * ohm
        drop_v = ohm * (unknown_a if current_a is None else _START_OHM_SIGMA * abs(share_a))
        sigma_v = sqrt(self._settings.start_sigma_v**2 + self._model.ocv_sigma_v**2 + drop_v**2)
        low, high = (self._model.soc_at(open_v + side * sigma_v) for side in (-1.0, 1.0))
        sigma = WIDEST_SOC if volts is None else min(WIDEST_SOC, max(0.02, (high - low) / 2.0))
        return CellFilter(
            self._model, self._model.soc_at(open_v), sigma, self._offset_sigma_a(modules)
        )

    def _offset_sigma_a(self, modules: int) -> float:
        """How far the current of a module may be off at first, A."""
        own_a = self._settings.share_c_rate * self._model.capacity_ah
        return hypot(self._current_sigma_a / max(1, modules), own_a)

    def _apply(self, module: ModuleFilter) -> None:
        """Give a module what ageing has shown."""
        capacity_ah, ohm_factor = self._calibrated.get(module.name, (None, None))
        if capacity_ah is not None and len(capacity_ah) == len(module.cells):
            for cell, ah in zip(module.cells, capacity_ah, strict=True):
                cell.capacity_ah = ah
        if ohm_factor is not None:
            for cell in module.cells:
                cell.ohm_factor = ohm_factor

    def _share(self, modules: Sequence[ModuleReading], now_s: float) -> None:
        """Share the current anew, once a second: it changes slowly."""
        before_s = self._shared_s
        if before_s is None or not before_s <= now_s < before_s + _SHARE_PERIOD_S:
            self._shared_s = now_s
            self._share_now(len(modules))

    def _share_now(self, modules: int) -> None:
        """Modules that are there but not known yet carry a usual part of it."""
        bank = list(self._bank.values())
        sources = [module.source() for module in bank]
        first = sources[0]
        usual = Source(first.cells, first.ohm, first.capacity_ah, None, 0.0)
        unknown = [usual] * (modules - len(bank))
        for module, part in zip(bank, share([*sources, *unknown]), strict=False):
            module.share = part

    def _look_at_ends(self, modules: Sequence[ModuleReading], now_s: float) -> None:
        """Full and empty, from modules that speak; once one begins, voltages count for more."""
        fresh = [self._bank[m.name] for m in modules if m.name in self._bank and _speaks(m, now_s)]
        tops = [shown for module in fresh if (shown := module.top_v()) is not None]
        bottoms = [shown for module in fresh if (shown := module.bottom_v()) is not None]
        if self._ends.update(tops, bottoms, now_s):
            for module in fresh:
                module.at_end = True

    def _forget(self, name: str) -> None:
        for known in (self._bank, self._found, self._roomed_s):
            known.pop(name, None)

    def _figures(self, module: ModuleFilter, now_s: float) -> tuple[ModuleCharge, Room]:
        """Cells at once, the room that they leave every few seconds: it is dear and slow."""
        cells = figures.charges(module.cells, sum(module.ohm))
        charge = ModuleCharge(name=module.name, cells=cells, current_a=module.current_a)
        before, before_s = self._found.get(module.name), self._roomed_s.get(module.name, -inf)
        if before is not None and before_s <= now_s < before_s + _ROOM_PERIOD_S:
            return charge, before[1]
        self._roomed_s[module.name] = now_s
        return charge, self._rooms.room(module.cells)

    def _summary(self, modules: Sequence[ModuleReading], now_s: float) -> BatteryCharge:
        found = [self._found[m.name] for m in modules if m.name in self._found]
        anchors = [self._bank[charge.name].anchored_s for charge, _ in found]
        return figures.battery(
            {charge.name: charge for charge, _ in found},
            [room for _, room in found],
            self._ends,
            mean_a=self._pack.mean_a,
            anchored_s=_oldest(anchors),
            now_s=now_s,
        )


def _corrected(current_a: float | None, trust: Trust) -> float | None:
    """Without what is known to be wrong about the shunt; None for what no shunt can say."""
    if current_a is None or not abs(current_a) <= _MOST_A:
        return None
    current_a -= trust.shunt_offset_a or 0.0
    return -current_a if trust.shunt_sign_wrong else current_a


def _believed(reading: ModuleReading, index: int, trust: Trust) -> float | None:
    doubt = trust.misread(reading.name, index + 1)
    if doubt is not None:
        volts = doubt.estimate_v
    else:
        volts = None if reading.suspect >> index & 1 else reading.cell_v[index]
    return volts if volts is not None and isfinite(volts) else None


def _speaks(reading: ModuleReading, now_s: float) -> bool:
    return all(at_s is not None and now_s - at_s <= _FRESH_S for at_s in reading.cell_at_s)


def _oldest(times_s: Sequence[float | None]) -> float | None:
    """The battery was confirmed when the last of its modules was."""
    known = [time_s for time_s in times_s if time_s is not None]
    return min(known) if len(known) == len(times_s) and known else None
