"""``gridzero run`` while somebody sends a thousand messages a second: it goes on, and counts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiomqtt
import pytest
from free_ports import free_port
from process_site import LOOPBACK, PATIENCE_S, Ear, ear, gridzero, site_config, until

pytestmark = [pytest.mark.real_time, pytest.mark.slow]

MESSAGES = 3000
BATCH = 20
BATCH_S = 0.02
GARBAGE = ("", "fast", "1e999", "-99999", "[" * 500, "x" * 5000)
TOPICS = ("mode/set", "target_w/set", "acknowledge/set", "identify/set", "ask")
MOST_TOLD = 150


async def flood(port: int) -> None:
    """A thousand a second on five topics; the broker takes what it can."""
    async with aiomqtt.Client(LOOPBACK, port) as client:
        for number in range(MESSAGES):
            topic, payload = TOPICS[number % len(TOPICS)], GARBAGE[number % len(GARBAGE)]
            await client.publish(f"gridzero/{topic}", payload)
            if number % BATCH == 0:
                await asyncio.sleep(BATCH_S)


def answers(listener: Ear) -> list[dict[str, object]]:
    return [json.loads(payload) for payload in listener.all("gridzero/answer")]


async def test_it_goes_on_and_a_person_is_answered_afterwards(tmp_path: Path) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}})
    async with gridzero(tmp_path, "run", config) as process, ear(port) as listener:
        await until(lambda: listener.state)
        before = len(listener.all("gridzero/state"))
        await flood(port)
        await until(lambda: len(listener.all("gridzero/state")) >= before + 3)
        asked = json.dumps({"id": "7", "what": "mode", "value": "hold", "by": "test"})

        async def ask_again() -> None:
            while not answers(listener):
                await listener.say("gridzero/ask", asked)
                await asyncio.sleep(1.0)

        async with asyncio.timeout(PATIENCE_S):
            await ask_again()
        assert answers(listener)[0]["ok"] is True
        await until(lambda: listener.state["mode"] == "hold")
        assert process.is_alive
        refused = [
            json.loads(payload)["code"]
            for payload in listener.all("gridzero/event")
            if b"_refused" in payload
        ]
        assert 1 <= len(refused) <= MOST_TOLD
        assert len(process.log()) <= 2 * MOST_TOLD
        assert not process.events("control_hung.raised")
