"""Everybody who looks on, as one process: browsers, a console that dumps CAN, a Home Assistant.

It prints a line of JSON, what each of them has received, once all have received something and
again each second. It steps far back: people look on from other machines.

    python -m gridzero.bench.clients.people '{"mqtt": 1883, "dashboard": 8080, "console": 2323}'
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gridzero.links.mqtt_client import RealMqtt
from gridzero.ports.links import MqttMessage

if TYPE_CHECKING:
    from gridzero.bench.clients.browser import Page

_HOST = "127.0.0.1"
_KINDNESS = 19
_TRACED = "battery_a"
_TELL_S = 1.0
_AGAIN_S = 5.0


@dataclass(slots=True)
class People:
    """What they have received. mqtt: messages on all topics; console: bytes."""

    mqtt: int = 0
    trace: int = 0
    console: int = 0
    pages: list[Page] = field(default_factory=list)

    def heard(self, message: MqttMessage) -> None:
        """Home Assistant subscribes to what is announced; here to everything, which is more."""
        self.mqtt += 1
        self.trace += "/trace/" in message.topic

    def line(self) -> str:
        """As JSON. pictures: of the browser that was shown fewest."""
        pictures = min((page.pictures for page in self.pages), default=0)
        found = {"mqtt": self.mqtt, "trace": self.trace, "console": self.console}
        return json.dumps({**found, "browsers": len(self.pages), "pictures": pictures})


async def everybody(wanted: dict[str, Any]) -> None:
    """Look on until cancelled. Raises what ends one of them."""
    people = People()
    link = RealMqtt(host=_HOST, port=wanted["mqtt"], name="people", report=_untold)
    link.subscribe("#", people.heard)
    async with asyncio.TaskGroup() as group:
        for each in _each(people, wanted, link):
            group.create_task(each)


def _each(people: People, wanted: dict[str, Any], link: RealMqtt) -> list[Coroutine[Any, Any, Any]]:
    found = [link.run(), _tell(people)]
    if wanted.get("dashboard"):
        from gridzero.bench.clients.browser import look_on_with  # noqa: PLC0415 - an extra

        base = f"http://{_HOST}:{wanted['dashboard']}"
        found.append(look_on_with(wanted["browsers"], base, people.pages))
    if wanted.get("console"):
        found.append(_dump(people, wanted["console"]))
    else:
        found.append(_ask_for_frames(link))
    return found


async def _dump(people: People, port: int) -> None:
    """A telnet session in which somebody watches a bus."""
    reader, writer = await asyncio.open_connection(_HOST, port)
    writer.write(f"can {_TRACED}\r\n".encode())
    while data := await reader.read(4096):
        people.console += len(data)
    raise ConnectionError("the console has hung up")


async def _ask_for_frames(link: RealMqtt) -> None:
    """What a console would ask for, where there is none."""
    while True:
        asked = {"id": "bench", "what": "trace", "value": _TRACED, "by": "bench"}
        link.publish("gridzero/ask", json.dumps(asked))
        await asyncio.sleep(_AGAIN_S)


async def _tell(people: People) -> None:
    while True:
        await asyncio.sleep(_TELL_S)
        print(people.line(), flush=True)


def _untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """The benchmark looks at what is received, not at why nothing is."""


if __name__ == "__main__":
    os.nice(_KINDNESS)
    asyncio.run(everybody(json.loads(sys.argv[1])))
