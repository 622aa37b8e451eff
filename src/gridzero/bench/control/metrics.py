"""What a run was worth, in numbers. Error is counted against what the converters could cover."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from math import sqrt
from typing import Any

from gridzero.bench.control.converters import STEP_S
from gridzero.bench.control.simulate import Run
from gridzero.bench.control.traces import Trace
from gridzero.control.avoidable import Reach, avoidable_w, out_of_reach_w
from gridzero.control.settling import HELD_S, Settling
from gridzero.domain.value import REFERENCE

WARM_UP_S = 30.0
_HELD = round(HELD_S / STEP_S)
_REACTED_W, _REACTED = 10.0, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Figures of one law on one plant and trace, the first 30 s left out.

    mean_w, rms_w: of the avoidable |error|. import_wh_h, export_wh_h: avoidable, Wh per hour.
    settle_s, settle_max_s: from a step until |error| stays below 25 W for 10 s; a step that never
    settles counts until the next one. unsettled: share of such steps, 0..1. overshoot_w: largest
    error on the other side after a step, mean over steps. dead_s: from a step until the battery
    has moved its way. stationary_w: mean |error| in the last 10 s before a step.
    exporting: share of the time with avoidable export, 0..1. emptying_ct_h, filling_ct_h: what the
    errors cost per hour where the battery will run empty, and where it will be full anyway.
    starts_h: converters that left zero, per hour. travel_kw_h: way of the battery power, kW per
    hour. regret_ct_h: avoidable import at 30 ct less avoidable export at 8 ct, per hour.
    None: the trace has no steps that rest.
    """

    mean_w: float
    rms_w: float
    import_wh_h: float
    export_wh_h: float
    settle_s: float | None
    settle_max_s: float | None
    unsettled: float | None
    overshoot_w: float | None
    dead_s: float | None
    stationary_w: float | None
    starts_h: float
    travel_kw_h: float
    regret_ct_h: float
    exporting: float
    emptying_ct_h: float
    filling_ct_h: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {
            name: None if value is None else float(f"{value:.5g}")
            for name, value in asdict(self).items()
        }


def measure(run: Run) -> Metrics:
    """All figures of a run."""
    error_w = avoidable_error(run)
    first = min(round(WARM_UP_S / STEP_S), len(error_w) // 10)
    steady_w, count = error_w[first:], len(error_w) - first
    import_w = sum(e for e in steady_w if e > 0.0) / count
    export_w = -sum(e for e in steady_w if e < 0.0) / count
    hours = len(error_w) * STEP_S / 3600.0
    way_w = sum(abs(after - before) for before, after in pairwise(run.battery_w))
    return Metrics(
        mean_w=import_w + export_w,
        rms_w=sqrt(sum(e * e for e in steady_w) / count),
        import_wh_h=import_w,
        export_wh_h=export_w,
        **_of_steps(run, error_w),
        starts_h=run.starts / hours,
        travel_kw_h=way_w / 1000.0 / hours,
        regret_ct_h=REFERENCE.ct_per_h(import_w) + REFERENCE.ct_per_h(-export_w),
        exporting=sum(e < 0.0 for e in steady_w) / count,
        emptying_ct_h=export_w * (REFERENCE.import_ct - REFERENCE.export_ct) / 1000.0,
        filling_ct_h=import_w * (REFERENCE.import_ct - REFERENCE.export_ct) / 1000.0,
    )


def avoidable_error(run: Run) -> array[float]:
    """Grid power at each step less the part that no converter could have covered, W."""
    plant = run.setting.plant
    reach = Reach(
        most_w=plant.discharge_w,
        least_w=-plant.charge_w,
        least_charge_w=plant.rectifier.min_w if plant.rectifier else 0.0,
    )
    errors_w: array[float] = array("d")
    for net_load_w, battery_w in zip(run.setting.trace.net_load_w, run.battery_w, strict=True):
        rest_w = out_of_reach_w(net_load_w, reach)
        errors_w.append(avoidable_w(net_load_w - battery_w, rest_w))
    return errors_w


def _of_steps(run: Run, error_w: Sequence[float]) -> dict[str, float | None]:
    """The figures that need steps."""
    trace = run.setting.trace
    if not trace.steps:
        names = ("settle_s", "settle_max_s", "unsettled", "overshoot_w", "dead_s", "stationary_w")
        return dict.fromkeys(names)
    settles = [_settling(error_w, step, end) for step, end in trace.steps]
    lasts_s = settlings(error_w, trace.steps)
    rests_w = [abs(e) for _, end in trace.steps for e in error_w[end - _HELD : end]]
    return {
        "settle_s": _mean(lasts_s),
        "settle_max_s": max(lasts_s),
        "unsettled": settles.count(None) / len(settles),
        "overshoot_w": _mean(_overshoot(error_w, trace, *step) for step in trace.steps),
        "dead_s": _mean(_dead(run.battery_w, trace, *step) for step in trace.steps),
        "stationary_w": _mean(rests_w),
    }


def settlings(error_w: Sequence[float], steps: Sequence[tuple[int, int]]) -> list[float]:
    """Seconds that each step takes to settle; one that never does lasts until the next change."""
    found = [(_settling(error_w, step, end), end - step) for step, end in steps]
    return [whole * STEP_S if settle_s is None else settle_s for settle_s, whole in found]


def _settling(error_w: Sequence[float], step: int, end: int) -> float | None:
    """Seconds until the error stays in its band; None = not before the next change."""
    settling = Settling()
    for at in range(step, end):
        settled_s = settling.update(error_w[at], STEP_S)
        if settled_s is not None:
            return settled_s
    return None


def _height(trace: Trace, step: int) -> float:
    before_w = trace.net_load_w[step - 1] if step else 0.0
    return trace.net_load_w[step] - before_w


def _overshoot(error_w: Sequence[float], trace: Trace, step: int, end: int) -> float:
    """Error of the opposite sign; what the last step left behind does not count."""
    way = 1.0 if _height(trace, step) > 0 else -1.0
    there = next((at for at in range(step, end) if way * error_w[at] <= 0.0), end)
    return max((-way * error_w[at] for at in range(there, end)), default=0.0)


def _dead(battery_w: Sequence[float], trace: Trace, step: int, end: int) -> float:
    """Seconds until the battery has moved 10 W and 5 % of the step, the right way."""
    height_w = _height(trace, step)
    enough_w = max(_REACTED_W, _REACTED * abs(height_w))
    way, before_w = (1.0 if height_w > 0 else -1.0), battery_w[step]
    for at in range(step, end):
        if way * (battery_w[at] - before_w) >= enough_w:
            return (at - step) * STEP_S
    return (end - step) * STEP_S


def mean_of(runs: Sequence[Metrics]) -> Metrics:
    """The mean of several seeds; of settle_max_s the largest."""
    values: dict[str, Any] = {}
    for field in fields(Metrics):
        known = [value for run in runs if (value := getattr(run, field.name)) is not None]
        many = max(known) if known and field.name == "settle_max_s" else _mean(known)
        values[field.name] = many if known else None
    return Metrics(**values)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0
