"""The machine's files: what stands in them, and that what a person wrote stays."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gridzero.cli import main
from gridzero.config.loader import load
from gridzero.config.models import Config
from gridzero.errors import ConfigError
from gridzero.host_setup.files import BOOT, files_of
from gridzero.host_setup.wishes import Wishes
from gridzero.plugins import find_plugins

HOUSE = Path(__file__).parents[3] / "configs" / "reference-house.yaml"
UNIT = "/etc/systemd/system/gridzero.service"
RULES = "/etc/udev/rules.d/70-gridzero.rules"


def config_of(text: str | None = None, folder: Path | None = None) -> Config:
    file = HOUSE
    if text is not None and folder is not None:
        file = folder / "house.yaml"
        file.write_text(text)
    return load(file, find_plugins().plugins).config


def made(config: Config, **wishes: object) -> dict[str, str]:
    files = files_of(config, Path("/etc/gridzero/house.yaml"), Wishes(**wishes))  # type: ignore[arg-type]
    return {file.path: file.text for file in files}


def changed(old: str, new: str, folder: Path) -> Config:
    text = HOUSE.read_text()
    assert old in text
    return config_of(text.replace(old, new), folder)


def setup(root: Path, *more: str) -> int:
    return main(["setup", str(HOUSE), "--root", str(root), *more])


def test_three_controllers_have_overlays_names_and_rates() -> None:
    files = made(config_of(), oscillator_hz=8_000_000, interrupts=(23, 24, 22))
    boot = files[BOOT].splitlines()
    assert "dtoverlay=mcp2515,spi0-1,oscillator=8000000,interrupt=24" in boot
    spi1 = boot.index("dtoverlay=spi1-1cs,cs0_pin=18,cs0_spidev=disabled")
    assert boot[spi1 + 1] == "dtoverlay=mcp2515,spi1-0,oscillator=8000000,interrupt=22"
    assert 'KERNELS=="spi1.0", NAME="canpsu", ATTR{tx_queue_len}="64"' in files[RULES]
    assert 'ENV{ID_SERIAL}=="FTDI_FT232R_USB_UART"' in files[RULES]
    network = files["/etc/systemd/network/20-canpsu.network"]
    assert "BitRate=125000\nRestartSec=100ms" in network


def test_a_person_says_where_each_controller_is(capsys: pytest.CaptureFixture[str]) -> None:
    files = made(config_of(), spi=(("canpsu", "spi0.0"),), interrupts=(23, 24, 22))
    assert 'KERNELS=="spi0.0", NAME="canpsu"' in files[RULES]
    assert 'KERNELS=="spi0.1", NAME="canbms1"' in files[RULES]
    assert "dtoverlay=mcp2515,spi0-0,oscillator=16000000,interrupt=22" in files[BOOT]
    assert main(["setup", str(HOUSE), "--root", "/nowhere", "--spi", "canpsu=spi0.0"]) == 1
    assert re.search(r"canpsu +at spi0\.0, interrupt GPIO 22", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("spi", "words"),
    [
        ((("canx", "spi0.0"),), "no MCP2515 has this channel"),
        ((("canpsu", "spi3.0"),), "no such place"),
        ((("canpsu", "spi0.0"), ("canbms1", "spi0.0")), "two interfaces at one"),
    ],
)
def test_places_that_cannot_be(spi: tuple[tuple[str, str], ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        made(config_of(), spi=spi)


def test_one_controller_needs_no_second_spi() -> None:
    files = made(config_of(), usb=(("canbms1", "A1"), ("canbms2", "B2")))
    assert "spi1" not in files[BOOT]
    assert "mcp2515,spi0-0" in files[BOOT]
    assert 'ATTRS{serial}=="B2", NAME="canbms2"' in files[RULES]


def test_the_unit_comes_back_and_is_watched() -> None:
    unit = made(config_of())[UNIT].splitlines()
    assert {
        "Type=notify",
        "WatchdogSec=15",
        "RestartForceExitStatus=3 69 70 75",
        "RestartPreventExitStatus=2",
        "StateDirectory=gridzero",
        "NotifyAccess=main",
        "RuntimeDirectory=gridzero",
        "Environment=GRIDZERO_ALIVE_FILE=/run/gridzero/alive",
        "ProtectHome=yes",
        "SupplementaryGroups=dialout i2c",
    } <= set(unit)


def test_a_unit_without_notices_is_not_ended_for_their_absence(tmp_path: Path) -> None:
    off = changed(
        "control:\n", "watchdog: {systemd: 'off', hardware: /dev/watchdog}\ncontrol:\n", tmp_path
    )
    files = made(off, program="/home/pi/bin/gridzero")
    assert "Type=exec" in files[UNIT]
    assert "WatchdogSec" not in files[UNIT]
    assert "ProtectHome=read-only" in files[UNIT]
    assert "RuntimeWatchdogSec=0" in files["/etc/systemd/system.conf.d/10-gridzero.conf"]
    assert 'KERNEL=="watchdog", GROUP="gridzero"' in files[RULES]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("    bitrate: 125000\n", "", "links.charger has no bitrate"),
        ("channel: canpsu", "channel: can0", "the kernel gives out itself"),
        ("channel: canpsu", "channel: 'can\"x'", "cannot stand in the files of udev"),
        ("by-id/usb-FTDI_FT232R_USB_UART-if00-port0", 'by-id/usb-a"b-if00', "no name by id"),
        ("state_dir: /var/lib/gridzero", "state_dir: '/var/a b'", "cannot stand in a unit"),
    ],
)
def test_what_cannot_stand_in_a_file_is_refused(
    old: str, new: str, what: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=what):
        made(changed(old, new, tmp_path))


def test_wishes_that_do_not_fit_are_refused() -> None:
    for wishes, what in (
        ({"interrupts": (25, 25, 22)}, "interrupt of its own"),
        ({"usb": (("canx", "A"),)}, "no link has this channel"),
        ({"usb": (("canpsu", 'a"b'),)}, "no serial number"),
    ):
        with pytest.raises(ConfigError, match=what):
            made(config_of(), **wishes)


def test_it_shows_first_writes_then_and_has_nothing_to_do_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(tmp_path) == 1
    assert not list(tmp_path.iterdir())
    assert "+dtparam=spi=on" in capsys.readouterr().out
    assert setup(tmp_path, "--write") == 0
    assert (tmp_path / UNIT.lstrip("/")).stat().st_mode & 0o777 == 0o644
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert setup(tmp_path, "--write") == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert setup(tmp_path) == 0
    assert "Nothing to do" in capsys.readouterr().out


def test_its_own_files_follow_and_a_persons_stay(tmp_path: Path) -> None:
    setup(tmp_path, "--write")
    unit = tmp_path / UNIT.lstrip("/")
    mine = unit.read_text().replace("RestartSec=2", "RestartSec=20")
    unit.write_text(mine)
    assert setup(tmp_path, "--write", "--oscillator", "8000000") == 1
    assert unit.read_text() == mine
    assert "oscillator=8000000" in (tmp_path / BOOT.lstrip("/")).read_text()
    assert setup(tmp_path, "--write", "--force", "--oscillator", "8000000") == 0
    assert "RestartSec=2\n" in unit.read_text()
    assert unit.with_name(unit.name + ".before-gridzero").read_text() == mine
    unit.write_text(later := mine.replace("=20", "=30"))
    assert setup(tmp_path, "--write", "--force", "--oscillator", "8000000") == 0
    assert unit.with_name(unit.name + ".before-gridzero").read_text() == mine, "it is not lost"
    assert unit.with_name(unit.name + ".before-gridzero-2").read_text() == later


def test_the_rest_of_config_txt_stays_and_own_overlays_are_not_doubled(tmp_path: Path) -> None:
    boot = tmp_path / BOOT.lstrip("/")
    boot.parent.mkdir(parents=True)
    boot.write_text("arm_boost=1\n[cm4]\notg_mode=1")
    assert setup(tmp_path, "--write") == 0
    text = boot.read_text()
    assert text.startswith("arm_boost=1\n[cm4]\notg_mode=1\n# Made by gridzero setup")
    boot.write_text(text + "dtoverlay=disable-bt\n")
    assert setup(tmp_path, "--write", "--oscillator", "8000000") == 0
    assert boot.read_text().endswith("# End of gridzero setup\ndtoverlay=disable-bt\n")

    hand_made = "dtoverlay=mcp2515-can0,oscillator=8000000,interrupt=25\n"
    boot.write_text(hand_made)
    assert setup(tmp_path, "--write") == 1
    assert boot.read_text() == hand_made
    assert setup(tmp_path, "--write", "--force") == 0
    assert boot.read_text().startswith("# before gridzero setup: dtoverlay=mcp2515-can0")
    assert setup(tmp_path) == 0


def test_a_file_that_cannot_be_read_ends_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = tmp_path / UNIT.lstrip("/")
    unit.parent.mkdir(parents=True)
    unit.write_bytes(b"\xff\xfe\x00")
    assert setup(tmp_path) == 2
    assert "gridzero.service: cannot be read" in capsys.readouterr().err


@pytest.mark.real_time
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    program = shutil.which("true")
    setup(tmp_path, "--write", "--program", str(program))
    unit = tmp_path / UNIT.lstrip("/")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "gridzero" not in done.stderr
