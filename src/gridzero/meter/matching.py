"""Which profiles could read what was heard: each is tried on it, with the real driver."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml
from pydantic import ValidationError

from gridzero.domain.readings import MeterReading
from gridzero.links.memory import MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import Meter, Role
from gridzero.ports.links import MqttMessage
from gridzero.ports.plugin import DriverContext, DriverPlugin, Profile

HOLE: Final = "{id}"
LINK: Final = "meter"
_ANSWERED_S = 0.02


class Known(NamedTuple):
    """A profile and the driver that has it."""

    plugin: DriverPlugin
    profile: Profile


class Match(NamedTuple):
    """A profile that gave readings of what was heard.

    weight: how particular its shape is. link: section of the link it needs, None = the broker.
    """

    known: Known
    section: Mapping[str, Any]
    readings: tuple[MeterReading, ...]
    weight: int
    link: Mapping[str, Any] | None = None


def known_meters(plugins: Mapping[str, DriverPlugin]) -> list[Known]:
    """Every profile of every meter driver, in the order of docs/meters.md."""
    meters = [plugin for plugin in plugins.values() if plugin.role is Role.METER]
    every = (Known(plugin, profile) for plugin in meters for profile in plugin.profiles)
    return sorted(
        every, key=lambda known: (known.profile.number, known.plugin.name == "mqtt_meter")
    )


def section_of(known: Known, id_: str | None = None, **given: Any) -> dict[str, Any]:
    """The device's section as it would stand in a configuration."""
    section: dict[str, Any] = {"driver": known.plugin.name}
    if "profile" in known.plugin.options.model_fields:
        section["profile"] = known.profile.name
    if id_ is not None:
        section["id"] = id_
    return section | given


def as_yaml(section: Mapping[str, Any], link: Mapping[str, Any] | None = None) -> str:
    """What to paste into a configuration."""
    parts: dict[str, Any] = {"links": {LINK: dict(link)}} if link else {}
    parts["devices"] = {"meter": dict(section)}
    text = str(yaml.safe_dump(parts, sort_keys=False, width=100, allow_unicode=True))
    return re.sub(r"'(!secret \w+)'", r"\1", text)  # a tag, and no text that begins like one


def matches(messages: Sequence[MqttMessage], known: Iterable[Known]) -> list[Match]:
    """Profiles that give readings of these messages, the most particular first."""
    topics = list(dict.fromkeys(message.topic for message in messages))
    found = [
        match
        for each in known
        for id_ in _ids(each.profile, topics)
        if (match := _tried(each, id_, messages)) is not None
    ]
    return sorted(found, key=lambda match: (bool(match.known.profile.unfit), -match.weight))


def templates(profile: Profile) -> list[str]:
    """The topics of a profile, with holes."""
    settings = profile.settings
    places = [settings, *settings.get("sources", ())]
    return [place[key] for place in places for key in ("topic", "export_topic") if key in place]


def _ids(profile: Profile, topics: Sequence[str]) -> Iterator[str | None]:
    """What the hole could be, so that every topic of the profile was heard."""
    wanted = templates(profile)
    if not wanted:
        return
    if HOLE not in wanted[0]:
        if set(wanted) <= set(topics):
            yield None
        return
    shape = re.compile(re.escape(wanted[0]).replace(re.escape(HOLE), "(.+)"))
    for topic in topics:
        fits = shape.fullmatch(topic)
        if fits and {each.replace(HOLE, fits[1]) for each in wanted} <= set(topics):
            yield fits[1]


def _tried(known: Known, id_: str | None, messages: Sequence[MqttMessage]) -> Match | None:
    section = section_of(known, id_)
    links = MemoryLinks()
    try:
        options = known.plugin.options.model_validate(section)
    except ValidationError:
        return None  # such as an id that no topic may have
    meter, readings = listened(known.plugin, options, links)
    for message in messages:
        links.mqtt().take(message)
    literal = len("".join(templates(known.profile)).replace(HOLE, ""))
    weight = literal + len(str(known.profile.settings.get("path", "")).split("|")[0])
    return Match(known, section, tuple(readings), weight) if meter.latest() else None


def listened(
    plugin: DriverPlugin, options: Any, links: MemoryLinks
) -> tuple[Meter, list[MeterReading]]:
    """The real driver on links in memory, and where its readings go."""

    def report(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        """A profile that does not fit complains; that is the answer already."""

    device = plugin.build(options, DriverContext("meter", LoopClock(), links, report))
    assert isinstance(device, Meter), "a plugin of this role builds meters"
    readings: list[MeterReading] = []
    device.on_reading(readings.append)
    return device, readings


class _Canned:
    """A web server that says one thing."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def answer(self, _target: str) -> bytes:
        return self._body


async def answers(known: Known, section: Mapping[str, Any], body: bytes) -> Match | None:
    """Whether a profile can read this answer of a web server."""
    options = known.plugin.options.model_validate({**section, "link": LINK})
    links = MemoryLinks()
    server = links.http(LINK)
    server.server, server.delay_s = _Canned(body), 0.0
    meter, readings = listened(known.plugin, options, links)
    task = asyncio.create_task(meter.run())
    await asyncio.sleep(_ANSWERED_S)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    weight = len(str(section.get("path", "")))
    return Match(known, section, tuple(readings), weight) if readings else None
