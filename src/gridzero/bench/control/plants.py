"""Converters and meters as rows of data.

The inverter is the SoyoSource GTN of the public captures in
syssi/esphome-soyosource-gtn-virtual-meter (soyosource notes, sections 3.1 to 3.6), the rectifier a
Vertiv R48-3000e3 as its driver runs it. The ``lag`` rows are the plant on which the project's
control notes (section A.11) compared published laws, so that figures can be held side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridzero.domain.converters import Dynamics

_INVERTER_W, _GAIN = 900.0, 0.96


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterRow:
    """All units of one port together; W, s, W/s.

    max_w: largest demand. gain: AC output per demand. jump_w: first step out of zero. zero_at_once:
    a demand of 0 skips the ramp. lag_s: first-order lag instead of a ramp. gap_s: shortest time
    between two frames. keep_alive_s: a frame leaves at least so often.
    """

    units: int = 1
    max_w: float = _INVERTER_W
    min_w: float = 9.0
    gain: float = _GAIN
    dead_s: float = 0.3
    jump_w: float = 57.0
    rise_w_per_s: float = 75.0
    fall_w_per_s: float = 100.0
    zero_at_once: bool = True
    lag_s: float = 0.0
    gap_s: float = 0.25
    keep_alive_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RectifierRow:
    """AC side; W, s, W/s. start_s: out of zero it gives min_w for so long before it follows."""

    max_w: float = 2800.0
    min_w: float = 48.0
    dead_s: float = 0.5
    start_s: float = 10.0
    rise_w_per_s: float = 240.0
    fall_w_per_s: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantRow:
    """One installation.

    told: the inverter dynamics that gridzero is configured with: the nominal ones, whatever the
    inverter really does, so that the variants show what a wrong model costs.
    """

    name: str
    summary: str
    inverter: InverterRow
    rectifier: RectifierRow | None
    told: Dynamics

    @property
    def discharge_w(self) -> float:
        """Most the inverters really give, W AC."""
        return self.inverter.max_w * self.inverter.gain

    @property
    def charge_w(self) -> float:
        """Most the rectifier takes, W AC; 0 without one."""
        return self.rectifier.max_w if self.rectifier else 0.0


def told(row: InverterRow) -> Dynamics:
    """A model in AC watts of an inverter, as the soyosource driver gives it to the control law."""
    return Dynamics(
        dead_time_s=row.dead_s,
        jump_w=row.jump_w,
        rise_w_per_s=row.rise_w_per_s,
        fall_w_per_s=row.fall_w_per_s,
        zero_at_once=row.zero_at_once,
    )


_SOYO = InverterRow()
_R48 = RectifierRow()
_HALF = replace(_SOYO, rise_w_per_s=37.5, fall_w_per_s=50.0)
_DOUBLE = replace(_SOYO, rise_w_per_s=150.0, fall_w_per_s=200.0)
_TWO = replace(
    _SOYO, units=2, max_w=1800.0, min_w=18.0, jump_w=114.0, rise_w_per_s=150.0, fall_w_per_s=200.0
)
_LAG = InverterRow(
    min_w=1.0,
    dead_s=1.0,
    jump_w=0.0,
    rise_w_per_s=float("inf"),
    fall_w_per_s=float("inf"),
    zero_at_once=False,
    lag_s=0.6,
    gap_s=0.0,
)
_LAG_FAST = replace(_LAG, dead_s=0.5, lag_s=0.3)
_LAG_RECTIFIER = RectifierRow(
    max_w=2000.0, min_w=60.0, start_s=0.0, rise_w_per_s=800.0, fall_w_per_s=800.0
)


def _as_slew(row: InverterRow) -> Dynamics:
    """The nearest that gridzero's model can say of a lag: later, then a quick ramp."""
    return Dynamics(
        dead_time_s=row.dead_s + 0.5 * row.lag_s,
        jump_w=0.0,
        rise_w_per_s=400.0 / (2.0 * row.lag_s),
        fall_w_per_s=400.0 / (2.0 * row.lag_s),
        zero_at_once=False,
    )


def _house(name: str, summary: str, inverter: InverterRow, model: Dynamics) -> PlantRow:
    return PlantRow(name=name, summary=summary, inverter=inverter, rectifier=_R48, told=model)


_NOMINAL, _NOMINAL_TWO = told(_SOYO), told(_TWO)

