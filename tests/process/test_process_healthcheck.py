"""``gridzero healthcheck`` beside a running gridzero, as Docker asks."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from free_ports import free_port
from process_site import Terminal, gridzero, site_config, until

from gridzero.commands.healthcheck import listen, look_at_file
from gridzero.links.alive_file import VARIABLE

pytestmark = pytest.mark.real_time


async def test_well_from_the_first_command_to_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "alive"))
    config = site_config(tmp_path, {"embedded": {"port": free_port()}}, terminal.path)
    try:
        async with gridzero(tmp_path, "run", config) as site:
            assert not look_at_file(os.environ).is_well
            await until(lambda: look_at_file(os.environ).is_well)
            assert await listen(Path(config)) == (True, "gridzero speaks")
            assert await site.end(signal.SIGTERM) == 0
    finally:
        terminal.close()
    assert look_at_file(os.environ) == (False, "ended")
