"""Whether another control process speaks below the same topic prefix.

Two houses on one broker, or a container that was forgotten on another machine: each hears the
wishes meant for the other, and people see a mixture of both. The lock of the state folder and the
claims on hardware cannot notice it, because nothing is shared but the broker. So each process says
who it is every few seconds, and hears what the others say.

One message proves nothing: a process that is just ending speaks for up to 30 s beside the one that
replaces it, and a broker may deliver last words late. A stranger counts once it was heard for 40 s.
"""

from __future__ import annotations

import json
import platform
import secrets
from dataclasses import dataclass
from typing import Any

from gridzero.ports.clock import Clock
from gridzero.ports.links import MqttLink, MqttMessage
from gridzero.runtime.fault_book import FaultBook

SAY_EVERY_S = 5.0
LASTING_S = 40.0
GONE_S = 20.0
_CODE, _SUBJECT = "second_control", "mqtt"
_MOST_BYTES = 500
_MOST_STRANGERS = 16
_MOST_LETTERS = 60


@dataclass(slots=True)
class _Stranger:
    """Another process. first_s, last_s: monotonic, when it was heard."""

    name: str
    first_s: float
    last_s: float


class Presence:
    """Says that this process is there, and tells people when another one is, too."""

    def __init__(
        self, faults: FaultBook, link: MqttLink, clock: Clock, prefix: str, site: str
    ) -> None:
        self._faults, self._link, self._clock = faults, link, clock
        self._topic, self._site = f"{prefix}/control", site
        self._id = secrets.token_hex(8)
        self._strangers: dict[str, _Stranger] = {}
        link.subscribe(self._topic, self._hear)

    async def run(self) -> None:
        """Say it and look for others, until cancelled."""
        own = {"id": self._id, "host": platform.node(), "site": self._site}
        while True:
            self._link.publish(self._topic, json.dumps(own))
            self._look()
            await self._clock.sleep_s(SAY_EVERY_S)

    def _hear(self, message: MqttMessage) -> None:
        """What is retained was said at some time, by nobody knows whom."""
        if message.retained:
            return
        match _parsed(message.payload):
            case {"id": str(number)} as values if number != self._id:
                self._note(number[:_MOST_LETTERS], values)

    def _note(self, number: str, values: dict[str, Any]) -> None:
        now_s, known = self._clock.now_s(), self._strangers.get(number)
        if known is not None:
            known.last_s = now_s
        elif len(self._strangers) < _MOST_STRANGERS:
            self._strangers[number] = _Stranger(_name_of(values), now_s, now_s)

    def _look(self) -> None:
        now_s = self._clock.now_s()
        self._strangers = {
            number: each for number, each in self._strangers.items() if now_s - each.last_s < GONE_S
        }
        stay = sorted(
            each.name
            for each in self._strangers.values()
            if each.last_s - each.first_s >= LASTING_S
        )
        self._faults.set(_CODE, _SUBJECT, self._text(stay) if stay else None)

    def _text(self, names: list[str]) -> str:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"another control speaks on {self._topic}, too: {names[0]}{more}"


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload) if len(payload) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        return None


def _name_of(values: dict[str, Any]) -> str:
    """Who it says that it is, in letters that may stand in a log."""
    host, site = (_shown(values.get(key)) for key in ("host", "site"))
    return f"host {host}, site {site}"


def _shown(value: object) -> str:
    text = value[:_MOST_LETTERS] if isinstance(value, str) else ""
    return "".join(letter for letter in text if letter.isprintable()) or "unknown"
