"""``gridzero healthcheck``: whether commands are really being sent, not only whether it lives.

It ends with 0 or 1, as Docker's HEALTHCHECK wants it, and says one line. Three questions:
the alive file of ``gridzero run`` on this machine (no broker needed), the state topic (from
anywhere), and the web page.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gridzero.errors import ConfigError
from gridzero.links.alive_file import VARIABLE, AliveFile
from gridzero.runtime.exit_codes import ExitCode

OLDEST_S = 10.0
"""It is written each second; a tick may be late, a slow SD card does not come into it."""

_HEARD_S = 5.0  # the state comes each second
_PAGE_S = 3.0
_BROKEN = 500


class Seen(NamedTuple):
    """What was found, with one line for people."""

    is_well: bool
    said: str


def run(config: Path | None, page: str | None) -> ExitCode:
    """Look once and say what was seen. Raises ConfigError."""
    if page is not None:
        seen = look_at_page(page)
    elif config is not None:
        seen = asyncio.run(listen(config))
    else:
        seen = look_at_file(os.environ)
    sys.stdout.write(seen.said + "\n")
    return ExitCode.ASKED if seen.is_well else ExitCode.FINDINGS


def look_at_file(environ: Mapping[str, str]) -> Seen:
    """What ``gridzero run`` last said of itself. Raises ConfigError where nobody said to where."""
    file = AliveFile.from_environment(environ)
    if file is None:
        raise ConfigError(
            "nothing says where to look",
            where=VARIABLE,
            remedy=f"Set {VARIABLE} for `gridzero run` and here, or ask with --config FILE",
        )
    sign = file.read()
    if sign is None:
        return Seen(False, "gridzero has sent nothing yet")
    if not 0.0 <= sign.age_s <= OLDEST_S:
        return Seen(False, f"gridzero stands still: its last word is {sign.age_s:.0f} s old")
    words = f": {sign.text}" if sign.text else ""
    return Seen(sign.is_sending, f"{sign.state}{words}")


def look_at_page(where: str) -> Seen:
    """Whether a web server answers at HOST:PORT, also when it asks for a password."""
    host, _, port = where.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise ConfigError(f"{where!r} is no address", where="--page", remedy="Write host:port")
    connection = http.client.HTTPConnection(host, int(port), timeout=_PAGE_S)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return Seen(False, f"no page at {where}: {str(error) or type(error).__name__}")
    finally:
        connection.close()
    return Seen(status < _BROKEN, f"the page answers with {status}")


async def listen(config: Path) -> Seen:
    """Whether a state comes now; it is never retained, so whatever comes is new."""
    # Reading a configuration takes long on a Pi; the other questions do without
    from gridzero.companion import connected  # noqa: PLC0415
    from gridzero.config.loader import load  # noqa: PLC0415
    from gridzero.plugins import find_plugins  # noqa: PLC0415

    loaded = load(config, find_plugins().plugins)
    heard = asyncio.Event()
    async with connected(loaded) as feed:
        feed.on("state", lambda _state: heard.set())
        try:
            async with asyncio.timeout(_HEARD_S):
                await heard.wait()
        except TimeoutError:
            where = f"{loaded.config.mqtt.host or '127.0.0.1'}, {feed.prefix}/state"
            return Seen(False, f"no gridzero speaks at {where}")
    return Seen(True, "gridzero speaks")
