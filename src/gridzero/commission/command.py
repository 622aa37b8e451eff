"""``gridzero commission``: go through the list, print it, or print the sheet."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gridzero.broker_client import account, broker_of, client, running
from gridzero.commission import sheet
from gridzero.commission.bench import Bench
from gridzero.commission.house import House
from gridzero.commission.kept import KeptResults
from gridzero.commission.person import Left, Terminal
from gridzero.commission.steps import STEP_OF, STEPS, Step
from gridzero.commission.walk import open_steps, walk
from gridzero.config.loader import Loaded, load
from gridzero.config.models import MqttConfig
from gridzero.errors import ConfigError
from gridzero.plugins import find_plugins
from gridzero.ports.devices import Role
from gridzero.ports.links import MqttLink
from gridzero.real_links import up_soon
from gridzero.runtime.exit_codes import ExitCode

FILE_NAME = "commissioning.json"
_BEFORE = """Beside the running gridzero, one line after the other. Each says what to do, measures,
judges, and is kept with its date. Power moves only after words that you type; it ends by itself
within 10 s of the last word from here, and the battery's own limits cut it as always.
Smoke, smell or heat: main switch, out, fire brigade."""
_AFTER = """Where a line has needed it the house is in mode hold, and stays so. Choose auto
yourself, with max_charge_w and max_discharge_w small at first: docs/installation.md."""


def run(arguments: argparse.Namespace) -> ExitCode:
    """FINDINGS while a line is not good. Raises ConfigError, NotThere."""
    if arguments.what == "list":
        return _list()
    if arguments.what == "rectifier":
        from gridzero.commission.rectifier import run as store  # noqa: PLC0415 - opens buses

        file = arguments.kept or _beside(arguments.config)
        return store(arguments.config, arguments.device, file)
    loaded = load(arguments.config, find_plugins().plugins) if arguments.config else None
    kept = KeptResults(arguments.kept or _beside(arguments.config))
    if arguments.what == "sheet":
        _show(sheet.sheet(kept.results, loaded.config.site.name if loaded else "gridzero"))
    else:
        steps = _steps(arguments.what, kept)
        with kept.held(), contextlib.suppress(asyncio.CancelledError):  # SIGTERM: an orderly end
            asyncio.run(_go(kept, steps, loaded, _broker(loaded, arguments.mqtt)))
    return ExitCode.ASKED if sheet.is_done(kept.results) else ExitCode.FINDINGS


def _list() -> ExitCode:
    for place, step in enumerate(STEPS, start=1):
        how = "by hand" if step.by_hand else "moves power" if step.moves else "looks"
        _show(f"{place:2}  {step.key:18} {how:12} {step.title}\n")
    return ExitCode.ASKED


def _steps(what: str, kept: KeptResults) -> Sequence[Step]:
    if what == "all":
        return open_steps(kept)
    if what not in STEP_OF:
        raise ConfigError(
            f"there is no line {what[:40]!r}",
            where="gridzero commission",
            remedy="gridzero commission list names them",
        )
    return [STEP_OF[what]]


async def _go(
    kept: KeptResults, steps: Sequence[Step], loaded: Loaded | None, mqtt: MqttConfig
) -> None:
    _end_in_order()
    link = client(mqtt)
    person = Terminal(sys.stdin.fileno(), _show)
    async with running(link):
        try:
            await up_soon(link.health)
            await _with(person, kept, steps, loaded, link, mqtt.topic_prefix)
        finally:
            person.close()


def _end_in_order() -> None:
    """SIGTERM and a closed terminal end it as Ctrl-C does: through every finally."""
    task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _with(
    person: Terminal,
    kept: KeptResults,
    steps: Sequence[Step],
    loaded: Loaded | None,
    link: MqttLink,
    prefix: str,
) -> None:
    house = House(link, prefix)
    await house.state()
    person.say(f"{_BEFORE}\nKept in {kept.file}: {sheet.summary(kept.results)}")
    try:
        await walk(Bench(house, person, *_known(loaded)), kept, steps)
    except Left:
        person.say("\nAnother day, then.")
    finally:
        person.say(f"\n{sheet.summary(kept.results)}\n{_AFTER}")


def _known(loaded: Loaded | None) -> tuple[float | None, tuple[str, ...] | None]:
    """``zero_a`` of the shunt and the rectifiers' contactors, as they stand in the file."""
    if loaded is None:
        return None, None
    plugins, zero_a = find_plugins().plugins, None
    contactors: list[str] = []
    for name, options in loaded.device_options.items():
        plugin = plugins[loaded.config.devices[name]["driver"]]
        if plugin.role is Role.SHUNT:
            zero_a = getattr(options, "zero_a", None)
        elif plugin.role is Role.CHARGER:
            contactors += plugin.switches(options)
    return zero_a, tuple(contactors)


def _broker(loaded: Loaded | None, named: str | None) -> MqttConfig:
    mqtt = loaded.config.mqtt if loaded else account(None, None)
    return mqtt if named is None else broker_of(named, mqtt.topic_prefix)


def _beside(config: Path | None) -> Path:
    return (config.parent if config else Path()) / FILE_NAME


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
