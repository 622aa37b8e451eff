"""Ways to lose a broker, tried on a whole house; the figures of docs/benchmarks.md.

python tests/mosquitto/outages.py        prints the table "On a real broker" (about 5 minutes)
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import NamedTuple

import aiomqtt
from broker import Mosquitto, mosquitto
from process_site import LOOPBACK, ear, until
from small_house import House, house

from gridzero.links.tasks import cancel_all

LOAD_PER_S = 200


class Silence:
    """Accepts connections on the broker's port and never says a word."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(asyncio.Protocol, LOOPBACK, self._port)

    async def end(self) -> None:
        if self._server is not None:
            self._server.close()


class Outage(NamedTuple):
    """begin and end it; told_within_s: by when docs/faults.md says that people know."""

    begin: Callable[[Mosquitto, Silence], Awaitable[None]]
    end: Callable[[Mosquitto, Silence], Awaitable[None]]
    told_within_s: float


async def _terminate(broker: Mosquitto, _: Silence) -> None:
    await broker.end(SIGTERM)


async def _kill(broker: Mosquitto, _: Silence) -> None:
    await broker.end(SIGKILL)


async def _start(broker: Mosquitto, _: Silence) -> None:
    await broker.start()


async def _vanish(broker: Mosquitto, _: Silence) -> None:
    broker.hold_still()


async def _come_back(broker: Mosquitto, _: Silence) -> None:
    broker.go_on()


async def _fall_silent(broker: Mosquitto, silence: Silence) -> None:
    await broker.end(SIGKILL)
    await silence.start()


async def _speak_again(broker: Mosquitto, silence: Silence) -> None:
    await silence.end()
    await broker.start()


OUTAGES = {
    "TERM": Outage(_terminate, _start, 1.0),
    "KILL": Outage(_kill, _start, 1.0),
    "vanished": Outage(_vanish, _come_back, 10.0),
    "silent": Outage(_fall_silent, _speak_again, 1.0),
}


class Figures(NamedTuple):
    """In seconds, None = not seen. After its begin: told, lost (meter), zero (the inverter hears
    0 W). After its end: back (a state of gridzero passes the broker), held (power flows again)."""

    told_s: float | None
    lost_s: float | None
    zero_s: float | None
    back_s: float
    held_s: float


async def load(port: int) -> None:
    """200 messages a second of somebody else, as long as the broker takes them."""
    while True:
        try:
            async with aiomqtt.Client(LOOPBACK, port, timeout=2) as client:
                while True:
                    for _ in range(LOAD_PER_S // 20):
                        await client.publish("somebody/else", bytes(100))
                    await asyncio.sleep(1 / 20)
        except aiomqtt.MqttError:
            await asyncio.sleep(0.5)


async def suffer(broker: Mosquitto, home: House, outage: Outage, lasts_s: float) -> Figures:
    """One outage of a house that holds its grid, from its begin to power that flows again."""
    silence = Silence(broker.port)
    before = {code: len(home.told(code)) for code in ("link_down", "meter_lost")}
    began_s, seen = time.monotonic(), dict[str, float]()

    def look() -> bool:
        now_s = time.monotonic() - began_s
        for code, count in before.items():
            if len(home.told(code)) > count:
                seen.setdefault(code, now_s)
        if home.is_at_rest:
            seen.setdefault("zero", now_s)
        return now_s >= lasts_s

    await outage.begin(broker, silence)
    await until(look, limit_s=lasts_s + 60)
    ended_s = time.monotonic()
    await outage.end(broker, silence)
    async with ear(broker.port) as listener:
        await until(lambda: listener.state)
        back_s = time.monotonic() - ended_s
    await home.holds()
    return Figures(
        seen.get("link_down"),
        seen.get("meter_lost"),
        seen.get("zero"),
        back_s,
        time.monotonic() - ended_s,
    )


async def _table(lengths_s: tuple[float, ...]) -> None:
    print("| outage | lasts | told after | 0 W after | heard again after | power after |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        async with (
            mosquitto(Path(folder)) as broker,
            house(Path(folder), broker.port) as home,
        ):
            busy = asyncio.create_task(load(broker.port))
            for name, outage in OUTAGES.items():
                for lasts_s in lengths_s:
                    await home.holds()
                    await asyncio.sleep(11)  # a link that comes and goes is another case
                    _print(name, lasts_s, await suffer(broker, home, outage, lasts_s))
            await cancel_all([busy])


def _print(name: str, lasts_s: float, figures: Figures) -> None:
    told, _, zero, back, held = ("-" if each is None else f"{each:.1f} s" for each in figures)
    print(f"| {name} | {lasts_s:g} s | {told} | {zero} | {back} | {held} |", flush=True)


if __name__ == "__main__":
    asyncio.run(_table((7.0, 30.0)))
