"""Machines made of files: what /sys, /proc, /dev and /boot of a Raspberry Pi look like."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gridzero.config.loader import load
from gridzero.doctor.command import house_of
from gridzero.doctor.evidence import Evidence, Folder, Heard, House, Unseen
from gridzero.doctor.gather import later, machine_of
from gridzero.doctor.person import Person
from gridzero.doctor.root import Root
from gridzero.plugins import find_plugins

CONFIGS = Path(__file__).parents[3] / "configs"
ADAPTER = "usb-FTDI_FT232R_USB_UART-if00-port0"
NOON_S = 1_790_000_000.0
MHZ = 1_000_000
BOOT = """\
# For more options and information see the documentation of config.txt
dtparam=i2c_arm=on
dtparam=spi=on
dtparam=watchdog=on

[all]
dtoverlay=mcp2515,spi0-0,oscillator=16000000,interrupt=25
dtoverlay=mcp2515,spi0-1,oscillator=16000000,interrupt=24
dtoverlay=spi1-1cs,cs0_pin=18,cs0_spidev=disabled
dtoverlay=mcp2515,spi1-0,oscillator=16000000,interrupt=22
"""
RESTING: dict[str, Any] = {
    "battery": {"current_a": -0.12},
    "chargers": {"rectifier": {"command_w": 0}},
    "inverters": {"inverter": {"command_w": 0}},
}


def house(name: str = "reference-house.yaml", folder: Path = CONFIGS) -> House:
    found = find_plugins()
    file = folder / name
    return replace(house_of(file, load(file, found.plugins), found), file=name)


class Machine:
    """A tree of files below a folder, and what ``ip`` and ``timedatectl`` would print."""

    def __init__(self, folder: Path) -> None:
        self.root = Root(folder)
        self.links: list[dict[str, Any]] = []
        self.printed: dict[str, str | Unseen] = {"timedatectl": "yes\n"}
        self.file("/proc/cmdline", "console=tty1 root=PARTUUID=1 rootwait\n")
        self.file("/proc/locks", "")
        self.folder("/sys/class/net")

    def file(self, path: str, text: str | bytes) -> Path:
        here = self.root.at(path)
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_bytes(text.encode() if isinstance(text, str) else text)
        return here

    def folder(self, path: str) -> None:
        self.root.at(path).mkdir(parents=True, exist_ok=True)

    def link(self, path: str, target: str) -> None:
        here = self.root.at(path)
        here.parent.mkdir(parents=True, exist_ok=True)
        here.symlink_to(target)

    def process(self, pid: int, *words: str, opened: Sequence[str] = ()) -> None:
        self.file(f"/proc/{pid}/cmdline", "\0".join(words) + "\0")
        for number, path in enumerate(("/dev/null", *opened)):
            self.link(f"/proc/{pid}/fd/{number}", path)

    def end(self, pid: int) -> None:
        shutil.rmtree(self.root.at(f"/proc/{pid}"))

    def adapter(self) -> None:
        self.file("/dev/ttyUSB0", "")
        self.link(f"/dev/serial/by-id/{ADAPTER}", "../../ttyUSB0")

    def count(self, name: str, **counters: int) -> None:
        for what, value in counters.items():
            self.file(f"/sys/class/net/{name}/statistics/{what}", f"{value}\n")

    def can(
        self, name: str, bitrate: int, *, up: bool = True, queue: int = 64, **data: Any
    ) -> None:
        net = f"/sys/class/net/{name}"
        self.file(f"{net}/type", "280\n")
        self.file(f"{net}/flags", "0x40081\n" if up else "0x40080\n")
        self.file(f"{net}/tx_queue_len", f"{queue}\n")
        self.count(name, rx_packets=1000, tx_packets=900, rx_errors=0, tx_errors=0)
        told = {
            "state": "ERROR-ACTIVE",
            "berr_counter": {"tx": 0, "rx": 0},
            "restart_ms": 100,
            "bittiming": {"bitrate": bitrate, "sample_point": "0.875"},
            "clock": 8 * MHZ,
        }
        info = {"info_kind": "can", "info_data": told | data, "info_xstats": {"bus_off": 0}}
        self.links.append({"ifname": name, "flags": ["NOARP"], "linkinfo": info})

    def ethernet(self, name: str) -> None:
        self.file(f"/sys/class/net/{name}/type", "1\n")
        self.links.append({"ifname": name})

    def run(self, command: Sequence[str]) -> str | Unseen:
        return self.printed.get(command[0], json.dumps(self.links))

    def seen(self, wanted: House | None, **more: Any) -> Evidence:
        """As the doctor reads it; what does not come from files is given."""
        me = Person("pi", 0)
        given: dict[str, Any] = {"now_s": NOON_S, "container": None, "python_can": "4.6.1"}
        return replace(machine_of(wanted, self.root, self.run, me), **(given | more))

    def looked_at_again(self, seen: Evidence) -> Evidence:
        return replace(seen, interfaces=later(seen, self.root))


def pi(folder: Path) -> Machine:
    """The reference house's machine with everything in its place, and gridzero at work."""
    machine = Machine(folder)
    machine.file("/boot/firmware/config.txt", BOOT)
    machine.ethernet("eth0")
    for name, rate in (("canbms1", 500_000), ("canbms2", 500_000), ("canpsu", 125_000)):
        machine.can(name, rate)
    machine.adapter()
    for path in ("/dev/i2c-1", "/dev/watchdog"):
        machine.file(path, "")
    lock = machine.file("/var/lib/gridzero/lock", "")
    machine.file("/proc/locks", f"1: FLOCK  ADVISORY  WRITE 400 b3:02:{lock.stat().st_ino} 0 EOF\n")
    machine.process(
        400,
        "/opt/gridzero/bin/python",
        "/opt/gridzero/bin/gridzero",
        "run",
        "house.yaml",
        opened=("/dev/ttyUSB0", "/dev/i2c-1"),
    )
    return machine


ROOM = Folder(
    wanted="/var/lib/gridzero", path="/var/lib/gridzero", free_bytes=21_000_000_000, may_write=True
)
SPEAKING = Heard(status="online", state=RESTING, home_assistant="online")
