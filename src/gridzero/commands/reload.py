"""``gridzero reload``: ask a running gridzero to read its configuration again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gridzero.broker_client import account, client, running
from gridzero.config.files import read_text
from gridzero.config.models import MqttConfig
from gridzero.configured.checked import Checked
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import LoopClock
from gridzero.real_links import up_soon
from gridzero.runtime.config_keep import ConfigKeep, shown_fingerprint
from gridzero.runtime.exit_codes import ExitCode

_BY = "gridzero reload"
_READ_S = 15.0  # a large file on a slow machine


def run(config: Path, broker: str | None, *, restart: bool) -> ExitCode:
    """Ask, say what became of it. FINDINGS: refused, or something waits for a restart.

    restart: restart in order where something waits. Raises ConfigErrors where the file is wrong.
    """
    return asyncio.run(_run(config, account(config, broker), restart=restart))


async def _run(config: Path, mqtt: MqttConfig, *, restart: bool) -> ExitCode:
    link = client(mqtt)
    feed = Feed(link, LoopClock(), mqtt.topic_prefix)
    async with running(link):
        await up_soon(link.health)
        return await reload(feed, config, restart=restart)


async def reload(feed: Feed, config: Path, *, restart: bool) -> ExitCode:
    """The same over a feed."""
    answer = await feed.ask("reload", by=_BY, within_s=_READ_S)
    _say(answer.text)
    if not answer.ok:
        return ExitCode.FINDINGS
    told = feed.latest("config") or {}  # it was published before the answer
    if not told.get("waits"):
        return _same_text(told, config)
    if not restart:
        _say("gridzero reload FILE --restart does the rest")
        return ExitCode.FINDINGS
    answer = await feed.ask("restart", by=_BY)
    _say(answer.text)
    return ExitCode.ASKED if answer.ok else ExitCode.FINDINGS


def _same_text(told: Mapping[str, Any], config: Path) -> ExitCode:
    """Whoever has edited a copy of the file that gridzero reads must not believe in it."""
    if told.get("fingerprint") == shown_fingerprint(read_text(config)):
        return ExitCode.ASKED
    _say(f"note: gridzero reads {told.get('file')}, and that is not what {config} holds")
    return ExitCode.FINDINGS


def what_runs(file: Path, checked: Checked) -> Iterator[str]:
    """Lines for ``gridzero check``: where the gridzero of this machine runs something else."""
    state_dir = Path(checked.loaded.config.site.state_dir)
    told = ConfigKeep(state_dir, file).running()
    if not told:
        return
    if told.get("rolled_back"):
        yield f"note: {told['rolled_back']}"
    elif told.get("fingerprint") != shown_fingerprint(checked.text):
        yield (
            f"note: gridzero runs with what this file held at {told.get('loaded_utc')}: "
            f"gridzero reload {file}"
        )
    elif told.get("waits"):
        yield f"note: these wait for a restart of gridzero: {_joined(told['waits'])}"


def _joined(keys: Any) -> str:
    return ", ".join(map(str, keys)) if isinstance(keys, list) else str(keys)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
