"""``gridzero dashboard``: the web page, in a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gridzero.companion import connected, prepare, until_asked_to_end
from gridzero.config.faces import DashboardConfig
from gridzero.config.loader import Loaded
from gridzero.errors import ConfigError
from gridzero.ports.clock import LoopClock
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.garbage import spare_what_is_there


def run(
    config: Path,
    broker: str | None = None,
    *,
    with_parent: bool = False,
    instead: Path | None = None,
) -> ExitCode:
    """Serve the page of a configuration until a signal.

    broker: HOST:PORT instead of that of the configuration. instead: a file with its text, as
    control read it.
    Raises ConfigError where the extra is not installed, LinkError where the port is taken.
    """
    loaded = prepare(config, broker, instead)
    asyncio.run(_serve(loaded, with_parent=with_parent))
    return ExitCode.ASKED


async def _serve(loaded: Loaded, *, with_parent: bool) -> None:
    try:
        from gridzero.outputs.dashboard.server import serve  # noqa: PLC0415 - an extra, and large
    except ImportError as error:
        raise ConfigError(
            f"the web page needs a package that is not installed: {error.name}",
            where="dashboard",
            remedy="Run: pip install 'gridzero[dashboard]'",
        ) from None
    async with connected(loaded) as feed:
        config = loaded.config.dashboard or DashboardConfig()
        spare_what_is_there()
        page = asyncio.create_task(serve(loaded, config, feed, LoopClock()), name="page")
        asked = asyncio.create_task(until_asked_to_end(with_parent=with_parent), name="asked")
        await asyncio.wait({page, asked}, return_when=asyncio.FIRST_COMPLETED)
        failed = page.done() and not page.cancelled()
        for task in (page, asked):
            task.cancel()
        await asyncio.gather(page, asked, return_exceptions=True)
        if failed:
            page.result()
