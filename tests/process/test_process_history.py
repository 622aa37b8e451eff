"""The companion beside ``gridzero run`` writes a history that can be read meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM
from time import time

import pytest
import yaml
from free_ports import free_port
from process_site import gridzero, site_config, until

from gridzero.outputs.history.reader import HistoryError, HistoryReader

pytestmark = [pytest.mark.real_time, pytest.mark.slow]


def seconds(file: Path) -> int:
    """How many states are in it."""
    with suppress(HistoryError), HistoryReader(file) as reader:
        return len(reader.series(["setpoint_w"], time() - 600, time() + 1, 10**6).at_s)
    return 0


async def test_a_killed_companion_leaves_a_whole_history_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    file = tmp_path / "history.sqlite"
    config = house(tmp_path, file)
    async with gridzero(tmp_path / "site", "run", config):
        async with gridzero(tmp_path / "beside", "companion", config) as first:
            await until(lambda: seconds(file) >= 4)
            await first.end(SIGKILL)
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        before = seconds(file)
        async with gridzero(tmp_path / "beside", "companion", config) as second:
            await until(lambda: seconds(file) > before)
            assert await second.end(SIGTERM) == 0
    assert not file.with_name("history.sqlite-wal").exists(), "an orderly end leaves one file"


def house(folder: Path, file: Path) -> str:
    """A site with a history and no other face."""
    config = Path(site_config(folder, {"embedded": {"port": free_port()}}))
    values = yaml.safe_load(config.read_text())
    values["history"] = {"batch_s": 5, "path": str(file)}
    values |= {name: {"enabled": False} for name in ("home_assistant", "console")}
    config.write_text(yaml.safe_dump(values))
    return str(config)
