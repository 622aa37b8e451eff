"""``gridzero reload`` and the way back to the last good configuration, as real processes."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
from pathlib import Path
from signal import SIGKILL, SIGTERM
from time import monotonic
from typing import Any

import pytest
import yaml
from free_ports import free_port
from process_site import LOOPBACK, Ear, ear, gridzero, site_config, until

from gridzero.configured.checked import check_file
from gridzero.configured.rollback import MOST_STARTS
from gridzero.plugins import find_plugins
from gridzero.runtime.config_keep import ConfigKeep
from gridzero.runtime.exit_codes import ExitCode

pytestmark = pytest.mark.real_time

REFERENCE = Path(__file__).parents[2] / "configs" / "reference-house.yaml"
BOOM = """
import asyncio, os
from typing import Literal
from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin, Options

class BoomOptions(Options):
    driver: Literal["boom"] = "boom"
    dies: bool = False

class Boom:
    def __init__(self, options, context):
        self.name, self._dies = context.name, options.dies
    async def run(self):
        await asyncio.sleep(0.2)
        if self._dies:
            raise RuntimeError("boom")
        await asyncio.Event().wait()
    async def stop(self): ...
    def close(self, until_s): ...
    def open(self): ...
    def is_closed(self): return None

plugin = DriverPlugin(
    name="boom", summary="dies", role=Role.SWITCH, options=BoomOptions, build=Boom,
    twin=lambda *_: None, check_vector=lambda _: "", link_names=lambda _: (),
)
"""


def edit(file: str, **sections: Any) -> None:
    values = yaml.safe_load(Path(file).read_text())
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    Path(file).write_text(yaml.safe_dump(values))


def text_of(file: str) -> str:
    return Path(file).read_text()


def rewrite(file: str, text: str) -> None:
    Path(file).write_text(text)


async def answer(listener: Ear, number: str, what: str) -> dict[str, Any]:
    """What gridzero says to a question on gridzero/ask."""
    await listener.say("gridzero/ask", json.dumps({"id": number, "what": what, "by": "test"}))

    def said() -> list[dict[str, Any]]:
        answers = [json.loads(payload) for payload in listener.all("gridzero/answer")]
        return [one for one in answers if one["id"] == number]

    await until(said)
    return said()[0]


def told(listener: Ear) -> dict[str, Any]:
    """Which configuration it says that it runs with."""
    return json.loads(listener.last("gridzero/config") or b"{}")


async def test_an_edited_file_is_taken_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}})
    async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
        await until(lambda: told(listener))
        edit(config, control={"target_w": 40.0}, battery={"max_charge_a": 20.0})
        async with gridzero(tmp_path / "asks", "reload", config) as asks:
            assert await asks.ended() == ExitCode.FINDINGS
            assert "taken: control.target_w (0 -> 40)" in asks.out
            assert "waits for a restart: battery.max_charge_a (50 -> 20)" in asks.out
        await until(lambda: listener.state["target_w"] == 40.0)
        assert told(listener)["waits"] == ["battery.max_charge_a"]
        edit(config, control={"target_w": 60.0, "leese_s": 1.0})
        said = await answer(listener, "1", "reload")
        assert said["ok"] is False
        assert "control.leese_s" in said["text"]
        assert "nothing was changed" in said["text"]
        assert listener.state["target_w"] == 40.0
        rewrite(config, text_of(config).replace("leese_s", "lease_s"))
        async with gridzero(tmp_path / "again", "reload", "--restart", config) as asks:
            assert await asks.ended() == ExitCode.ASKED
            assert "stops in order" in asks.out
        assert await site.ended() == ExitCode.AGAIN


@pytest.mark.slow
async def test_a_broken_file_starts_with_the_last_good_one_and_rests(tmp_path: Path) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}})
    ConfigKeep(tmp_path / "state", Path(config)).save_good(text_of(config))
    good = text_of(config)
    rewrite(config, good + "  battery: [\n")
    async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
        await until(lambda: listener.state)
        faults = {fault["code"]: fault for fault in listener.state["faults"]}
        assert "no readable YAML" in faults["config_rolled_back"]["text"]
        assert faults["limits_rolled_back"]["is_latched"] is True
        assert listener.state["setpoint_w"] == 0.0
        rewrite(config, good)
        assert (await answer(listener, "1", "reload"))["ok"] is True
        await until(lambda: not {"config_rolled_back", "limits_rolled_back"} & _codes(listener))
        assert await site.end(SIGTERM) == ExitCode.ASKED
    rewrite(config, "site: [\n")
    async with gridzero(tmp_path, "run", "--no-rollback", config) as site:
        assert await site.ended() == ExitCode.CONFIG


def _codes(listener: Ear) -> set[str]:
    return {fault["code"] for fault in listener.state["faults"]}


@pytest.fixture
def boom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver of another maker, installed for the processes of this test."""
    place = tmp_path / "packages"
    info = place / "boom-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "boom.py").write_text(BOOM)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: boom\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gridzero.drivers]\nboom = boom:plugin\n")
    already = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(place), *([already] if already else [])])
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.mark.slow
@pytest.mark.usefixtures("boom")
async def test_a_file_that_crashes_gridzero_is_tried_three_times(tmp_path: Path) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}})
    keep = ConfigKeep(tmp_path / "state", Path(config))
    keep.save_good(text_of(config))
    values = yaml.safe_load(text_of(config))
    values["devices"]["new"] = {"driver": "boom", "dies": True}
    rewrite(config, yaml.safe_dump(values))
    for _ in range(MOST_STARTS - 1):
        async with gridzero(tmp_path, "run", config) as site:
            assert await site.ended() == ExitCode.CRASHED
    async with gridzero(tmp_path, "run", config) as site:
        await until(lambda: site.events("site.started"))
        await site.end(SIGKILL)
    async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
        await until(lambda: listener.state)
        faults = {fault["code"]: fault for fault in listener.state["faults"]}
        assert "ended 3 times within the first minutes" in faults["config_rolled_back"]["text"]
        assert "devices.new.driver" in faults["config_rolled_back"]["text"]
        assert listener.state["setpoint_w"] == 0.0
        await answer(listener, "1", "restart")
        assert await site.ended() == ExitCode.AGAIN
    assert keep.probation(text_of(config)).starts == 0, "a person wants it tried again"


async def test_reading_a_file_does_not_hold_up_the_loop() -> None:
    """A tick comes each 250 ms; figures in docs/updating.md, this machine may be busy."""
    found, late_s = find_plugins(), list[float]()

    async def tick() -> None:
        latest = monotonic()
        while True:
            await asyncio.sleep(0.001)
            now_s = monotonic()
            late_s.append(now_s - latest)
            latest = now_s

    ticking = asyncio.create_task(tick())
    for _ in range(10):
        await asyncio.to_thread(check_file, REFERENCE, found)
    ticking.cancel()
    assert len(late_s) > 20
    assert sorted(late_s)[len(late_s) * 9 // 10] < 0.2


@pytest.mark.slow
async def test_the_processes_beside_follow_a_reload(tmp_path: Path) -> None:
    port, page = free_port(), free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}})
    edit(config, console={"enabled": False}, history={"enabled": False})
    async with gridzero(tmp_path, "run", config, beside=True), ear(port) as listener:
        await until(lambda: told(listener))
        edit(config, metrics={"port": page})
        said = await answer(listener, "1", "reload")
        assert said["text"] == "taken: metrics (added)"
        await until(lambda: _answers(page))


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1.0)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
