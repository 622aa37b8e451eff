"""The cells of one module: they share current, temperature and age of readings."""

from __future__ import annotations

from math import hypot, inf, isfinite

from gridzero.battery.cells.model import CellModel
from gridzero.battery.estimation.cell_filter import CellFilter, Noise, Step, left_after
from gridzero.battery.estimation.pack_current import Flow
from gridzero.battery.estimation.settings import EstimatorSettings
from gridzero.battery.estimation.sharing import Share, Source
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Trust

_LONGEST_STEP_S = 60.0
_APART_V = 0.050
_HALF_CYCLE = 0.5
_HOUR_S = 3600.0
_COLD_OHM_SIGMA = 0.5
_DOUBT = 0.1
_TEMPS_C = (-40.0, 80.0)


class ModuleFilter:
    """Estimates the cells of one module from its readings and its share of the current.

    at_end: set when the battery has just become full or empty, so that the next voltage is
    believed more than others; cleared here.
    """

    def __init__(
        self, name: str, cells: list[CellFilter], model: CellModel, settings: EstimatorSettings
    ) -> None:
        self.name, self.cells = name, cells
        self._model, self._settings = model, settings
        self.share = Share(1.0, 0.0)
        self.current_a = 0.0
        self.temp_c: float | None = None
        self.anchored_s: float | None = None
        self._rests_s = 0.0
        self._at_s: float | None = None
        self._reading: ModuleReading | None = None
        self._seen = Flow(0.0, 0.0, 0.0)
        self._read_s: list[float] = [-inf] * len(cells)
        self._shown: list[tuple[float, float]] = []
        self.at_end = False

    @property
    def ohm(self) -> tuple[float, float]:
        """Ohmic and slow resistance of a cell at half charge and the present temperature, Ohm."""
        temp_c = self._settings.default_temp_c if self.temp_c is None else self.temp_c
        return self._model.ohmic_ohm(temp_c), self._model.slow_ohm(temp_c)

    def top_v(self) -> tuple[float, float] | None:
        """The highest believed cell of the last reading: as it read, and without its losses, V."""
        return max(self._shown, default=None)

    def bottom_v(self) -> tuple[float, float] | None:
        """The lowest, likewise."""
        return min(self._shown, default=None)

    def source(self) -> Source:
        """How the module looks from its terminals."""
        ohm = sum(self.ohm)
        return Source(
            cells=len(self.cells),
            ohm=sum(ohm * cell.ohm_factor for cell in self.cells),
            capacity_ah=self._model.capacity_ah,
            emf_v=sum(self._model.open_v(c.soc) - c.rc_v for c in self.cells),
            emf_var=sum(c.p00 * self._model.slope_v(c.soc) ** 2 for c in self.cells),
        )

    def is_due(self, reading: ModuleReading, now_s: float) -> bool:
        """Whether there is something new, or nothing came for so long that time must pass."""
        if self._at_s is None or now_s < self._at_s:
            return True
        waited_s = now_s - self._at_s
        is_new = reading is not self._reading and waited_s >= self._settings.period_s
        return is_new or waited_s >= self._settings.gap_s

    def update(
        self, reading: ModuleReading, pack: Flow, now_a: float | None, now_s: float, trust: Trust
    ) -> None:
        """Count what flowed since the last call (pack: the battery's), learn from new voltages."""
        before_s, self._at_s = self._at_s, now_s
        if before_s is not None and now_s < before_s:  # another clock: ages cannot be compared
            self._read_s = [-inf] * len(self.cells)
        flow, self._seen = pack.since(self._seen), pack
        self._warm(reading)
        step = self._still()
        if before_s is not None and now_s > before_s:
            step = self._pass(flow, now_s - before_s, reading)
        current_a = None if now_a is None else self.share.of(now_a)
        self.current_a = current_a if current_a is not None else 0.0
        self._rest(current_a, step.dt_s)
        if reading is not self._reading:
            self._reading = reading
            self._read(reading, step, trust, blind=current_a is None, now_s=now_s)

    def join(self, pack: Flow, now_s: float) -> None:
        """Begin to count now: what flowed before does not concern this module."""
        self._seen, self._at_s = pack, now_s

    def _warm(self, reading: ModuleReading) -> None:
        """Mean of the sensors; the last one is kept while there is none."""
        low, high = _TEMPS_C
        known = [(t.low_c + t.high_c) / 2.0 for t in reading.temps]
        known = [temp_c for temp_c in known if low <= temp_c <= high]
        if known:
            self.temp_c = sum(known) / len(known)

    def _pass(self, flow: Flow, seconds: float, reading: ModuleReading) -> Step:
        """Predict over the time since the last call; returns the last step."""
        blind_part = min(1.0, flow.blind_s / seconds)
        current_a = self.share.of(flow.mean_a) if flow.known_s > 0.0 else 0.0
        steps = max(1, min(60, int(seconds / _LONGEST_STEP_S)))
        step = self._step(seconds / steps, blind_part)
        known_a = current_a * (1.0 - blind_part)
        for _ in range(steps):
            self._predict(known_a, step, reading)
        return step

    def _predict(self, current_a: float, step: Step, reading: ModuleReading) -> None:
        for i, cell in enumerate(self.cells):
            bled_a = self._bled_a(cell, reading, i)
            blind_offset_a = cell.offset_a if step.blind_a else 0.0
            cell.predict(current_a + bled_a + blind_offset_a, step)

    def _bled_a(self, cell: CellFilter, reading: ModuleReading, index: int) -> float:
        if not reading.bleeding >> index & 1:
            return 0.0
        return self._model.open_v(cell.soc) / self._settings.bleed_ohm

    def _step(self, seconds: float, blind_part: float) -> Step:
        s, capacity_ah = self._settings, self._model.capacity_ah
        ohmic, slow = self.ohm
        return Step(
            dt_s=seconds,
            a=left_after(seconds, self._model.slow_s),
            ohmic=ohmic,
            slow=slow,
            blind_a=s.unknown_c_rate * capacity_ah * blind_part,
            cycle_var=s.capacity_sigma**2 * _HALF_CYCLE,
            drift_var=(s.drift_c_rate * capacity_ah) ** 2 / _HOUR_S,
        )

    def _still(self) -> Step:
        """No time has passed."""
        ohmic, slow = self.ohm
        return Step(0.0, 1.0, ohmic, slow, 0.0, 0.0, 0.0)

    def _rest(self, current_a: float | None, seconds: float) -> None:
        """Count for how long next to nothing has flowed."""
        capacity_ah = self._model.capacity_ah
        if current_a is None or not abs(self._flows_a(current_a)) <= (
            self._settings.rest_c_rate * capacity_ah
        ):
            self._rests_s = 0.0
        else:
            self._rests_s += seconds

    def _flows_a(self, current_a: float) -> float:
        return current_a - sum(cell.offset_a for cell in self.cells) / len(self.cells)

    def _read(
        self, reading: ModuleReading, step: Step, trust: Trust, *, blind: bool, now_s: float
    ) -> None:
        """Learn from every voltage that is new and believed."""
        if reading.name in trust.frozen:
            return
        rests = self._rests_s >= self._settings.rest_s and not reading.bleeding
        self._shown.clear()
        if blind:
            step = step._replace(blind_a=self._settings.unknown_c_rate * self._model.capacity_ah)
        noise = self._noise(step.dt_s, apart=reading.name in trust.apart)
        if rests:
            noise = noise._replace(sigma_v=self._settings.rest_sigma_v, repeat=1.0)
        elif self.at_end:
            noise = noise._replace(sigma_v=self._settings.end_sigma_v, repeat=1.0)
        believed = [
            self._learn(i, reading, step, noise, trust)
            for i in range(min(len(self.cells), len(reading.cell_v)))
        ]
        if rests:
            self._rests_s = self._settings.rest_s - self._settings.rest_again_s
        if (rests or self.at_end) and 2 * sum(believed) > len(believed):
            self.anchored_s, self.at_end = now_s, False

    def _noise(self, dt_s: float, *, apart: bool) -> Noise:
        s = self._settings
        return Noise(
            sigma_v=hypot(s.cell_sigma_v, _APART_V) if apart else s.cell_sigma_v,
            ohm_sigma=_COLD_OHM_SIGMA if self.temp_c is None else s.ohm_sigma,
            repeat=max(1.0, s.model_s / max(dt_s, s.period_s)),
            curve_v=self._model.ocv_sigma_v,
            gate_sigma=s.gate_sigma,
            gate_v=s.gate_v,
        )

    def _learn(
        self, index: int, reading: ModuleReading, step: Step, noise: Noise, trust: Trust
    ) -> bool:
        """One cell's new voltage. False: not new, not believed or left out."""
        at_s = reading.cell_at_s[index]
        if at_s is None or not at_s > self._read_s[index]:
            return False
        self._read_s[index] = at_s
        cell = self.cells[index]
        volts, sigma_v = self._volts(index, reading, trust)
        if volts is None:
            return False
        if sigma_v:
            noise = noise._replace(sigma_v=hypot(noise.sigma_v, sigma_v))
        drawn_a = self.current_a + self._bled_a(cell, reading, index)
        if step.blind_a:
            drawn_a += cell.offset_a
        fits = cell.correct(volts, drawn_a, step, noise)
        if not reading.bleeding >> index & 1:
            self._shown.append((volts, volts + cell.rc_v + step.ohmic * drawn_a))
        self._note_misfit(cell, fits, step.dt_s)
        return fits

    def _volts(
        self, index: int, reading: ModuleReading, trust: Trust
    ) -> tuple[float | None, float]:
        """What a cell shows, and by how much that is less sure than usual, V."""
        volts, sigma_v = reading.cell_v[index], 0.0
        doubt = trust.misread(reading.name, index + 1)
        if doubt is not None:
            volts, sigma_v = doubt.estimate_v, doubt.within_v
        elif reading.suspect >> index & 1:
            return None, 0.0
        if volts is None or not isfinite(volts + sigma_v):
            return None, 0.0
        if doubt is None and reading.bleeding >> index & 1:
            # it reads low, and nobody knows by how much
            return volts, self._settings.bleed_margin_v
        return volts, sigma_v

    def _note_misfit(self, cell: CellFilter, fits: bool, seconds: float) -> None:
        """A reading that has been refused for long is right, and the estimate is wrong."""
        cell.refused_s = 0.0 if fits else cell.refused_s + seconds
        if cell.refused_s > self._settings.gate_patience_s:
            cell.doubt(_DOUBT)
