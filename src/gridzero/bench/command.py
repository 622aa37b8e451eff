"""``gridzero bench core``: what the core costs and how quick it is."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator

from gridzero import log as logging_setup
from gridzero.bench import codecs, real_time, speed
from gridzero.bench.clients import side_by_side
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
    if args.rounds < 1:
        raise ConfigError(f"{args.rounds} is too few", where="--rounds", remedy="Use 8")
    logging_setup.configure("error")
    facts = machine()
    if not args.json:
        print(machine_line(facts), flush=True)
    figures = list(_wanted(args))
    if args.json:
        plain = {figure.key: figure.to_dict() for figure in figures}
        print(json.dumps({"machine": facts, "figures": plain}, indent=1))
    else:
        notes = side_by_side.NOTES if args.with_clients else NOTES
        print(f"\n{table(figures)}\n\n{notes}")
    return 0


def _wanted(args: argparse.Namespace) -> Iterator[Figure]:
    if args.with_clients:
        return _with_clients(args)
    return _quick() if args.quick else _all(args.seconds)


def _with_clients(args: argparse.Namespace) -> Iterator[Figure]:
    """Rounds short enough to take turns."""
    seconds, rounds = (_SHORTEST_S, 1) if args.quick else (args.seconds, args.rounds)
    settle_s = 0.0 if args.quick else _SETTLE_S
    return asyncio.run(side_by_side.measure(seconds, settle_s, rounds)).figures()


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
