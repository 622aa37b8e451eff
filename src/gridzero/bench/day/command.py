"""The command: lives the day and prints what was counted of it."""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Iterator
from typing import Any

from gridzero import log as logging_setup
from gridzero.bench.control.markdown import grid
from gridzero.bench.day.day import Day
from gridzero.bench.figures import machine, machine_line
from gridzero.errors import ConfigError
from gridzero.sim.loop import run_simulated

_MOST_HOURS, _MODULES = 24.0, 9
_SECONDS_PER_DAY = 86_400.0

NOTES = """\
Counted: what energy.json holds at the end, after restarts. Power at the meter flickers around 0:
that counts as bought and as sold (docs/energy.md)."""


def run(args: argparse.Namespace) -> int:
    """Live the day; 1 if a counter ran backwards or a setting was refused. Raises ConfigError."""
    if not 0.0 < args.hours <= _MOST_HOURS:
        raise ConfigError(f"{args.hours:g} h is no part of a day", where="--hours", remedy="Use 24")
    if not 2 <= args.modules <= _MODULES:
        raise ConfigError(f"{args.modules} is not from 2 to 9", where="--modules", remedy="Use 3")
    logging_setup.configure("error")
    day = Day(args.hours, args.modules, args.seed)
    gc.freeze()  # as the demo does: what is there now stays
    try:
        run_simulated(day.live())
    finally:
        gc.unfreeze()
    print(json.dumps(plain(day), indent=1) if args.json else text(day))
    return 1 if day.heard.backwards or day.heard.refused else 0


def plain(day: Day) -> dict[str, Any]:
    """For JSON."""
    return {
        "machine": machine(),
        "counters": {
            counted.value: {"true_kwh": true_kwh, "counted_kwh": day.counted.get(counted.value)}
            for counted, true_kwh in day.truth.sums.items()
        },
        "spells": [spell._asdict() for spell in day.spells],
        "lives": day.lives,
        "backwards": day.heard.backwards,
        "refused": day.heard.refused,
        "cpu_s": day.cpu_s,
        "days_per_cpu_minute": _speed(day),
    }


def text(day: Day) -> str:
    """For people."""
    spells = (
        (
            f"{spell.since_h:05.2f}",
            spell.what,
            f"{spell.grid_w:.1f}",
            str(spell.starts),
            f"{spell.soc_pct:.1f}",
            spell.because,
        )
        for spell in day.spells
    )
    heads = ("from h", "changed", "mean grid W", "starts", "% at end", "because at end")
    return "\n".join(
        (
            machine_line(machine()),
            "",
            grid(("counter", "true kWh", "counted kWh", "difference"), list(_counters(day))),
            "",
            grid(heads, list(spells)),
            "",
            f"lives of the process: {day.lives}",
            f"counters that ran backwards: {', '.join(day.heard.backwards) or 'none'}",
            f"refused: {', '.join(day.heard.refused) or 'none'}",
            f"{day.cpu_s:.0f} s of CPU, {_speed(day):.2f} days in a minute of it",
            NOTES,
        )
    )


def _counters(day: Day) -> Iterator[tuple[str, ...]]:
    for counted, true_kwh in day.truth.sums.items():
        kwh = day.counted.get(counted.value, 0.0)
        share = f", {100.0 * (kwh / true_kwh - 1.0):+.2f} %" if true_kwh > 0.0 else ""
        off = f"{1000.0 * (kwh - true_kwh):+.1f} Wh{share}"
        yield counted.value, f"{true_kwh:.4f}", f"{kwh:.4f}", off


def _speed(day: Day) -> float:
    return day.truth.seconds / _SECONDS_PER_DAY / (max(day.cpu_s, 0.001) / 60.0)
