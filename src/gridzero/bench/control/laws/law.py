"""What a control law meets, and what it may know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from gridzero.bench.control.plants import MeterRow, PlantRow
from gridzero.bench.control.traces import Trace


class Law(Protocol):
    """A zero-grid control law.

    ``command`` is asked after each meter message and after each of the law's own timer, if it
    has one. It returns the total that stands on the wire from now on, W: > 0 is the demand of all
    inverters together, < 0 the AC power of the rectifier. Between the two calls nothing changes.
    timer_s: period of the own timer; None = meter messages only.
    """

    timer_s: float | None

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """A meter message arrived. grid_w: W, > 0 import; how old it is the law must know."""
        ...

    def command(self, now_s: float) -> float:
        """Signed total, W, > 0 discharge."""
        ...


class OutputReport(NamedTuple):
    """What the converters measured of themselves, W AC >= 0, and when."""

    at_s: float
    inverter_w: float
    charger_w: float

    @property
    def battery_w(self) -> float:
        """Signed total, > 0 discharge."""
        return self.inverter_w - self.charger_w


@runtime_checkable
class HearsOutput(Protocol):
    """A law that uses telemetry: a report every report_s, report_age_s old when it arrives."""

    report_s: float
    report_age_s: float

    def on_output(self, now_s: float, report: OutputReport) -> None:
        """A report arrived."""
        ...


@runtime_checkable
class HearsSent(Protocol):
    """A law that keeps a ledger: told of every changed command when it is on the wire."""

    def on_sent(self, now_s: float, inverter_w: float | None, charger_w: float | None) -> None:
        """The demand or the set-point that left, W >= 0; None = that one did not change."""
        ...


@runtime_checkable
class SeesLoad(Protocol):
    """No real law: with each meter message it is shown the true net load, without noise."""

    def on_load(self, now_s: float, net_load_w: float) -> None:
        """The net load at the moment at which the meter measured. Comes before on_meter."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What a law is built for.

    An honest law reads the plate of the converters (units, max_w and min_w), what gridzero would
    be configured with (``plant.told``), and the meter's period and usual latency. The trace and the
    rest of the plant are for the two laws that know too much.
    """

    plant: PlantRow
    meter: MeterRow
    trace: Trace

    @property
    def most_w(self) -> float:
        """Largest demand of all inverters."""
        return self.plant.inverter.max_w

    @property
    def least_w(self) -> float:
        """Largest charge power, negative."""
        return -self.plant.charge_w

    def within(self, power_w: float) -> float:
        """Clamped to what the converters' plates say."""
        return max(self.least_w, min(self.most_w, power_w))


@dataclass(frozen=True, slots=True)
class LawRow:
    """One contestant. source: where the law was read.

    knows: more than a real law could. ours: gridzero, whole or with parts left out. public: what
    a published project does; the goals are held against the best of these. telemetry: it needs
    to know what the inverter gives, which a SoyoSource does not tell. valued: it knows prices.
    """

    name: str
    summary: str
    source: str
    make: Callable[[Setting], Law]
    knows: bool = False
    ours: bool = False
    public: bool = False
    telemetry: bool = False
    valued: bool = False


class Every:
    """Says once per period that it is due, from the first call on."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._next_s = float("-inf")

    def due(self, now_s: float) -> bool:
        """Whether the period is over; if so, the next begins."""
        if now_s < self._next_s - 1e-6:
            return False
        self._next_s = now_s + self._period_s
        return True
