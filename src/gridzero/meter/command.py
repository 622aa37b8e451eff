"""``gridzero meter list`` and ``gridzero meter test``."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from gridzero.broker_client import account, client
from gridzero.config.links import HttpLinkConfig, UdpLinkConfig
from gridzero.config.loader import Loaded, load
from gridzero.errors import ConfigError, LinkError
from gridzero.links.mqtt_client import RealMqtt
from gridzero.log import configure
from gridzero.meter import words
from gridzero.meter.check import Checked, NothingHeard, Runs, check, running
from gridzero.meter.given import (
    SMA_GROUP,
    http_config,
    http_section,
    own_request,
    udp_section,
    untold,
)
from gridzero.meter.matching import (
    LINK,
    Known,
    as_yaml,
    known_meters,
    matches,
    section_of,
)
from gridzero.meter.survey import Survey
from gridzero.meter.web import ask_around
from gridzero.meter.words import as_json, say
from gridzero.plugins import find_plugins
from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin
from gridzero.real_links import http_of, udp_of
from gridzero.runtime.exit_codes import ExitCode

_LOOK_S = 0.02
_CONNECT_LOOKS = 250


def run(arguments: argparse.Namespace) -> ExitCode:
    """One of the two. Raises ConfigError, LinkError or NothingHeard."""
    configure("error")  # what a driver or link would log, this command says by itself
    plugins = find_plugins().plugins
    if arguments.what == "list":
        return _list(known_meters(plugins), arguments.json)
    return asyncio.run(_test(arguments, plugins))


def _list(known: Sequence[Known], for_programs: bool) -> ExitCode:
    data, lines = words.listing_data, words.listing
    say(as_json(data(known)) if for_programs else "\n".join(lines(known)))
    return ExitCode.ASKED


async def _test(arguments: argparse.Namespace, plugins: Mapping[str, DriverPlugin]) -> ExitCode:
    known = known_meters(plugins)
    if arguments.profile is not None:
        return await _check_profile(arguments, _named(known, arguments.profile))
    if arguments.url is not None:
        return await ask_around(arguments, known)
    if arguments.config is not None and arguments.topic is None:
        return await _check_configured(arguments, load(arguments.config, plugins), plugins)
    return await _survey(arguments, known)


# --- a broker, and nothing known ----------------------------------------------------------------


async def _survey(arguments: argparse.Namespace, known: Sequence[Known]) -> ExitCode:
    mqtt = account(arguments.config, arguments.mqtt)
    survey = Survey(own=mqtt.topic_prefix if arguments.topic is None else "")
    link = client(mqtt)
    for topic in _filters(arguments.topic):
        link.subscribe(topic, survey.take)
    async with running(link):
        await _connected(link)
        sys.stderr.write(f"listening for {arguments.seconds:g} s ...\n")
        await asyncio.sleep(arguments.seconds)
    if not survey.topics:
        raise NothingHeard(
            f"no message in {arguments.seconds:g} s",
            where=arguments.topic or "any topic",
            remedy="Check the topic and that the meter publishes there; or listen longer with "
            "--seconds",
        )
    found = matches(tuple(survey.kept), known)
    if survey.left_out:
        sys.stderr.write("what gridzero itself says is left out\n")
    if arguments.json:
        say(as_json(words.survey_data(survey, found)))
    else:
        say("\n".join(words.survey_lines(survey, found)))
    likely = any(look.likely() for look in survey.topics.values())
    return ExitCode.ASKED if found or likely else ExitCode.FINDINGS


def _filters(topic: str | None) -> list[str]:
    """What to subscribe to: a topic and all below it, or what the person wrote."""
    if topic is None:
        return ["#"]
    if "#" in topic or "+" in topic:
        return [topic]
    topic = topic.rstrip("/")
    return [topic, f"{topic}/#"]


def _broker(arguments: argparse.Namespace) -> RealMqtt:
    return client(account(arguments.config, arguments.mqtt))


async def _connected(link: RealMqtt) -> None:
    """Raises LinkError with the reason when the broker does not take us."""
    nothing_yet = link.health.why
    for _ in range(_CONNECT_LOOKS):
        if link.health.state == "up":
            return
        if link.health.why != nothing_yet:
            break
        await asyncio.sleep(_LOOK_S)
    if link.health.state != "up":
        raise LinkError(
            link.health.why,
            where="the broker",
            remedy="Give it with --mqtt HOST:PORT, or with --config where it wants a password",
        )


# --- one meter, known by name or configured -----------------------------------------------------


def _named(known: Sequence[Known], name: str) -> Known:
    for each in known:
        if each.profile.name == name:
            return each
    near = difflib.get_close_matches(name, [each.profile.name for each in known], n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    remedy = f"{hint}gridzero meter list shows all"
    raise ConfigError(f"there is no profile {name!r}", where="--profile", remedy=remedy)


async def _check_profile(arguments: argparse.Namespace, known: Known) -> ExitCode:
    section = section_of(known, arguments.id)
    link, link_section = _link_for(arguments, known.plugin)
    if link_section is not None:
        section["link"] = LINK
    if arguments.topic is not None:
        section["topic"] = arguments.topic
    if arguments.url is not None and (request := own_request(arguments.url)) is not None:
        section["request"] = request
    options = _options(known.plugin, section)
    paste = as_yaml(section, link_section)
    return await _checked(arguments, known.plugin, options, link, paste)


def _link_for(
    arguments: argparse.Namespace, plugin: DriverPlugin
) -> tuple[Runs, dict[str, Any] | None]:
    """The link that a driver needs, and its section; a broker has none."""
    options = plugin.options.model_fields
    if "request" in options:
        config = http_config(arguments)
        return http_of(LINK, config, untold), http_section(config)
    if "serial" in options:
        section = SMA_GROUP if arguments.udp is None else udp_section(arguments.udp)
        return udp_of(LINK, UdpLinkConfig.model_validate(section), untold), dict(section)
    return _broker(arguments), None


def _options(plugin: DriverPlugin, section: Mapping[str, Any]) -> Any:
    try:
        return plugin.options.model_validate(section)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or plugin.name
        what = str(first.get("ctx", {}).get("error", first["msg"]))
        remedy = "Give what is missing with --id or --topic"
        raise ConfigError(what, where=where, remedy=remedy) from error


async def _check_configured(
    arguments: argparse.Namespace, loaded: Loaded, plugins: Mapping[str, DriverPlugin]
) -> ExitCode:
    for name, options in loaded.device_options.items():
        plugin = plugins[loaded.config.devices[name]["driver"]]
        if plugin.role is Role.METER:
            link = _configured_link(arguments, loaded, plugin, options)
            return await _checked(arguments, plugin, options, link, "")
    raise ConfigError("there is no meter in it", where=str(arguments.config), remedy="Add one")


def _configured_link(
    arguments: argparse.Namespace, loaded: Loaded, plugin: DriverPlugin, options: Any
) -> Runs:
    for _, name in plugin.link_names(options):
        link = loaded.config.links.get(name)
        if isinstance(link, HttpLinkConfig):
            return http_of(name, link, untold)
        if isinstance(link, UdpLinkConfig):
            return udp_of(name, link, untold)
    return _broker(arguments)


async def _checked(
    arguments: argparse.Namespace, plugin: DriverPlugin, options: Any, link: Runs, paste: str
) -> ExitCode:
    tell = _say_nothing if arguments.json else say
    result = await check(plugin, options, link, arguments.seconds, tell)
    if arguments.json:
        say(as_json(_checked_data(result)))
    if result.readings:
        if not arguments.json:
            say(f"{len(result.readings)} readings in {arguments.seconds:g} s.\n\n{paste}".rstrip())
        return ExitCode.ASKED
    raise NothingHeard(
        _why_not(result),
        where=getattr(options, "profile", None) or plugin.name,
        remedy="Check address, network and password"
        if result.link
        else "Leave --profile out to see what is really said, or listen longer with --seconds",
    )


def _why_not(result: Checked) -> str:
    skipped = ", ".join(f"{count} x {name}" for name, count in result.skipped.items())
    why = [each for each in (f"skipped: {skipped}" if skipped else "", result.link) if each]
    return f"no reading ({'; '.join(why)})" if why else "no reading"


def _checked_data(result: Checked) -> dict[str, Any]:
    return {
        "readings": [
            {"grid_w": r.grid_w, "age_s": round(r.received_at_s - r.at_s, 3)}
            for r in result.readings
        ],
        "faults": result.faults,
        "skipped": result.skipped,
    }


def _say_nothing(_text: str) -> None:
    """Programs read the end only."""
