"""docs/doctor.md shows what the doctor says of one healthy machine and three broken ones."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from machines import ADAPTER, BOOT, MHZ, ROOM, SPEAKING, house, pi

from gridzero.doctor.command import as_text, exit_code
from gridzero.doctor.evidence import Evidence, Heard, House
from gridzero.doctor.rows import examine

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"


def guarded() -> House:
    """The reference house with the Pi's watchdog in use."""
    wanted = house()
    watched = wanted.config.watchdog.model_copy(update={"hardware": "/dev/watchdog"})
    return replace(wanted, config=wanted.config.model_copy(update={"watchdog": watched}))


def healthy(folder: Path) -> Evidence:
    machine = pi(folder)
    seen = machine.seen(guarded(), folder=ROOM, heard=SPEAKING)
    for name in ("canbms1", "canbms2", "canpsu"):
        machine.count(name, rx_packets=1060)
    return machine.looked_at_again(seen)


def wrong_crystal(folder: Path) -> Evidence:
    """An 8 MHz board under a 16 MHz overlay, a rectifier's bus at the battery's rate."""
    machine = pi(folder)
    machine.can("canbms2", 500_000, state="ERROR-PASSIVE")
    machine.can("canpsu", 500_000, restart_ms=0, queue=10)
    machine.file("/boot/firmware/config.txt", BOOT.replace("interrupt=24", "interrupt=25"))
    seen = machine.seen(guarded(), folder=ROOM, heard=SPEAKING)
    machine.count("canbms1", rx_packets=1060)
    machine.count("canbms2", rx_errors=4711)
    machine.count("canpsu", rx_packets=1002)
    return machine.looked_at_again(seen)


def unnamed(folder: Path) -> Evidence:
    """The kernel's own names, and another program on the adapter."""
    machine = pi(folder)
    for name in ("canbms1", "canbms2"):
        machine.root.at(f"/sys/class/net/{name}").rename(
            machine.root.at(f"/sys/class/net/{name.replace('canbms', 'can')}")
        )
    machine.file("/proc/locks", "")
    machine.end(400)
    machine.process(812, "/usr/sbin/ModemManager", opened=("/dev/ttyUSB0",))
    machine.can("canpsu", 125_000, up=False, state="STOPPED")
    return machine.looked_at_again(machine.seen(guarded(), folder=ROOM, heard=Heard()))


def bad_morning(folder: Path) -> Evidence:
    """After a power cut: no clock, no room, no broker, and two of them."""
    machine = pi(folder)
    machine.printed["timedatectl"] = "no\n"
    machine.process(977, "gridzero", "run", "house.yaml")
    heard = Heard(
        trouble="no connection to the broker: [Errno 111] Connection refused",
        remedy="Check that the broker runs there, and host, port and network",
    )
    room = replace(ROOM, free_bytes=31 * MHZ)
    return machine.looked_at_again(machine.seen(guarded(), folder=room, heard=heard, now_s=12.0))


SHOWN: dict[str, Callable[[Path], Evidence]] = {
    "healthy": healthy,
    "wrong crystal": wrong_crystal,
    "unnamed": unnamed,
    "bad morning": bad_morning,
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_shows_what_the_doctor_says(name: str, tmp_path: Path) -> None:
    evidence = SHOWN[name](tmp_path)
    said = as_text(examine(evidence), all_rows=name == "healthy")
    block = re.compile(rf"(<!-- {name} -->\n```\n)(.*?)(```\n)", re.DOTALL)
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        PAGE.write_text(block.sub(lambda m: m[1] + said + m[3], PAGE.read_text()))
    shown = block.search(PAGE.read_text())
    assert shown is not None
    assert shown[2] == said


def test_only_the_healthy_machine_has_no_findings(tmp_path: Path) -> None:
    codes = {name: exit_code(examine(see(tmp_path / name))) for name, see in SHOWN.items()}
    assert codes == {"healthy": 0, "wrong crystal": 1, "unnamed": 1, "bad morning": 1}


def test_the_adapter_of_the_page_is_that_of_the_reference_house() -> None:
    assert ADAPTER in house().config.links["inverter"].model_dump()["port"]
