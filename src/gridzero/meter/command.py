"""``gridzero meter list`` and ``gridzero meter test``."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from gridzero.config.links import HttpLinkConfig, UdpLinkConfig
from gridzero.config.loader import Loaded, load
from gridzero.errors import ConfigError, GridzeroError, LinkError
from gridzero.identify import account, client
from gridzero.links.mqtt_client import RealMqtt
from gridzero.log import configure
from gridzero.meter import words
from gridzero.meter.check import Checked, Runs, check, running
from gridzero.meter.matching import (
    LINK,
    Known,
    Match,
    answers,
    as_yaml,
    known_meters,
    matches,
    section_of,
)
from gridzero.meter.survey import Survey, numbers
from gridzero.plugins import find_plugins
from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin
from gridzero.real_links import http_of, udp_of, up_soon
from gridzero.runtime.exit_codes import ExitCode

_SMA = {"type": "udp", "port": 9522, "group": "239.12.255.254"}


class NothingHeard(GridzeroError):
    """No message, no answer, no datagram."""


def run(arguments: argparse.Namespace) -> ExitCode:
    """One of the two. Raises ConfigError, LinkError or NothingHeard."""
    configure("error")  # what a driver or link would log, this command says by itself
    plugins = find_plugins().plugins
    if arguments.what == "list":
        return _list(known_meters(plugins), arguments.json)
    return asyncio.run(_test(arguments, plugins))


def _list(known: Sequence[Known], as_json: bool) -> ExitCode:
    _print(_json(words.listing_data(known)) if as_json else "\n".join(words.listing(known)))
    return ExitCode.ASKED


async def _test(arguments: argparse.Namespace, plugins: Mapping[str, DriverPlugin]) -> ExitCode:
    known = known_meters(plugins)
    if arguments.profile is not None:
        return await _check_profile(arguments, _named(known, arguments.profile))
    if arguments.url is not None:
        return await _ask_around(arguments, known)
    if arguments.config is not None and arguments.topic is None:
        return await _check_configured(arguments, load(arguments.config, plugins), plugins)
    return await _survey(arguments, known)


# --- a broker, and nothing known ----------------------------------------------------------------


async def _survey(arguments: argparse.Namespace, known: Sequence[Known]) -> ExitCode:
    survey = Survey()
    link = _broker(arguments)
    for topic in _filters(arguments.topic):
        link.subscribe(topic, survey.take)
    async with running(link):
        await _connected(link)
        await asyncio.sleep(arguments.seconds)
    if not survey.topics:
        raise NothingHeard(
            f"no message in {arguments.seconds:g} s",
            where=arguments.topic or "any topic",
            remedy="Check the topic and that the meter publishes there; or listen longer with "
            "--seconds",
        )
    found = matches(tuple(survey.kept), known)
    if arguments.json:
        _print(_json(words.survey_data(survey, found)))
    else:
        _print("\n".join(words.survey_lines(survey, found)))
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
    await up_soon(link.health)
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
    target = urlsplit(arguments.url) if arguments.url else None
    if target is not None and (target.path.strip("/") or target.query):
        section["request"] = target._replace(scheme="", netloc="", fragment="").geturl()
    options = _options(known.plugin, section)
    paste = as_yaml(section, link_section)
    return await _checked(arguments, known.plugin, options, link, paste)


def _link_for(
    arguments: argparse.Namespace, plugin: DriverPlugin
) -> tuple[Runs, dict[str, Any] | None]:
    """The link that a driver needs, and its section; a broker has none."""
    options = plugin.options.model_fields
    if "request" in options:
        config = _http_config(arguments)
        return http_of(LINK, config, _untold), _http_section(config)
    if "serial" in options:
        section = _SMA if arguments.udp is None else _udp_section(arguments.udp)
        return udp_of(LINK, UdpLinkConfig.model_validate(section), _untold), dict(section)
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
            return http_of(name, link, _untold)
        if isinstance(link, UdpLinkConfig):
            return udp_of(name, link, _untold)
    return _broker(arguments)


async def _checked(
    arguments: argparse.Namespace, plugin: DriverPlugin, options: Any, link: Runs, paste: str
) -> ExitCode:
    say = _say_nothing if arguments.json else _print
    result = await check(plugin, options, link, arguments.seconds, say)
    if arguments.json:
        _print(_json(_checked_data(result)))
    if result.readings:
        if not arguments.json:
            _print(
                f"{len(result.readings)} readings in {arguments.seconds:g} s.\n\n{paste}".rstrip()
            )
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


# --- a web server, and nothing known ------------------------------------------------------------


async def _ask_around(arguments: argparse.Namespace, known: Sequence[Known]) -> ExitCode:
    """Ask for what each profile would ask for, once, and show who can read the answer."""
    config = _http_config(arguments)
    link = http_of(LINK, config, _untold, lost_after=len(known))
    own = _own_request(arguments.url)
    found: list[Match] = []
    said: dict[str, bytes | str] = {}
    async with running(link):
        await up_soon(link.health)
        for each in known:
            if "request" not in each.plugin.options.model_fields or each.profile.id_means:
                continue
            request = own or each.profile.settings["request"]
            if request not in said:
                said[request] = await _asked(link, request)
            body = said[request]
            given = {"request": own} if own else {}
            section = section_of(each, **given)
            match = await answers(each, section, body) if isinstance(body, bytes) else None
            if match is not None:
                link_section = _http_section(config)
                section = {**section, "link": LINK, "_link": link_section}
                found.append(match._replace(section=section))
    return _told(arguments, said, found)


def _told(
    arguments: argparse.Namespace, said: Mapping[str, bytes | str], found: list[Match]
) -> ExitCode:
    if arguments.json:
        _print(_json({"profiles": [words.match_data(match) for match in found]}))
    else:
        for request, body in said.items():
            _print(f"{request}: {_summary(body)}")
        _print("\n".join(_pasteable(found)))
    if found:
        return ExitCode.ASKED
    raise NothingHeard(
        "no profile can read what it answers",
        where=arguments.url,
        remedy="Name what to ask for in the url, such as http://192.168.1.40/api/v1/data",
    )


def _pasteable(found: Sequence[Match]) -> Iterable[str]:
    for match in found[:1]:
        section = {key: value for key, value in match.section.items() if key != "_link"}
        for each in found:
            yield f"  {each.known.profile.name}: {each.readings[-1].grid_w:.0f} W"
        yield f"\nTo paste:\n{as_yaml(section, match.section['_link'])}"


def _summary(body: bytes | str) -> str:
    if isinstance(body, str):
        return body
    read = numbers(body)
    if isinstance(read, str):
        return f"{len(body)} bytes, {read}"
    return "  ".join(f"{path or '(plain number)'}={value:g}" for path, value in read[:12])


async def _asked(link: Any, request: str) -> bytes | str:
    try:
        body: bytes = await link.get(request)
    except LinkError as error:
        return error.what
    return body


def _own_request(url: str) -> str | None:
    parts = urlsplit(url)
    if not parts.path.strip("/") and not parts.query:
        return None
    return parts._replace(scheme="", netloc="", fragment="").geturl()


# --- what a person wrote ------------------------------------------------------------------------


def _http_config(arguments: argparse.Namespace) -> HttpLinkConfig:
    if arguments.url is None:
        raise ConfigError(
            "this meter is asked over HTTP, but where?",
            where="--url",
            remedy="Write --url http://...",
        )
    parts = urlsplit(arguments.url)
    given: dict[str, Any] = {"type": "http", "url": f"{parts.scheme}://{parts.netloc}"}
    if arguments.user is not None:
        given |= {"username": arguments.user, "password": _password(arguments.password_file)}
        given["auth"] = "digest" if arguments.digest else "basic"
    try:
        return HttpLinkConfig.model_validate(given)
    except ValidationError as error:
        raise ConfigError(
            f"{arguments.url!r} is no address of a web server",
            where="--url",
            remedy="Write http://HOST or http://HOST:PORT, and a password with --user",
        ) from error


def _password(file: Path | None) -> SecretStr:
    """Not on the command line, where every user of the machine could read it."""
    if file is None:
        raise ConfigError(
            "a user needs a password", where="--user", remedy="Write --password-file FILE"
        )
    try:
        return SecretStr(file.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Give a file with nothing but the password"
        raise ConfigError(f"it cannot be read: {error}", where=str(file), remedy=remedy) from error


def _http_section(config: HttpLinkConfig) -> dict[str, Any]:
    section: dict[str, Any] = {"type": "http", "url": config.url}
    if config.username is not None:
        section |= {"username": config.username, "password": "!secret meter_password"}
        section["auth"] = config.auth
    return section


def _udp_section(text: str) -> dict[str, Any]:
    address, _, port = text.rpartition(":")
    section = {"type": "udp", "interface": address, "port": int(port) if port.isdecimal() else 0}
    try:
        UdpLinkConfig.model_validate(section)
    except ValidationError as error:
        remedy = "Write ADDRESS:PORT, such as 0.0.0.0:9522"
        raise ConfigError(f"{text!r} is no such thing", where="--udp", remedy=remedy) from error
    return section


def _untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """The command says by itself what is wrong with its link."""


def _json(data: Any) -> str:
    return json.dumps(data, indent=1)


def _say_nothing(_text: str) -> None:
    """Programs read the end only."""


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's own output
