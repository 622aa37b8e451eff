"""A running house is backed up, not restored over; a stopped one gets back what a person set."""

from __future__ import annotations

import asyncio
import json
import signal
import zipfile
from pathlib import Path

import pytest
from free_ports import free_port
from process_site import ear, gridzero, site_config, until

from gridzero.cli import main
from gridzero.runtime.exit_codes import ExitCode

pytestmark = pytest.mark.real_time


@pytest.mark.slow
async def test_a_house_is_backed_up_while_it_runs_and_restored_when_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    port, backup = free_port(), str(tmp_path / "b.zip")
    config = site_config(tmp_path, {"embedded": {"port": port}})
    restore = ["restore", backup, "--config", config, "--write"]
    monkeypatch.chdir(tmp_path)
    async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
        await until(lambda: listener.state)
        await listener.say("gridzero/power_w/set", "777")
        await until(lambda: listener.state["power_w"] == 777)
        assert await asyncio.to_thread(main, ["backup", config, "-o", backup]) == 0
        assert await asyncio.to_thread(main, restore) == ExitCode.HELD
        assert "another gridzero runs" in capfd.readouterr().err
        await listener.say("gridzero/power_w/set", "111")
        await until(lambda: listener.state["power_w"] == 111)
        assert await site.end(signal.SIGTERM) == 0
    with zipfile.ZipFile(backup) as archive:
        assert json.loads(archive.read("state/settings.json"))["power_w"]["value"] == 777
    assert await asyncio.to_thread(main, restore) == 0, capfd.readouterr()
    async with gridzero(tmp_path, "run", config), ear(port) as listener:
        await until(lambda: listener.state)
        assert listener.state["power_w"] == 777
