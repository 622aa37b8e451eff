"""``gridzero alerts test``: one message to each address, so that nobody waits for a fault."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gridzero.config.faces import AlertsConfig
from gridzero.config.loader import load
from gridzero.errors import ConfigError, GridzeroError
from gridzero.outputs.alerts.address import SEND_LIMIT_S, Address
from gridzero.plugins import find_plugins
from gridzero.runtime.exit_codes import ExitCode

_BODY = "This is a test: gridzero can reach you. What it tells and when: docs/alerts.md"


def run(config: Path) -> ExitCode:
    """Send and print what became of it; FINDINGS where one did not arrive.

    Raises ConfigError for a file with mistakes, or with nobody to tell.
    """
    found = find_plugins()
    loaded = load(config, found.plugins, broken=found.reasons).config
    if loaded.alerts is None or not loaded.alerts.urls:
        raise ConfigError(
            "there is nobody to tell", where=str(config), remedy="Give alerts.urls: docs/alerts.md"
        )
    arrived = asyncio.run(_tell(loaded.alerts, loaded.site.name))
    return ExitCode.ASKED if arrived else ExitCode.FINDINGS


async def _tell(config: AlertsConfig, site: str) -> bool:
    """Whether all of them were reached."""
    addresses = [Address(place, url) for place, url in enumerate(config.urls, start=1)]
    return all([await _reached(address, site) for address in addresses])


async def _reached(address: Address, site: str) -> bool:
    try:
        address.prepare()
    except GridzeroError as error:
        print(error)
        return False
    arrived = await address.send(f"{site}: a test", _BODY)
    told = "arrived" if arrived else f"did not arrive within {SEND_LIMIT_S:g} s"
    print(f"{address.name}: {told}")
    return arrived
