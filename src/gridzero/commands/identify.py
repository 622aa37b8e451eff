"""``gridzero identify``: ask a running gridzero to test its converters, and watch until it ends."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gridzero.broker_client import account, client, running
from gridzero.config.models import MqttConfig
from gridzero.errors import GridzeroError
from gridzero.ports.links import MqttLink, MqttMessage
from gridzero.real_links import up_soon
from gridzero.runtime.exit_codes import ExitCode

_ANSWERS_S = 5.0
_SILENT_S = 15.0
_LAST_WORDS_S = 0.5

Say = Callable[[str], None]


class NoAnswer(GridzeroError):
    """Nobody publishes a state at that broker."""


class Watcher:
    """Follows one test over MQTT. say: takes each line for the person."""

    def __init__(self, link: MqttLink, prefix: str, say: Say) -> None:
        self._link, self._prefix, self._say = link, prefix, say
        self._news = asyncio.Event()
        self._state: dict[str, Any] | None = None
        self._refused = ""
        self._line = ""
        link.subscribe(f"{prefix}/state", self._on_state)
        link.subscribe(f"{prefix}/event", self._on_event)

    async def test(self, which: str) -> ExitCode:
        """Ask, tell what happens, and come back when it is over: FINDINGS if it found nothing.

        Raises NoAnswer when no gridzero is there. A cancelled caller cancels the test.
        """
        await self._heard(_ANSWERS_S)
        self._state = None
        self._link.publish(f"{self._prefix}/identify/set", which)
        try:
            return await self._follow()
        except asyncio.CancelledError:
            self._link.publish(f"{self._prefix}/identify/set", "cancel")
            await asyncio.sleep(_LAST_WORDS_S)
            raise

    async def _follow(self) -> ExitCode:
        while True:
            await self._heard(_SILENT_S)
            if self._refused:
                self._say(self._refused)
                return ExitCode.FINDINGS
            progress = (self._state or {}).get("identify", {})
            if progress.get("unit") is None:
                return self._result(progress)
            self._show(progress)

    async def _heard(self, limit_s: float) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            raise NoAnswer(
                "no gridzero speaks there",
                where=f"{self._prefix}/state",
                remedy="Start gridzero, or give the broker with --config or --mqtt",
            ) from None

    def _show(self, progress: dict[str, Any]) -> None:
        """One line per phase; the seconds would only fill the screen."""
        line = f"{progress['unit']}: {progress['phase']}"
        if line != self._line:
            self._line = line
            self._say(f"{line}, about {progress['left_s']:.0f} s")

    def _result(self, progress: dict[str, Any]) -> ExitCode:
        done = progress.get("done", {})
        for name, found in done.items():
            self._say(f"{name}: {_words(found)}")
        self._say(f"ended: {progress.get('ended') or 'unknown'}")
        return ExitCode.ASKED if any(done.values()) else ExitCode.FINDINGS

    def _on_state(self, message: MqttMessage) -> None:
        with suppress(ValueError):
            state = json.loads(message.payload)
            if isinstance(state, dict):
                self._state = state
                self._news.set()

    def _on_event(self, message: MqttMessage) -> None:
        with suppress(ValueError, AttributeError):
            event = json.loads(message.payload)
            if (event.get("code"), event.get("subject")) == ("setting_refused", "identify"):
                self._refused = str(event.get("text"))
                self._news.set()


def run(which: str, config: Path | None, broker: str | None) -> ExitCode:
    """Test over a real broker. Raises ConfigError or NoAnswer."""
    return asyncio.run(_run(which, account(config, broker)))


async def _run(which: str, mqtt: MqttConfig) -> ExitCode:
    link = client(mqtt)
    watcher = Watcher(link, mqtt.topic_prefix, _print)
    async with running(link):
        await up_soon(link.health)
        return await watcher.test(which)


def _words(found: dict[str, Any] | None) -> str:
    if found is None:
        return "too little of its steps could be seen; nothing was changed"
    return (
        f"dead time {found['dead_time_s']:.2f} s, rises {found['rise_w_per_s']:.0f} W/s, "
        f"falls {found['fall_w_per_s']:.0f} W/s, gives {found['gain']:.0%} of what it is told "
        f"(sure {found['sure']:.0%})"
    )


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