PLANTS: dict[str, PlantRow] = {
    row.name: row
    for row in (
        _house("house", "one SoyoSource and an R48, as measured", _SOYO, _NOMINAL),
        PlantRow(
            name="discharge",
            summary="one SoyoSource as measured, no rectifier",
            inverter=_SOYO,
            rectifier=None,
            told=_NOMINAL,
        ),
        _house("two-inverters", "two SoyoSource on one port, and an R48", _TWO, _NOMINAL_TWO),
        _house("half-slew", "inverter ramps half as fast as believed", _HALF, _NOMINAL),
        _house("double-slew", "inverter ramps twice as fast as believed", _DOUBLE, _NOMINAL),
        _house("dead-1.0", "dead time 1.0 s, believed 0.3", replace(_SOYO, dead_s=1.0), _NOMINAL),
        _house("dead-2.5", "dead time 2.5 s, believed 0.3", replace(_SOYO, dead_s=2.5), _NOMINAL),
        _house(
            "dead-2.5-known",
            "dead time 2.5 s, and gridzero told so",
            replace(_SOYO, dead_s=2.5),
            told(replace(_SOYO, dead_s=2.5)),
        ),
        _house("gain-low", "delivers 20 % less", replace(_SOYO, gain=_GAIN * 0.8), _NOMINAL),
        _house("gain-high", "delivers 20 % more", replace(_SOYO, gain=_GAIN * 1.2), _NOMINAL),
        PlantRow(
            name="lag",
            summary="dead 1.0 s and lag 0.6 s, quick rectifier (control notes A.11)",
            inverter=_LAG,
            rectifier=_LAG_RECTIFIER,
            told=_as_slew(_LAG),
        ),
        PlantRow(
            name="lag-fast",
            summary="dead 0.5 s and lag 0.3 s, quick rectifier (control notes A.11)",
            inverter=_LAG_FAST,
            rectifier=_LAG_RECTIFIER,
            told=_as_slew(_LAG_FAST),
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRow:
    """A grid meter: a momentary value each period_s, rounded to quantum_w.

    It arrives latency_s later, and up to jitter_s more; the jitter is not known to any law.
    noise_w: standard deviation. lost: share of messages that never arrive. repeated: share that
    arrives a second time, within half a second. in_order: a message waits for the one before it,
    as on a TCP connection; else a late one comes after a newer one. spike_every_s: mean time
    between single readings that are wrong: by 2000 W either way, or 0 W.
    """

    name: str
    period_s: float = 0.5
    latency_s: float = 0.3
    jitter_s: float = 0.1
    noise_w: float = 2.0
    quantum_w: float = 1.0
    lost: float = 0.0
    repeated: float = 0.0
    in_order: bool = True
    spike_every_s: float | None = None

    @property
    def summary(self) -> str:
        """In words."""
        oldest_s = self.latency_s + self.jitter_s
        words = [f"every {self.period_s:g} s, {self.latency_s:g} to {oldest_s:g} s old"]
        words += [f"{self.noise_w:g} W of noise"]
        words += [f"{100 * self.lost:g} % lost"] if self.lost else []
        words += [f"{100 * self.repeated:g} % repeated"] if self.repeated else []
        words += [] if self.in_order else ["late ones after newer ones"]
        if self.spike_every_s:
            words.append(f"a wrong one in {self.spike_every_s:g} s: +-2000 W or 0")
        return ", ".join(words)


METERS: dict[str, MeterRow] = {
    row.name: row
    for row in (
        MeterRow(name="0.5s"),
        MeterRow(name="1s", period_s=1.0, latency_s=0.5, jitter_s=0.3),
        MeterRow(name="2s", period_s=2.0, latency_s=0.5, jitter_s=0.3),
        MeterRow(name="10s", period_s=10.0, latency_s=1.0, jitter_s=0.5),
        MeterRow(name="quick", latency_s=0.2, jitter_s=0.0),
        MeterRow(name="late", latency_s=1.0, jitter_s=0.3),
        MeterRow(name="very-late", latency_s=2.0, jitter_s=0.5),
        MeterRow(name="jittery", latency_s=0.2, jitter_s=1.8),
        MeterRow(name="shuffled", latency_s=0.2, jitter_s=1.8, in_order=False),
        MeterRow(name="lossy", lost=0.2, repeated=0.1),
        MeterRow(name="spiky", spike_every_s=120.0),
        MeterRow(name="noisy", noise_w=15.0),
        MeterRow(name="exact", jitter_s=0.0, noise_w=0.0, quantum_w=0.001),
        MeterRow(name="a11", jitter_s=0.0),
    )
}
