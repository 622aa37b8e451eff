"""The commands, from their arguments to what they print and their exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gridzero import __version__, plugins
from gridzero.cli import COMMANDS, main
from gridzero.plugins import Found, PluginError, find_plugins

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
Capture = pytest.CaptureFixture[str]


def test_check_tells_what_a_good_file_means(capsys: Capture) -> None:
    assert main(["check", str(ROOT / "configs" / "reference-house.yaml")]) == 0
    out = capsys.readouterr().out
    assert "battery: cells, driver vw_gte on battery_a, battery_b; 9 modules: a3, a7, a8, b1" in out
    assert "charger: CAN, socketcan canpsu, 125000 bit/s" in out
    assert "charge up to 50 A, discharge up to 50 A (9 modules with 12.5 A each)" in out
    assert "mode auto: holds the grid at 0 W" in out
    assert "Warnings" not in out


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.name)
def test_check_builds_every_shipped_configuration(capsys: Capture, file: Path) -> None:
    assert main(["check", str(file)]) == 0
    assert f"{file}: good" in capsys.readouterr().out


def test_check_shows_warnings_and_the_limits_of_a_small_battery(capsys: Capture) -> None:
    assert main(["check", str(ROOT / "configs" / "minimal.yaml")]) == 0
    out = capsys.readouterr().out
    assert "line 14: devices: no current sensor" in out
    assert "charge up to 12.5 A" in out
    assert "1 module: a1" in out


def test_check_prints_every_problem_as_a_line(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("site: {nam: x}\ndevices: {}\ncontrol: {target_w: 1e6}\n")
    assert main(["check", str(file)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert f"{file}:1: site.nam: there is no such setting. Did you mean 'name'?" in "\n".join(lines)
    assert f"{file}:3: control.target_w: 1000000.0 is too large. Use at most 2000" in "\n".join(
        lines
    )
    assert all(line.startswith(f"{file}:") for line in lines)


def test_check_goes_on_after_a_bad_file(capsys: Capture, tmp_path: Path) -> None:
    good = ROOT / "configs" / "demo.yaml"
    assert main(["check", str(tmp_path / "none.yaml"), str(good)]) == 2
    out = capsys.readouterr().out
    assert "the file cannot be read: No such file or directory" in out
    assert f"{good}: good" in out


def test_schema_is_json(capsys: Capture) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Config"


def test_drivers_are_listed(capsys: Capture) -> None:
    assert main(["drivers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:2] == ["vw_gte", "cells"] for line in lines)


def test_a_broken_driver_is_a_finding_but_the_others_are_listed(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = find_plugins().plugins
    error = PluginError("it is broken", where="driver acme", remedy="Mend it")
    monkeypatch.setattr(plugins, "find_plugins", lambda: Found(good, {"acme": error}))
    assert main(["drivers"]) == 1
    printed = capsys.readouterr()
    assert "driver acme: it is broken. Mend it" in printed.err
    assert "vw_gte" in printed.out


def test_vectors_are_counted_for_each_file(capsys: Capture, tmp_path: Path) -> None:
    frames = ROOT / "drivers" / "gridzero_drivers" / "ads1115_shunt" / "frames.yaml"
    wrong = tmp_path / "ads1115-shunt.json"
    vector = {"kind": "current", "word_hex": "0000", "expect": {"current_a": 1}}
    wrong.write_text(
        json.dumps([{**vector, "name": "half"}, {**vector, "expect": {"current_a": 0}}])
    )
    assert main(["vectors", str(frames)]) == 0
    assert main(["vectors", str(frames), str(wrong)]) == 1
    out = capsys.readouterr().out
    assert f"{frames}: " in out
    assert " passed, 0 failed" in out
    assert f"{wrong}: half: 0.00000 A instead of 1 A" in out
    assert f"{wrong}: 1 passed, 1 failed" in out


def test_vectors_of_another_name(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "recorded.json"
    vector = {"kind": "current", "word_hex": "0000", "expect": {"current_a": 0}}
    file.write_text(json.dumps([vector]))
    assert main(["vectors", str(file)]) == 2
    assert "there is no driver 'recorded'" in capsys.readouterr().err
    assert main(["vectors", str(file), "--driver", "ads1115_shunt"]) == 0


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ([], 2),
        (["nonsense"], 2),
        (["check"], 2),
        (["vectors", "--driver"], 2),
        (["--help"], 0),
        (["check", "-h"], 0),
        (["bench"], 2),
        (["bench", "--help"], 0),
        (["bench", "core", "--help"], 0),
        (["bench", "control", "--help"], 0),
        (["bench", "battery", "--help"], 0),
        (["bench", "core", "--plants", "house"], 2),
        (["bench", "control", "--seconds", "3"], 2),
    ],
)
def test_usage(capsys: Capture, argv: list[str], code: int) -> None:
    assert main(argv) == code
    assert "usage: gridzero" in "".join(capsys.readouterr())


def test_the_two_benchmarks_have_their_own_options(capsys: Capture) -> None:
    assert main(["bench", "control", "--list"]) == 0
    assert "two-inverters" in capsys.readouterr().out
    assert main(["bench", "control", "--laws", "magic"]) == 2
    assert "There are: all, gridzero" in capsys.readouterr().err


def test_version(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"gridzero {__version__}\n"


def test_the_commands_have_names_of_their_own() -> None:
    names = [command.name for command in COMMANDS]
    assert {"check", "schema", "drivers", "vectors"} <= set(names)
    assert len(names) == len(set(names))


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> Found:
        raise KeyboardInterrupt

    monkeypatch.setattr(plugins, "find_plugins", interrupted)
    assert main(["drivers"]) == 130


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys, gridzero.cli\n"
        "heavy = {'can', 'serial', 'aiomqtt', 'pydantic', 'yaml', 'structlog', 'asyncio', 'rich',\n"
        "    'gridzero.bench.control.command', 'gridzero.bench.command', 'multiprocessing',\n"
        "    'gridzero.bench.battery.command'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_file_name_that_is_no_text_is_no_traceback() -> None:
    command: list[str | bytes] = [sys.executable, "-m", "gridzero.cli", "check", b"/none/\xff.yaml"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith(b"/none/\\udcff.yaml:1: file: the file cannot be read")
    assert done.stderr == b""


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gridzero.cli", "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
