"""A web server that nothing is known of: it is asked what each profile would ask."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridzero.errors import LinkError
from gridzero.meter import words
from gridzero.meter.check import NothingHeard, running
from gridzero.meter.given import http_config, http_section, own_request, untold
from gridzero.meter.matching import LINK, Known, Match, answers, as_yaml, section_of
from gridzero.meter.survey import numbers
from gridzero.meter.words import as_json, say
from gridzero.real_links import http_of, up_soon
from gridzero.runtime.exit_codes import ExitCode


async def ask_around(arguments: argparse.Namespace, known: Sequence[Known]) -> ExitCode:
    """Ask for what each profile would ask for, once, and show who can read the answer."""
    config = http_config(arguments)
    link = http_of(LINK, config, untold, lost_after=len(known))
    own = own_request(arguments.url)
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
                link_section = http_section(config)
                found.append(match._replace(section={**section, "link": LINK}, link=link_section))
    return _told(arguments, said, found)


def _told(
    arguments: argparse.Namespace, said: Mapping[str, bytes | str], found: list[Match]
) -> ExitCode:
    if arguments.json:
        say(as_json({"profiles": [words.match_data(match) for match in found]}))
    else:
        for request, body in said.items():
            say(f"{request}: {_summary(body)}")
        say("\n".join(_pasteable(found)))
    if found:
        return ExitCode.ASKED
    raise NothingHeard(
        "no profile can read what it answers",
        where=arguments.url,
        remedy="Name what to ask for in the url, such as http://192.168.1.40/api/v1/data",
    )


def _pasteable(found: Sequence[Match]) -> Iterator[str]:
    for match in found[:1]:
        for each in found:
            yield f"  {each.known.profile.name}: {each.readings[-1].grid_w:.0f} W"
        yield f"\nTo paste:\n{as_yaml(match.section, match.link)}"


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
