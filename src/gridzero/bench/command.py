"""``gridzero bench core``: what the core costs and how quick it is."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator

from gridzero import log as logging_setup
from gridzero.bench import codecs, real_time, speed
from gridzero.bench.figures import Figure, machine, machine_line, table
from gridzero.errors import ConfigError

_SHORTEST_S = 1.0
_SIMULATED_MIN = 30.0
_CODEC_S = 0.5
_SETTLE_S = 3.0

NOTES = """\
Meter to inverter: from just before publish() to the first byte at the far end of the line, without
the time on the wire (a pseudo-terminal has none; 8 bytes at 4800 baud take 16.7 ms). Waiting for
a core: while other programs had it. Meter at 2 Hz: a demand that was repeated less than 0.25 s ago
holds up a changed one. See docs/benchmarks.md."""


def run(args: argparse.Namespace) -> int:
    """Measure and print; 0 when it ran to the end, whatever the figures say."""
    if not args.seconds >= _SHORTEST_S:
        raise ConfigError(
            f"{args.seconds:g} s is too short", where="--seconds", remedy="Use 30, or --quick"
        )
    logging_setup.configure("error")
    facts = machine()
    if not args.json:
        print(machine_line(facts), flush=True)
    figures = list(_quick() if args.quick else _all(args.seconds))
    if args.json:
        plain = {figure.key: figure.to_dict() for figure in figures}
        print(json.dumps({"machine": facts, "figures": plain}, indent=1))
    else:
        print(f"\n{table(figures)}\n\n{NOTES}")
    return 0


def _all(seconds: float) -> Iterator[Figure]:
    return _measured(seconds, _SETTLE_S, _CODEC_S, _SIMULATED_MIN)


def _quick() -> Iterator[Figure]:
    return _measured(_SHORTEST_S, 0.0, 0.01, 0.5)


def _measured(
    seconds: float, settle_s: float, codec_s: float, simulated_min: float
) -> Iterator[Figure]:
    _say(f"the service in real time, about {2.6 * seconds + settle_s + 5:.0f} s ...")
    yield from asyncio.run(real_time.measure(seconds, settle_s)).figures()
    _say("codecs ...")
    yield from codecs.measure(codec_s)
    _say("simulated time ...")
    yield from speed.measure(simulated_min)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
