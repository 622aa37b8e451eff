"""What one control step costs: a tick with a new meter reading, its snapshot made beforehand."""

from __future__ import annotations

from time import perf_counter_ns, thread_time_ns

from gridzero.bench.control.goals.goal import Goal
from gridzero.bench.control.laws.law import LawRow, Setting
from gridzero.bench.control.laws.ours import Ours
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.simulate import simulate
from gridzero.bench.control.traces import TRACES
from gridzero.bench.figures import percentile
from gridzero.domain.decision import Decision
from gridzero.domain.snapshot import Snapshot

_LIMIT_US = 200.0


class _Timed(Ours):
    """Ours with a stopwatch at the tick; only ticks with a new reading count."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._seen: object = None
        self.cpu_us: list[float] = []
        self.clock_us: list[float] = []

    def decide(self, now: Snapshot) -> Decision:
        """See Ours."""
        clock_ns, cpu_ns = perf_counter_ns(), thread_time_ns()
        decision = super().decide(now)
        cpu_ns, clock_ns = thread_time_ns() - cpu_ns, perf_counter_ns() - clock_ns
        if now.meter is not self._seen:
            self._seen = now.meter
            self.cpu_us.append(cpu_ns / 1000.0)
            self.clock_us.append(clock_ns / 1000.0)
        return decision


def goals(seconds: float) -> list[Goal]:
    """On the simulated midday, in one process."""
    plant = PLANTS["house"]
    setting = Setting(plant, METERS["0.5s"], TRACES["midday"].make(plant, 1, seconds))
    law = _Timed(setting)
    simulate(LawRow("gridzero", "", "", lambda _setting: law, ours=True), setting, seed=1)
    p50_us, p99_us = percentile(law.cpu_us, 0.5), percentile(law.cpu_us, 0.99)
    wall_us = percentile(law.clock_us, 0.99)
    return [
        Goal(
            key="step_time",
            what="one control step, p99 of CPU time",
            value=p99_us,
            limit=_LIMIT_US,
            unit=" us",
            digits=0,
            detail=f"p50 {p50_us:.0f} us; p99 by the clock {wall_us:.0f} us, other programs "
            f"included; {len(law.cpu_us)} steps",
        )
    ]
