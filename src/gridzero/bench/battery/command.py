"""``gridzero bench battery``: how well the battery is known, and what knowing it costs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from gridzero import __version__
from gridzero.bench.battery.section import Section
from gridzero.bench.battery.soc import drive_section
from gridzero.bench.battery.speed import speed_section
from gridzero.bench.battery.twin import twin_section
from gridzero.bench.battery.whole import whole_section
from gridzero.bench.control.markdown import grid
from gridzero.bench.figures import machine, machine_line
from gridzero.errors import ConfigError

_CAPACITY = "gridzero.bench.battery.capacity"
_DAYS, _QUICK_DAYS = 10.0, 1.0
_WHOLE_DAYS = 3.0


class Wanted(NamedTuple):
    """Options that sections look at. days, modules: None = as each section has it."""

    data: Path | None
    quick: bool
    days: float | None = None
    modules: int | None = None


Made = Callable[[Wanted], Iterator[Section]]


def run(args: argparse.Namespace) -> int:
    """Measure and print; 0 whatever the figures say. Raises ConfigError."""
    chosen = _chosen(args.only)
    if args.data is not None and not args.data.is_dir():
        remedy = "Give a folder with measured cells"
        raise ConfigError("there is no such folder", where=str(args.data), remedy=remedy)
    wanted = Wanted(args.data, args.quick, args.days, args.modules)
    facts = machine()
    sections: list[Section] = []
    if not args.json:
        _say(machine_line(facts))
    for make in chosen:
        for section in make(wanted):
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


def _soc(wanted: Wanted) -> Iterator[Section]:
    if wanted.data is not None:
        yield drive_section(wanted.data, quick=wanted.quick)


def _twin(wanted: Wanted) -> Iterator[Section]:
    yield twin_section(quick=wanted.quick)


def _speed(wanted: Wanted) -> Iterator[Section]:
    yield speed_section(quick=wanted.quick)


def _whole(wanted: Wanted) -> Iterator[Section]:
    days = wanted.days or _WHOLE_DAYS
    yield whole_section(days, modules=wanted.modules, quick=wanted.quick)


def _capacity(wanted: Wanted) -> Iterator[Section]:
    """From the part that learns capacities, where it is there."""
    if find_spec(_CAPACITY) is not None:
        made = import_module(_CAPACITY).capacity_sections
        yield from made(wanted.data, _QUICK_DAYS if wanted.quick else wanted.days or _DAYS)


SECTIONS: dict[str, Made] = {
    "soc": _soc,
    "twin": _twin,
    "speed": _speed,
    "capacity": _capacity,
    "whole": _whole,
}


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
