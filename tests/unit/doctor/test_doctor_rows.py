"""What each row says of one thing that is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from machines import BOOT, NOON_S, RESTING, ROOM, SPEAKING, house

from gridzero.config.loader import load_text
from gridzero.doctor import rows
from gridzero.doctor.evidence import (
    CanDetails,
    Counters,
    DeviceFile,
    Evidence,
    Folder,
    Heard,
    House,
    Interface,
    Process,
    Unseen,
)
from gridzero.doctor.verdict import Level, Verdict
from gridzero.plugins import find_plugins

PORT = "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART-if00-port0"
OK, WARN, BAD, UNKNOWN = Level.OK, Level.WARN, Level.BAD, Level.UNKNOWN


def said(row: str, **evidence: Any) -> list[Verdict]:
    look = next(one.look for one in rows.ROWS if one.name == row)
    return list(look(Evidence(**{"house": house(), "now_s": NOON_S} | evidence)))


def levels(row: str, **evidence: Any) -> list[Level]:
    return [verdict.level for verdict in said(row, **evidence)]


def bus(name: str = "canpsu", **details: Any) -> dict[str, Interface]:
    usual = {"state": "ERROR-ACTIVE", "bitrate": 125_000, "restart_ms": 100, "clock_hz": 8_000_000}
    return {name: Interface(name, True, 64, CanDetails(**(usual | details)))}


def file(path: str = PORT, **more: Any) -> dict[str, DeviceFile]:
    return {path: DeviceFile(path, **({"exists": True, "real": "/dev/ttyUSB0"} | more))}


def home(links: str) -> House:
    """A house with other links than the reference's."""
    text = f"""
site: {{name: t}}
links:
  b: {{type: can, channel: canbms1, bitrate: 500000}}
  {links}
devices:
  meter: {{driver: mqtt_meter, topic: a}}
  battery: {{driver: vw_gte, buses: {{a: {{link: b, modules: [1]}}}}}}
  inverter: {{driver: soyosource, link: i, max_w: 900}}
"""
    from pathlib import Path  # noqa: PLC0415 - used here only

    loaded = load_text(text, Path("t.yaml"), find_plugins().plugins)
    return House("t.yaml", loaded.config)


def test_rows_have_names_of_their_own() -> None:
    names = [row.name for row in rows.ROWS]
    assert len(set(names)) == len(names)


def test_nothing_known_is_no_finding_of_the_machine() -> None:
    found = rows.examine(Evidence(now_s=NOON_S, python_can="4.6.1"))
    assert not [finding for finding in found if finding.verdict.level.is_finding]


@pytest.mark.parametrize(
    ("row", "details", "level", "words"),
    [
        ("can bit rate", {"bitrate": 250_000}, BAD, "the file wants 125000"),
        ("can bit rate", {"bitrate": None}, BAD, "no bit rate"),
        ("can bit rate", {"kind": "vcan", "bitrate": None}, OK, "vcan"),
        ("can restart", {"restart_ms": 0}, WARN, "stays dead"),
        ("can state", {"state": "BUS-OFF"}, BAD, "bus-off"),
        ("can state", {"state": "ERROR-PASSIVE"}, BAD, "nobody acknowledges"),
        ("can state", {"state": "ERROR-WARNING"}, WARN, "ERROR-WARNING"),
        ("can counters", {"bus_offs": 3}, WARN, "bus-off 3 times"),
        ("can crystal", {"bitrate": 1_000_000, "clock_hz": 4_000_000}, BAD, "impossible"),
        ("can crystal", {"state": "BUS-OFF"}, BAD, "crystal of 16 MHz"),
        ("can crystal", {}, UNKNOWN, "silent"),
        ("can crystal", {"clock_hz": 0}, UNKNOWN, "silent"),
        ("can crystal", {"clock_hz": 0, "state": "BUS-OFF"}, BAD, "nobody there"),
        ("can restart", {"clock_hz": 0, "restart_ms": 0}, WARN, "serial adapter"),
    ],
)
def test_a_controller(row: str, details: dict[str, Any], level: Level, words: str) -> None:
    (verdict,) = said(row, interfaces=bus(**details))
    assert verdict.level is level
    assert words in verdict.text
    assert bool(verdict.mend) == level.is_finding


@pytest.mark.parametrize(("length", "level"), [(10, WARN), (64, OK), (1000, WARN), (None, UNKNOWN)])
def test_a_queue(length: int | None, level: Level) -> None:
    one = replace(bus()["canpsu"], queue_length=length)
    assert levels("can queue", interfaces={"canpsu": one}) == [level]


