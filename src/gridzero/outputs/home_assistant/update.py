"""Which gridzero runs, which one could, and the way from one to the other.

Without internet: the newer one is what lies on this machine's disk already, as after ``pip
install``, so that installing it is the ordered restart; or what the owner says on a topic, which is
shown and no more.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib import metadata
from typing import Any, Final

from gridzero.domain.releases import release_of
from gridzero.outputs.home_assistant.facts import Facts
from gridzero.outputs.home_assistant.rows import CONFIG, Pace, Platform, Row, Source
from gridzero.ports.clock import Clock
from gridzero.ports.links import MqttLink, MqttMessage

RESTART: Final = "restart"
_YES: Final = "yes"
_LOOK_S: Final = 60.0
_RESTART_S: Final = 60.0
_NEVER: Final = float("-inf")
_READY: Final = "It is installed and begins with a restart. Run gridzero backup first."
_ELSEWHERE: Final = "Bring it to the machine first, with pip or Docker. Run gridzero backup before."

OnDisk = Callable[[], str | None]


def installed_on_disk() -> str | None:
    """The version that a gridzero started now would have, read afresh; None = not known."""
    importlib.invalidate_caches()
    try:
        return metadata.version("gridzero")
    except (
        metadata.PackageNotFoundError,
        OSError,
        ValueError,
        KeyError,
    ):  # pip is at work just now
        return None


class Releases:
    """What the update entity shows.

    on_disk: asked once a minute; None = control does not run from this disk. topic: where the owner
    says which release is the newest.
    """

    def __init__(self, clock: Clock, on_disk: OnDisk | None = None) -> None:
        self._clock, self._on_disk = clock, on_disk
        self._disk: str | None = None
        self._told: str | None = None
        self._looked_s = self._ordered_s = _NEVER

    def listen(self, link: MqttLink, prefix: str, topic: str | None) -> None:
        """Subscribe to what others say of it."""
        link.subscribe(f"{prefix}/{RESTART}/set", self._on_restart)
        if topic is not None:
            link.subscribe(topic, self._on_told)

    def is_ready(self, running: object) -> bool:
        """Whether a restart would begin a newer one. running: version of the control process."""
        return self._look() is not None and self._newest(running, self._disk) != running

    def shown(self, facts: Facts) -> dict[str, Any]:
        """In the words of Home Assistant; {} while it is not known what runs."""
        running = facts.get("settings.version")
        if not isinstance(running, str) or release_of(running) is None:
            return {}
        return {
            "installed_version": running,
            "latest_version": self._newest(running, self._look(), self._told),
            "in_progress": self._clock.now_s() - self._ordered_s < _RESTART_S,
        }

    def end_progress(self) -> None:
        """The restart was refused."""
        self._ordered_s = _NEVER

    def _look(self) -> str | None:
        if self._on_disk is not None and self._clock.now_s() - self._looked_s >= _LOOK_S:
            self._looked_s = self._clock.now_s()
            self._disk = self._on_disk()
        return self._disk

    def _newest(self, running: object, *others: str | None) -> object:
        newest, best = running, release_of(str(running))
        for other in others:
            release = None if other is None else release_of(other)
            if release is not None and best is not None and release > best:
                newest, best = other, release
        return newest

    def _on_restart(self, message: MqttMessage) -> None:
        if not message.retained and message.payload == _YES.encode():
            self._ordered_s = self._clock.now_s()

    def _on_told(self, message: MqttMessage) -> None:
        """A retained word counts: a release does not grow old. What is no version is left out."""
        text = message.payload[:100].decode(errors="replace").strip().removeprefix("v")
        self._told = text if release_of(text) is not None else None


def update_row(source: Source, prefix: str, *, is_ready: bool) -> Row:
    """The entity. is_ready: a restart would begin the newer one, so it can be asked for."""
    order = (("command_topic", f"{prefix}/{RESTART}/set"), ("payload_install", _YES))
    return Row(
        key="update",
        name="Update",
        source=source,
        platform=Platform.UPDATE,
        pace=Pace.SETTINGS,
        category=CONFIG,
        extra=(
            ("title", "gridzero"),
            ("release_summary", _READY if is_ready else _ELSEWHERE),
            *(order if is_ready else ()),
        ),
    )
