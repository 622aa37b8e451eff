"""The processes beside control: started, started again, and never left behind."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest
import yaml
from free_ports import free_port
from process_site import ear, gridzero, site_config, until

from gridzero import children
from gridzero.children import Child
from gridzero.links.tasks import first_to_end
from gridzero.ports.clock import LoopClock
from gridzero.runtime.fault_book import FaultBook

pytestmark = [pytest.mark.real_time, pytest.mark.slow]


def companions_of(pid: int) -> list[int]:
    """Processes whose parent is pid."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit():
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(stat[1]) == pid and stat[0] != "Z":
                    found.append(int(folder.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"


async def test_a_killed_companion_is_started_again_and_told(tmp_path: Path) -> None:
    port = free_port()
    config = quiet(site_config(tmp_path, {"embedded": {"port": port}}))
    async with gridzero(tmp_path, "run", config, beside=True) as site, ear(port) as listener:
        await until(lambda: companions_of(site.pid))
        first = companions_of(site.pid)
        os.kill(first[0], SIGKILL)
        await until(lambda: set(companions_of(site.pid)) - set(first))
        codes = {fault["code"] for fault in listener.state["faults"]}
        second = companions_of(site.pid)
        assert await site.end(SIGTERM) == 0
        await until(lambda: not any(map(is_alive, second)))
    assert "companion_lost" in codes


async def test_a_companion_does_not_outlive_a_killed_gridzero(tmp_path: Path) -> None:
    port = free_port()
    config = quiet(site_config(tmp_path, {"embedded": {"port": port}}))
    async with gridzero(tmp_path, "run", config, beside=True) as site:
        await until(lambda: companions_of(site.pid))
        beside = companions_of(site.pid)
        await site.end(SIGKILL)
        await until(lambda: not any(map(is_alive, beside)))


async def test_alone_means_alone(tmp_path: Path) -> None:
    config = quiet(site_config(tmp_path, {"embedded": {"port": free_port()}}))
    async with gridzero(tmp_path, "run", "--duration", "4", config) as site:
        seen: list[int] = []
        await until(lambda: seen.extend(companions_of(site.pid)) or not site.is_alive)
    assert seen == []


async def test_a_program_that_ends_at_once_is_told_with_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(children, "BEGIN_S", 0.0)
    clock = LoopClock()
    faults = FaultBook(clock)
    child = Child("companion", (sys.executable, "-c", "raise SystemExit(3)"), faults, clock)
    await first_to_end(child.run(), until(lambda: faults.active))
    assert "code 3" in faults.active[0].text
    assert "tried again in 10 s" in faults.active[0].text


async def test_a_program_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "BEGIN_S", 0.0)
    clock = LoopClock()
    faults = FaultBook(clock)
    child = Child("companion", ("/nowhere/python",), faults, clock)
    await first_to_end(child.run(), until(lambda: faults.active))
    assert "cannot be started" in faults.active[0].text


def quiet(config: str) -> str:
    """Without what would want a port of its own."""
    values = yaml.safe_load(Path(config).read_text())
    values["console"] = {"enabled": False}
    Path(config).write_text(yaml.safe_dump(values))
    return config
