"""``gridzero healthcheck`` beside a running gridzero, as Docker asks."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from free_ports import free_port
from process_site import Terminal, gridzero, site_config, until

from gridzero.links.alive_file import VARIABLE, AliveFile

pytestmark = pytest.mark.real_time


async def test_well_from_the_first_command_to_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    alive = AliveFile(tmp_path / "alive")
    monkeypatch.setenv(VARIABLE, str(alive.path))
    config = site_config(tmp_path, {"embedded": {"port": free_port()}}, terminal.path)
    try:
        async with gridzero(tmp_path, "run", config) as site:
            await until(lambda: (sign := alive.read()) and sign.is_sending)
            async with gridzero(tmp_path / "file", "healthcheck") as asked:
                assert await asked.ended() == 0, asked.err
                assert asked.out.startswith("sending")
            async with gridzero(tmp_path / "mqtt", "healthcheck", "--config", config) as asked:
                assert await asked.ended() == 0, asked.err
                assert asked.out == "gridzero speaks\n"
            assert await site.end(signal.SIGTERM) == 0
        async with gridzero(tmp_path / "after", "healthcheck") as asked:
            assert await asked.ended() == 1
            assert asked.out == "ended\n"
    finally:
        terminal.close()
