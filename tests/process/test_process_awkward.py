"""``gridzero run`` where something is awkward: one clear sentence, the right end, no power.

What was tried and what was said is a table in docs/starting.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import Signals
from typing import Any

import pytest
from free_ports import free_port
from process_site import Ear, Process, Terminal, ear, gridzero, python, site_config, until

from gridzero.runtime.exit_codes import ExitCode
from gridzero_drivers.soyosource.codec import Demand

pytestmark = pytest.mark.real_time

ZERO = Demand(0).to_bytes()
STATE = ("settings", "latched", "battery", "charge", "learned", "energy", "energy-days")
RUN = f"exec {sys.executable} -m gridzero.cli run --alone house.yaml"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@asynccontextmanager
async def shell(folder: Path, script: str) -> AsyncIterator[Process]:
    process = Process(folder, "sh", "-c", script)
    try:
        yield process
    finally:
        process.close()


async def serves_without_power(site: Process, listener: Ear, terminal: Terminal) -> None:
    """It is there, says so, and everything that the inverter hears is zero; then it ends."""
    await until(lambda: listener.state)
    heard = b""
    async with asyncio.timeout(30):
        while len(heard) < 3 * len(ZERO):
            heard += terminal.read()
            await asyncio.sleep(0.05)
    assert heard.replace(ZERO, b"") in ZERO, "nothing but zeros"
    assert listener.state["setpoint_w"] == 0.0
    assert await site.end(Signals.SIGTERM) == 0
    assert "Traceback" not in site.err


def codes(listener: Ear) -> set[str]:
    return {fault["code"] for fault in listener.state["faults"]}


# --- the configuration --------------------------------------------------------------------------


def _empty(file: Path) -> None:
    file.write_text("")


def _large(file: Path) -> None:
    file.write_bytes(b"a" * 10_000_000)


def _binary(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 20)


def _loop(file: Path) -> None:
    file.symlink_to(file)


def _unreadable(file: Path) -> None:
    file.write_text("site: {}")
    file.chmod(0)


def _half(file: Path) -> None:
    file.write_text('{"version": 1, "mode": {"value": "ho')


BAD_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (lambda _: None, "No such file or directory. Check the path"),
    "folder": (Path.mkdir, "Is a directory. Check the path"),
    "pipe": (os.mkfifo, "it is a pipe or a device. Check the path"),
    "empty": (_empty, "the file is empty. Start from configs/minimal.yaml"),
    "large": (_large, "the file is larger than 64 KiB. This is not a configuration"),
    "binary": (_binary, "this is a binary file. Give a YAML text file"),
    "loop": (_loop, "Too many levels of symbolic links. Check the path"),
    "unreadable": (_unreadable, "Permission denied. Check the path and the file's permissions"),
}
SHOWN = ("large", "loop", "unreadable", "closed descriptors", "as systemd does")
"""One of each kind; the others take the same way."""
_NO_RIGHTS = "setpriv --bounding-set=-all --inh-caps=-all " if os.geteuid() == 0 else ""


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(*row, id=name, marks=pytest.mark.slow if name in SHOWN else pytest.mark.long)
        for name, row in BAD_FILES.items()
    ],
)
async def test_a_configuration_that_cannot_be_read_starts_nothing(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    if make is _unreadable and _NO_RIGHTS and not shutil.which("setpriv"):
        pytest.skip("root reads everything, and there is no setpriv to make it less")
    make(tmp_path / "house.yaml")
    before = _NO_RIGHTS if make is _unreadable else ""
    async with shell(tmp_path, RUN.replace("exec ", f"exec {before}")) as site:
        assert await site.ended() == 2
        lines = site.err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("house.yaml:1: file: ")
        assert said in lines[0]


# --- the state folder ---------------------------------------------------------------------------

BAD_STATES: dict[str, Callable[[Path], None]] = {
    "half": _half,
    "empty": _empty,
    "binary": _binary,
    "folder": Path.mkdir,
    "loop": _loop,
}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(spoil, id=name, marks=() if name == "half" else pytest.mark.long)
        for name, spoil in BAD_STATES.items()
    ],
)
async def test_a_state_that_cannot_be_read_rests_until_a_person_has_looked(
    tmp_path: Path, terminal: Terminal, spoil: Callable[[Path], None]
) -> None:
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    (tmp_path / "state").mkdir()
    for name in STATE:
        spoil(tmp_path / "state" / f"{name}.json")
    async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
        await until(lambda: listener.state)
        assert listener.state["mode"] == "hold"
        assert "latches_lost" in codes(listener)
        said = {entry["event"].partition(".")[0] for entry in site.log()}
        assert {"settings_lost", "battery_memory_lost", "learned_lost", "energy_lost"} <= said
        await serves_without_power(site, listener, terminal)
    kept = {file.name for file in (tmp_path / "state").glob("*.damaged")}
    assert {"settings.damaged", "latched.damaged", "battery.damaged"} <= kept


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder", ["file", pytest.param("loop", marks=pytest.mark.long), "read-only"]
)
async def test_a_state_folder_that_cannot_be_written_is_told_and_the_house_is_safe(
    tmp_path: Path, terminal: Terminal, folder: str
) -> None:
    """Where settings and trips would be forgotten, people are told; power rests where unknown."""
    port, state = free_port(), tmp_path / "state"
    site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    if folder == "read-only":
        state.mkdir(mode=0o555)
    else:
        (_empty if folder == "file" else _loop)(state)
    script = RUN.replace("exec ", f"exec {_NO_RIGHTS}")
    async with shell(tmp_path, script) as site, ear(port) as listener:
        await until(lambda: listener.state and "state_not_saved" in codes(listener))
        assert listener.state["mode"] == ("auto" if folder == "read-only" else "hold")
        assert site.events("state.not_locked")
        await serves_without_power(site, listener, terminal)


@pytest.mark.slow
async def test_a_full_disk_is_told_and_an_answer_says_that_nothing_was_stored(
    tmp_path: Path, terminal: Terminal
) -> None:
    """A disk of 64 KiB in a mount namespace of its own; then there is room again."""
    port = free_port()
    site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    (tmp_path / "state").mkdir()
    (tmp_path / "go").mkdir()
    mount = "mount -t tmpfs -o size=64k none state"
    if not _may_mount():
        pytest.skip("this user may not have mounts of its own")
    full = "head -c 65536 /dev/zero >state/full || true"
    room = "(for i in $(seq 900); do test -d go || break; sleep 0.1; done; rm state/full) &"
    script = f"exec unshare --mount sh -c '{mount}; {full}; {room} {RUN}'"
    async with shell(tmp_path, script) as site, ear(port) as listener:
        await until(lambda: listener.state)
        await ask(listener, "1", "hold")
        await until(lambda: answers(listener))
        assert answers(listener)[0]["ok"]
        assert "it cannot be stored" in answers(listener)[0]["text"]
        await until(lambda: "state_not_saved" in codes(listener))
        (tmp_path / "go").rmdir()
        await asyncio.sleep(0.5)
        await ask(listener, "2", "auto")
        await until(lambda: len(answers(listener)) == 2)
        assert answers(listener)[1]["text"] == "Mode is auto"
        await ask(listener, "3", "hold")
        await serves_without_power(site, listener, terminal)


def _may_mount() -> bool:
    probe = ["unshare", "--mount", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


async def ask(listener: Ear, number: str, mode: str) -> None:
    question = {"id": number, "what": "mode", "value": mode, "by": "test"}
    await listener.say("gridzero/ask", json.dumps(question))


def answers(listener: Ear) -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in listener.all("gridzero/answer")]


# --- who starts it, and how ---------------------------------------------------------------------

STARTS = {
    "closed descriptors": f"{RUN} 0<&- 1>&- 2>&-",
    "20 open files": f"ulimit -n 20; {RUN}",
    "no environment": RUN.replace("exec ", 'exec env -i PYTHONPATH="$PYTHONPATH" '),
    "as systemd does": RUN.replace(
        "exec ",
        'exec env -i PYTHONPATH="$PYTHONPATH" LANG=C INVOCATION_ID=1 JOURNAL_STREAM=8:1'
        " STATE_DIRECTORY=/nowhere NOTIFY_SOCKET=@gridzero-nobody-listens WATCHDOG_USEC=9000000 ",
    ),
}


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(script, id=name, marks=pytest.mark.slow if name in SHOWN else pytest.mark.long)
        for name, script in STARTS.items()
    ],
)
async def test_it_starts_and_ends_however_bare_the_place(
    tmp_path: Path, terminal: Terminal, script: str
) -> None:
    port = free_port()
    site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    async with shell(tmp_path, script) as site, ear(port) as listener:
        await serves_without_power(site, listener, terminal)


AT_ANOTHER_TIME = """
import sys, time
from gridzero import cli
real, begun = time.time, time.monotonic()
def wrong():
    return float(sys.argv[2]) + (time.monotonic() - begun > 3.0) * float(sys.argv[3])