def test_the_command_for_the_rate_is_complete() -> None:
    (verdict,) = said("can bit rate", interfaces=bus(bitrate=500_000))
    assert verdict.mend.endswith("type can bitrate 125000 restart-ms 100")


def test_a_serial_adapter_is_not_told_what_it_refuses() -> None:
    for row, details in (("can bit rate", {"bitrate": 500_000}), ("can restart", {})):
        (verdict,) = said(row, interfaces=bus(clock_hz=0, **details))
        assert verdict.mend.endswith("type can bitrate 125000")
    (verdict,) = said("can crystal", interfaces=bus(clock_hz=0, state="BUS-OFF"))
    assert "crystal" not in verdict.text + verdict.mend


def test_a_silent_bus_deserves_a_look_while_gridzero_runs() -> None:
    assert levels("can crystal", interfaces=bus(), heard=SPEAKING) == [WARN]


def test_lost_frames_are_told() -> None:
    one = replace(bus()["canpsu"], after=Counters(received=9, overruns=2))
    assert "2 frames" in said("can counters", interfaces={"canpsu": one})[0].text


def test_a_rate_of_config_txt_that_does_not_hold_yet_wants_a_reboot() -> None:
    boot = BOOT.replace("16000000", "8000000")
    (verdict,) = said("can crystal", interfaces=bus(), boot=boot)
    assert (verdict.level, verdict.mend) == (WARN, "sudo reboot")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("mcp2515,spi1-0", "mcp2515-can2", "no overlay mcp2515-can2"),
        ("mcp2515,spi1-0,", "mcp2515,", "without its SPI place"),
        ("interrupt=24", "interrupt=x", "is no number"),
        ("interrupt=24", "interrupt=25", "several MCP2515 on interrupt 25"),
        ("dtparam=spi=on", "#dtparam=spi=on", "SPI is not switched on"),
        ("dtoverlay=spi1-1cs", "#", "SPI1 is not switched on"),
    ],
)
def test_lines_of_config_txt(old: str, new: str, words: str) -> None:
    assert words in " ".join(
        verdict.text for verdict in said("overlays", boot=BOOT.replace(old, new))
    )


def test_good_lines_of_config_txt() -> None:
    assert levels("overlays", boot=BOOT) == [OK]
    assert said("overlays", boot=None) == []
    assert levels("overlays", boot=Unseen("not ours")) == [UNKNOWN]


def test_a_missing_adapter_is_answered_with_the_nearest() -> None:
    near = {"usb-FTDI_FT232R_USB_UART_A10-if00-port0": "/dev/ttyUSB0"}
    (verdict,) = said("device", devices=file(exists=False), adapters=near)
    assert verdict.level is BAD
    assert "Did you mean" in verdict.text


def test_a_name_that_changes_is_answered_with_the_one_that_stays() -> None:
    changing = home("i: {type: serial, port: /dev/ttyUSB0}")
    (verdict,) = said("device name", house=changing, adapters={"usb-X-if00": "/dev/ttyUSB0"})
    assert verdict.level is WARN
    assert verdict.mend.endswith("/dev/serial/by-id/usb-X-if00")


def test_permissions() -> None:
    (verdict,) = said("permission", devices=file(may_open=False, group="dialout"), user="pi")
    assert verdict.mend.startswith("sudo usermod -aG dialout pi")
    (verdict,) = said("permission", devices=file(may_open=False, group="root"))
    assert "setup" in verdict.mend
    assert levels("permission", devices=file()) == [OK]


def test_who_holds_a_port() -> None:
    other, ours = Process(7, "minicom"), Process(8, "gridzero run x")
    (verdict,) = said("device free", devices=file(holders=(other,)))
    assert verdict.level is BAD
    assert "minicom (process 7)" in verdict.text
    assert levels("device free", devices=file(holders=(ours,)), others=(ours,)) == [OK]
    assert levels("device free", devices=file(holders=(ours,)), lock_holder=8) == [OK]
    assert levels("device free", devices=file(all_seen=False)) == [UNKNOWN]


def test_the_kernels_console_on_the_port() -> None:
    uart = home("i: {type: serial, port: /dev/serial0}")
    devices = {"/dev/serial0": DeviceFile("/dev/serial0", True, real="/dev/ttyAMA0")}
    found = said(
        "device free", house=uart, devices=devices, kernel_arguments="console=ttyAMA0,115200"
    )
    assert [verdict.level for verdict in found] == [OK, BAD]


