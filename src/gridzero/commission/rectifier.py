"""``gridzero commission rectifier``: what a charger falls back to when nobody speaks to it.

Never beside a running gridzero, and by nothing that can be reached over a network: a stored value
decides what happens when nobody is there, and wears the unit's memory. So this holds the state
folder, speaks on the bus itself, and asks for the words before each write.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gridzero.commission.kept import KeptResults
from gridzero.commission.person import Left, Person, Terminal, number, yes
from gridzero.commission.result import Result, bad, good, skipped
from gridzero.config.loader import Loaded, load
from gridzero.errors import ConfigError, DeviceError
from gridzero.plugins import find_plugins
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import OfflineValue, OfflineValues
from gridzero.ports.links import LinkHealth, Links
from gridzero.ports.plugin import DriverContext, DriverPlugin, Options
from gridzero.real_links import RealLinks, up_soon
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.state_lock import only_process

KEY = "rectifier_offline"
_BEFORE = """Values that the unit uses when nobody speaks to it, and after its mains come back.
They cannot be read back: the proof is a minute of silence. The battery must be disconnected:
main switch off, its fuse out, and measured."""


def run(file: Path | None, device: str | None, kept: Path) -> ExitCode:
    """FINDINGS unless all was stored and seen. Raises ConfigError."""
    if file is None:
        raise ConfigError(
            "which rectifier, on which bus?",
            where="gridzero commission rectifier",
            remedy="Name the file with --config FILE",
        )
    loaded = load(file, find_plugins().plugins)
    name = name_of(loaded, device)
    results = KeptResults(kept)
    with results.held():
        with only_process(Path(loaded.config.site.state_dir)):
            result = asyncio.run(_with_terminal(loaded, name))
        results.note(KEY, result)
    sys.stdout.write(f"{result.outcome.value}: {result.text}\n")
    sys.stdout.write(f"-> {result.mend}\n" if result.mend else "")
    return ExitCode.FINDINGS if result.outcome != "good" else ExitCode.ASKED


def name_of(loaded: Loaded, device: str | None) -> str:
    """The one charger that stores values, or the named one. Raises ConfigError."""
    able = [name for name in loaded.device_options if plugin_of(loaded, name).offline is not None]
    if device is None and len(able) == 1:
        return able[0]
    if device in able:
        return str(device)
    raise ConfigError(
        f"{device or 'no single device'} stores no values for silence",
        where="--device",
        remedy=f"Name one of: {', '.join(able) or 'none is configured'}",
    )


def plugin_of(loaded: Loaded, name: str) -> DriverPlugin:
    """The driver of a device."""
    return find_plugins().plugins[loaded.config.devices[name]["driver"]]


async def _with_terminal(loaded: Loaded, name: str) -> Result:
    person = Terminal(sys.stdin.fileno(), _show)
    try:
        async with _links(loaded, name) as links:
            options = loaded.device_options[name]
            return await store(person, values_of(plugin_of(loaded, name), options, name, links))
    except Left:
        return skipped("left in the middle: do all of it again")
    finally:
        person.close()


def values_of(plugin: DriverPlugin, options: Options, name: str, links: Links) -> OfflineValues:
    """What can be stored in a device. Raises ConfigError where nothing can."""
    if plugin.offline is None:
        raise ConfigError("it stores nothing", where=name, remedy="Look into its manual")
    return plugin.offline(options, DriverContext(name, LoopClock(), links, _untold))


@asynccontextmanager
async def _links(loaded: Loaded, name: str) -> AsyncIterator[RealLinks]:
    """Only the bus of that device; nobody else is spoken to."""
    links = RealLinks(loaded.config, FaultBook(LoopClock()))
    wanted = {link for _, link in plugin_of(loaded, name).link_names(loaded.device_options[name])}
    tasks = [
        asyncio.ensure_future(service.run())
        for service in links.services()
        if service.name.removeprefix("link ") in wanted
    ]
    try:
        for link in wanted:
            await _up(links.can(link).health, link)
        yield links
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _up(health: LinkHealth, link: str) -> None:
    await up_soon(health)
    if health.state != "up":
        raise ConfigError(
            f"the bus cannot be opened: {health.why}", where=link, remedy="gridzero doctor FILE"
        )


async def store(person: Person, values: OfflineValues) -> Result:
    """Write each value with consent, then prove by silence. Raises Left."""
    person.say(_BEFORE)
    if not await yes(person, "Is the battery disconnected, and have you measured that?"):
        return skipped("the battery is not disconnected")
    told: list[str] = []
    for value in values.values:
        stored = await _store_one(person, values, value)
        if stored is None:
            return bad(
                f"{value.title} was not stored; before it: {', '.join(told) or 'nothing'}",
                "Only behind a contactor, until all is stored and seen",
            )
        told.append(f"{value.title} {stored:g} {value.unit}")
    return await _prove(person, values, ", ".join(told))


async def _store_one(person: Person, values: OfflineValues, value: OfflineValue) -> float | None:
    """What was acknowledged; None where the person gives up. A refusal may be tried otherwise."""
    while True:
        person.say(f"\n{value.title}: {value.advice}")
        wanted = await number(
            person, f"{value.title}, {value.unit}, {value.low:g} to {value.high:g}?"
        )
        if wanted is None:
            return None
        person.say(f"To write {wanted:g} {value.unit} for good, type: {values.words}")
        typed = await person.answer(">")
        try:
            stored = await values.store(value.key, wanted, typed)
        except (DeviceError, ValueError) as error:
            person.say(f"not stored: {error}")
        else:
            person.say(f"acknowledged: {stored:g} {value.unit}")
            return stored


async def _prove(person: Person, values: OfflineValues, told: str) -> Result:
    """Say nothing until it has forgotten every set-point, then ask once."""
    person.say(f"\nNow {values.silence_s:g} s of silence; then it is asked once.")
    await asyncio.sleep(values.silence_s)
    try:
        shown_v = await values.measured_v()
    except DeviceError as error:
        return bad(f"acknowledged: {told}; afterwards {error.what}", "Look at mains and plug")
    wanted_v = values.stored_v
    if wanted_v is None or not abs(shown_v - wanted_v) <= values.tolerance_v:
        return bad(
            f"acknowledged: {told}; in silence it shows {shown_v:.1f} V",
            "It does not keep what it acknowledged: only behind a contactor",
        )
    return good(f"{told}; in silence it shows {shown_v:.1f} V")


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """Nobody else listens here."""
