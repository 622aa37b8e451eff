"""What a hostile hand on the broker or the file, or a tired one, can do to a running gridzero."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from signal import SIGTERM
from time import monotonic
from typing import Any

import pytest
from free_ports import free_port
from process_site import Ear, ear, gridzero, site_config, until

from gridzero.config.files import read_text
from gridzero.configured.reloading import PAUSE_S
from gridzero.runtime.config_keep import ConfigKeep
from gridzero.runtime.exit_codes import ExitCode

pytestmark = [pytest.mark.real_time, pytest.mark.slow]


async def ask(listener: Ear, number: str, what: str = "reload") -> dict[str, Any]:
    await listener.say("gridzero/ask", json.dumps({"id": number, "what": what, "by": "test"}))

    def said() -> list[dict[str, Any]]:
        answers = [json.loads(payload) for payload in listener.all("gridzero/answer")]
        return [one for one in answers if one["id"] == number]

    await until(said)
    return said()[0]


def exchange(file: Path, make: Callable[[Path], object]) -> None:
    """Something else in the place of a file."""
    if file.is_dir():
        file.rmdir()
    else:
        file.unlink(missing_ok=True)
    make(file)


def house(folder: Path, port: int) -> tuple[Path, Callable[[Path], object]]:
    """A configuration, and what writes it again as it was."""
    config = Path(site_config(folder, {"embedded": {"port": port}}))
    good = config.read_text()
    return config, lambda file: file.write_text(good)


INSTEAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "it is a pipe or a device"),
    "folder": (Path.mkdir, "Is a directory"),
    "device": (lambda file: file.symlink_to("/dev/zero"), "it is a pipe or a device"),
    "nothing": (lambda _: None, "No such file"),
    "loop": (lambda file: file.symlink_to(file), "Too many levels"),
    "junk": (lambda file: file.write_text("a: 1\n" * 12_000), "stands here a second time"),
}


async def test_a_file_that_is_none_leaves_what_runs_and_never_holds_it_up(tmp_path: Path) -> None:
    port = free_port()
    config, write_good = house(tmp_path, port)
    async with gridzero(tmp_path, "run", "--alone", str(config)) as site, ear(port) as listener:
        await until(lambda: listener.state)
        for name, (make, why) in INSTEAD.items():
            exchange(config, make)
            said = await ask(listener, name)
            assert said["ok"] is False
            assert why in said["text"]
        exchange(config, write_good)
        assert (await ask(listener, "good"))["text"] == "nothing differs"
        assert await site.end(SIGTERM) == ExitCode.ASKED
        assert "Traceback" not in site.err


async def test_a_storm_of_reloads_is_read_now_and_then(tmp_path: Path) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}})
    async with gridzero(tmp_path, "run", "--alone", config) as site, ear(port) as listener:
        await until(lambda: listener.state)
        begun_s = monotonic()
        for _ in range(100):
            await listener.say("gridzero/reload/set", "yes")
            await asyncio.sleep(0.05)
        took_s = monotonic() - begun_s
        heard = [json.loads(payload) for payload in listener.all("gridzero/event")]
        read = [one for one in heard if one.get("code") == "config_reloaded"]
        assert 1 <= len(read) <= took_s / PAUSE_S + 2
        assert await site.end(SIGTERM) == ExitCode.ASKED


async def test_a_file_that_a_power_cut_left_empty_rests_on_the_last_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    config, write_good = house(tmp_path, port)
    ConfigKeep(tmp_path / "state", config).save_good(read_text(config))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    exchange(config, Path.touch)
    async with (
        gridzero(tmp_path, "run", "--alone", str(config)) as site,
        ear(port) as listener,
    ):
        await until(lambda: listener.state)
        codes = {fault["code"] for fault in listener.state["faults"]}
        assert {"config_rolled_back", "limits_rolled_back"} <= codes
        assert listener.state["setpoint_w"] == 0.0
        exchange(config, write_good)
        assert (await ask(listener, "mended"))["ok"] is True
        await until(lambda: "limits_rolled_back" not in json.dumps(listener.state["faults"]))
        assert await site.end(SIGTERM) == ExitCode.ASKED