time.time = wrong
import gridzero.service
sys.exit(cli.main(["run", "--alone", sys.argv[1]]))
"""


@pytest.mark.slow
async def test_a_clock_at_1970_that_jumps_by_fifty_years_changes_no_counter(
    tmp_path: Path, terminal: Terminal
) -> None:
    """The wall clock is put in the place of the real one: only a whole machine could have another.

    What is stored "in the future" by a clock that was ahead is read all the same.
    """
    port = free_port()
    config = site_config(tmp_path, {"embedded": {"port": port}}, terminal.path)
    ahead, jump = "4000000000", "1790000000"
    told: list[float] = []
    for begins, jumps in ((ahead, "0"), ("60", jump)):
        async with python(tmp_path, "-c", AT_ANOTHER_TIME, config, begins, jumps) as site:
            async with ear(port) as listener:
                for _ in range(30):
                    await listener.say("meterbox/grid", "20000")
                    await asyncio.sleep(0.2)
                await until(lambda heard=listener: heard.all("gridzero/energy"))
                await serves_without_power(site, listener, terminal)
            energies = [json.loads(one) for one in listener.all("gridzero/energy")]
            told += [energy["grid_import_kwh"] for energy in energies]
        stored = json.loads((tmp_path / "state" / "energy.json").read_text())
        assert told == sorted(told)
        assert told[-1] <= stored["total"]["grid_import_kwh"]
        assert stored["total"]["grid_import_kwh"] > 0.005
        assert not list((tmp_path / "state").glob("*.damaged"))


# --- two at once --------------------------------------------------------------------------------


async def test_a_second_house_on_the_same_port_is_refused_and_the_first_notices_nothing(
    tmp_path: Path, terminal: Terminal
) -> None:
    """Another state folder, another broker, another name of the same port."""
    first = site_config(tmp_path / "a", {"embedded": {"port": free_port()}}, terminal.path)
    name = tmp_path / "by-id"
    name.symlink_to(terminal.path)
    second = site_config(tmp_path / "b", {"embedded": {"port": free_port()}}, str(name))
    async with gridzero(tmp_path / "a", "run", first) as one:
        await until(terminal.read)
        async with gridzero(tmp_path / "b", "run", second) as other:
            assert await other.ended() == ExitCode.HELD
            assert "links.inverter: another gridzero commands" in other.err
            assert "End that one first" in other.err
        assert one.is_alive
        terminal.read()
        await until(terminal.read)
        assert not one.events("link_down.raised")
        await one.end(Signals.SIGKILL)
    async with gridzero(tmp_path / "b", "run", second):
        terminal.read()
        await until(terminal.read)  # a killed one leaves nothing behind


@pytest.mark.slow
async def test_a_second_house_on_the_same_can_bus_is_refused_even_while_that_is_missing(
    tmp_path: Path,
) -> None:
    bus = {"bus": {"type": "can", "channel": f"gz{os.getpid()}c"}}
    first = site_config(tmp_path / "a", {"embedded": {"port": free_port()}}, **bus)
    second = site_config(tmp_path / "b", {"embedded": {"port": free_port()}}, **bus)
    async with gridzero(tmp_path / "a", "run", first) as one:
        await until(lambda: one.events("site.started"))
        async with gridzero(tmp_path / "b", "run", second) as other:
            assert await other.ended() == ExitCode.HELD
            assert other.err.count("\n") == other.err.count("config.doubtful") + 1
            assert "links.bus: another gridzero commands the CAN interface" in other.err


# --- what is plugged in -------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_port_that_another_program_has_or_that_is_none_is_told_with_a_cure(
    tmp_path: Path, terminal: Terminal
) -> None:
    """A lock as programs set it on a port (flock), and a plain file in the place of a port."""
    port, plain = free_port(), tmp_path / "ttyUSB0"
    plain.write_text("no port")
    extra = {"spare": {"type": "serial", "port": str(plain)}}
    config = site_config(tmp_path, {"embedded": {"port": port}}, terminal.path, **extra)
    holder = f"exec flock --exclusive {terminal.path} sleep 60"
    async with shell(tmp_path / "holder", holder):
        await until(lambda: _is_locked(terminal.path))
        async with gridzero(tmp_path, "run", config) as site, ear(port) as listener:
            await until(lambda: {"inverter", "spare"} <= _downs(site).keys())
            assert "Another program has the port open" in _downs(site)["inverter"]
            assert "cannot open" in _downs(site)["spare"]
            await until(lambda: listener.state)
            assert listener.state["setpoint_w"] == 0.0
            assert terminal.read() == b""
            assert await site.end(Signals.SIGTERM) == 0
            assert "Traceback" not in site.err


def _downs(site: Process) -> dict[str, str]:
    return {entry["subject"]: entry["text"] for entry in site.events("link_down.raised")}


def _is_locked(path: str) -> bool:
    probe = ["flock", "--nonblock", path, "true"]
    return subprocess.run(probe, check=False).returncode != 0
