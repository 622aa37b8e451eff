"""``gridzero bench battery``: how well the battery is known, and what knowing it costs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from gridzero import __version__
from gridzero.bench.battery.section import Section
from gridzero.bench.battery.soc import drive_section
from gridzero.bench.battery.speed import speed_section
from gridzero.bench.battery.twin import twin_section
from gridzero.bench.control.markdown import grid
from gridzero.bench.figures import machine, machine_line
from gridzero.errors import ConfigError

_CAPACITY = "gridzero.bench.battery.capacity"
_DAYS, _QUICK_DAYS = 10.0, 1.0

Made = Callable[[Path | None, bool], Iterator[Section]]


def run(args: argparse.Namespace) -> int:
    """Measure and print; 0 whatever the figures say. Raises ConfigError."""
    chosen = _chosen(args.only)
    if args.data is not None and not args.data.is_dir():
        remedy = "Give a folder with measured cells"
        raise ConfigError("there is no such folder", where=str(args.data), remedy=remedy)
    facts = machine()
    sections: list[Section] = []
    if not args.json:
        _say(machine_line(facts))
    for make in chosen:
        for section in make(args.data, args.quick):
            sections.append(section)
            if not args.json:
                _say("\n" + text(section, markdown=args.markdown))
    if args.json:
        _say(_as_json(sections, facts))
    return 0


def text(section: Section, *, markdown: bool) -> str:
    """A title and a table."""
    title = f"### {section.title}\n" if markdown else section.title
    return f"{title}\n{grid(section.header, section.rows, markdown=markdown)}"


def _soc(data: Path | None, quick: bool) -> Iterator[Section]:
    if data is not None:
        yield drive_section(data, quick=quick)


def _twin(_data: Path | None, quick: bool) -> Iterator[Section]:
    yield twin_section(quick=quick)


def _speed(_data: Path | None, quick: bool) -> Iterator[Section]:
    yield speed_section(quick=quick)


def _capacity(data: Path | None, quick: bool) -> Iterator[Section]:
    """From the part that learns capacities, where it is there."""
    if find_spec(_CAPACITY) is not None:
        made = import_module(_CAPACITY).capacity_sections
        yield from made(data, _QUICK_DAYS if quick else _DAYS)


SECTIONS: dict[str, Made] = {"soc": _soc, "twin": _twin, "speed": _speed, "capacity": _capacity}


def _chosen(names: str | None) -> Sequence[Made]:
    wanted = [name.strip() for name in names.split(",")] if names is not None else list(SECTIONS)
    unknown = sorted(set(wanted) - SECTIONS.keys())
    if unknown:
        remedy = f"There are: {', '.join(SECTIONS)}"
        raise ConfigError(f"unknown: {', '.join(unknown)}", where="--only", remedy=remedy)
    return [make for name, make in SECTIONS.items() if name in wanted]


def _as_json(sections: Sequence[Section], facts: dict[str, object]) -> str:
    made = [{"title": one.title, "figures": one.figures} for one in sections]
    return json.dumps({"gridzero": __version__, "machine": facts, "sections": made}, indent=1)


def _say(what: str) -> None:
    sys.stdout.write(what + "\n")
    sys.stdout.flush()
