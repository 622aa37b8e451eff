"""``gridzero identify`` without a gridzero, and which broker it asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridzero.broker_client import account
from gridzero.cli import main
from gridzero.commands.identify import NoAnswer, Watcher
from gridzero.links.memory import MemoryBroker

ROOT = Path(__file__).parents[2]


async def test_without_a_gridzero_it_says_so_and_what_to_do() -> None:
    watcher = Watcher(MemoryBroker().attach(), "gridzero", str)
    with pytest.raises(NoAnswer, match="--mqtt"):
        await watcher.test("all")


async def test_what_is_no_state_is_not_taken_for_one() -> None:
    broker = MemoryBroker()
    watcher = Watcher(broker.attach(), "gridzero", str)
    for payload in ("[]", "nonsense", "7"):
        broker.attach().publish("gridzero/state", payload)
        broker.attach().publish("gridzero/event", payload)
    with pytest.raises(NoAnswer):
        await watcher.test("all")


def test_the_broker_is_the_embedded_one_unless_told_otherwise() -> None:
    assert (account(None, None).is_embedded, account(None, None).embedded.port) == (True, 1883)
    named = account(ROOT / "configs" / "demo.yaml", "10.0.0.7:1884")
    assert (named.host, named.port, named.topic_prefix) == ("10.0.0.7", 1884, "gridzero")
    assert account(ROOT / "configs" / "demo.yaml", None).is_embedded


@pytest.mark.parametrize("broker", ["somewhere", "a:b", ":1883", "a:0", "a:70000"])
def test_what_is_no_broker_is_refused(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", "--mqtt", broker]) == 2
    assert "host:port" in capsys.readouterr().err
