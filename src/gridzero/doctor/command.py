"""``gridzero doctor [FILE] [--json]``."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from gridzero.config.loader import Loaded, load
from gridzero.doctor.evidence import House
from gridzero.doctor.gather import gather
from gridzero.doctor.rows import examine
from gridzero.doctor.verdict import Finding, Level
from gridzero.errors import ConfigError
from gridzero.plugins import Found, find_plugins
from gridzero.runtime.exit_codes import ExitCode

_SIGNS = {Level.OK: "ok", Level.WARN: "WARN", Level.BAD: "BAD", Level.UNKNOWN: "?"}
_ROW_WIDTH = 15


def run(arguments: argparse.Namespace) -> ExitCode:
    """Look at the machine and tell; FINDINGS where something should be done."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    house, problem = _house(arguments.config)
    evidence = replace(asyncio.run(gather(house)), config_problem=problem)
    findings = examine(evidence)
    sys.stdout.write(as_json(findings) if arguments.json else as_text(findings, arguments.all))
    return exit_code(findings)


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """FINDINGS where one is warn or bad; what could not be looked at is none."""
    some = any(finding.verdict.level.is_finding for finding in findings)
    return ExitCode.FINDINGS if some else ExitCode.ASKED


def as_json(findings: Sequence[Finding]) -> str:
    """For programs: the keys are stable."""
    rows = [
        {
            "row": row,
            "subject": verdict.subject,
            "level": verdict.level.value,
            "text": verdict.text,
            "mend": verdict.mend,
        }
        for row, verdict in findings
    ]
    is_well = exit_code(findings) is ExitCode.ASKED
    return json.dumps({"ok": is_well, "findings": rows}, indent=2) + "\n"


def as_text(findings: Iterable[Finding], all_rows: bool = False) -> str:
    """For people: findings first to last, each with what mends it; the rest as one line."""
    told = list(findings)
    shown = [f for f in told if all_rows or f.verdict.level.is_finding]
    return "".join([*map(_lines, shown), _sum(told)])


def _lines(finding: Finding) -> str:
    row, verdict = finding
    subject = f"{verdict.subject}: " if verdict.subject else ""
    line = f"{_SIGNS[verdict.level]:4}  {row:{_ROW_WIDTH}} {subject}{verdict.text}\n"
    return line + (f"{'':6}{'':{_ROW_WIDTH}} -> {verdict.mend}\n" if verdict.mend else "")


def _sum(findings: list[Finding]) -> str:
    counts = [(level, sum(f.verdict.level is level for f in findings)) for level in Level]
    words = {Level.OK: "good", Level.WARN: "to look at", Level.BAD: "wrong"}
    told = (f"{n} {words.get(level, 'not to be seen')}" for level, n in counts if n)
    return f"{', '.join(told) or 'nothing was found'}\n"


def _house(file: Path | None) -> tuple[House | None, str]:
    """What the file wants, or what is wrong with it; the machine is looked at all the same."""
    if file is None:
        return None, ""
    found = find_plugins()
    try:
        loaded = load(file, found.plugins, broken=found.reasons)
    except ConfigError as error:
        return None, str(error).splitlines()[0]
    return house_of(file, loaded, found), ""


def house_of(file: Path, loaded: Loaded, found: Found) -> House:
    """What a good configuration wants of the machine."""
    config = loaded.config
    return House(file=str(file), config=config, sensors=tuple(_sensors(loaded, found)))


def _sensors(loaded: Loaded, found: Found) -> Iterable[tuple[str, int]]:
    """Addresses on I2C buses, as the drivers claim them."""
    for name, options in loaded.device_options.items():
        plugin = found.plugins[loaded.config.devices[name]["driver"]]
        buses = {link for kind, link in plugin.link_names(options) if kind == "i2c"}
        for link, address in plugin.addresses(options):
            if link in buses and address.startswith("0x"):
                yield link, int(address, 16)