@pytest.mark.parametrize(
    ("rs485", "real", "level"),
    [
        ("true", "/dev/ttyUSB0", WARN),
        ("true", "/dev/ttyAMA0", OK),
        ("false", "/dev/ttyAMA0", UNKNOWN),
    ],
)
def test_who_switches_the_direction(rs485: str, real: str, level: Level) -> None:
    wanted = home(f"i: {{type: serial, port: {real}, rs485: {rs485}}}")
    assert levels("rs485", house=wanted, devices=file(real, real=real)) == [level]


@pytest.mark.parametrize(
    ("current_a", "command_w", "level"),
    [(-0.1, 0, OK), (3.5, 0, WARN), (3.5, 200, UNKNOWN), (None, 0, UNKNOWN), ("x", 0, UNKNOWN)],
)
def test_the_shunt_at_rest(current_a: object, command_w: float, level: Level) -> None:
    state = RESTING | {
        "battery": {"current_a": current_a},
        "inverters": {"inverter": {"command_w": command_w}},
    }
    assert levels("shunt zero", heard=Heard(state=state)) == [level]


@pytest.mark.parametrize("state", [{}, {"battery": 5, "inverters": []}, {"chargers": {"a": 1}}])
def test_a_state_of_another_shape_says_nothing_of_the_shunt(state: dict[str, Any]) -> None:
    assert levels("shunt zero", heard=Heard(state=state)) == [UNKNOWN]


def test_what_answers_on_i2c() -> None:
    answers = {("s", 0x48): "", ("s", 0x49): "no device answers", ("s", 0x4A): Unseen("busy")}
    assert levels("i2c", sensors=answers) == [OK, BAD, UNKNOWN]


def test_the_clock() -> None:
    assert levels("clock", now_s=12.0, is_synchronised=False) == [BAD, WARN]
    assert levels("clock", is_synchronised=True) == [OK, OK]
    assert levels("clock", is_synchronised=Unseen("no timedatectl")) == [OK, UNKNOWN]


@pytest.mark.parametrize(
    ("folder", "levels_"),
    [
        (ROOM, [OK, OK]),
        (replace(ROOM, free_bytes=300_000_000), [OK, WARN]),
        (replace(ROOM, free_bytes=30_000_000), [OK, BAD]),
        (replace(ROOM, is_read_only=True), [BAD, OK]),
        (replace(ROOM, may_write=False), [BAD, OK]),
        (Unseen("not ours"), [UNKNOWN]),
    ],
)
def test_the_state_folder(folder: Folder | Unseen, levels_: list[Level]) -> None:
    assert levels("disk", folder=folder) == levels_


def test_a_state_folder_that_is_not_there_yet_is_made_not_taken_over() -> None:
    above = replace(ROOM, path="/var/lib", may_write=False)
    assert said("disk", folder=above, user="gridzero")[0].mend.endswith(
        "install -d -o gridzero /var/lib/gridzero"
    )


def test_instances() -> None:
    one, two = Process(1, "a"), Process(2, "b")
    assert levels("instances", others=()) == [OK]
    assert levels("instances", others=(one,)) == [OK]
    assert levels("instances", others=(one, two)) == [BAD]
    assert levels("instances", others=Unseen("no /proc")) == [UNKNOWN]


@pytest.mark.parametrize(
    ("heard", "holder", "level"),
    [
        (SPEAKING, None, OK),
        (Heard(status="online"), 5, BAD),
        (Heard(status="offline"), None, WARN),
        (Heard(), 5, WARN),
        (Heard(trouble="refused"), None, WARN),
        (Heard(trouble="refused"), 5, OK),
        (Heard(trouble="refused"), Unseen("?"), UNKNOWN),
    ],
)
def test_whether_gridzero_runs(heard: Heard, holder: int | Unseen | None, level: Level) -> None:
    assert levels("gridzero", heard=heard, lock_holder=holder) == [level]


@pytest.mark.parametrize(("word", "level"), [("online", OK), ("offline", WARN), (None, UNKNOWN)])
def test_home_assistant(word: str | None, level: Level) -> None:
    assert levels("home assistant", heard=Heard(home_assistant=word)) == [level]


def test_programs() -> None:
    assert levels("programs", python_can=None) == [BAD]
    assert levels("programs", python_can="4.3.1") == [WARN]
    assert levels("programs", python_can="4.6.1") == [OK]


def test_an_unused_watchdog_is_told_except_in_a_container() -> None:
    assert levels("watchdog") == [WARN]
    assert levels("watchdog", container="docker") == [UNKNOWN]
