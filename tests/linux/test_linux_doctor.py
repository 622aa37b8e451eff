"""``gridzero doctor`` on the kernel's own interfaces; docs/doctor.md shows what it says here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from free_ports import free_port
from linux_kernel import Adapter, answers, sh, wait_for

from gridzero.runtime.exit_codes import ExitCode

pytestmark = pytest.mark.real_time

CLI = (sys.executable, "-m", "gridzero.cli")
HOUSE = """
site: {{name: Guest, state_dir: {state}}}
mqtt: {{host: 127.0.0.1, port: {broker}}}
links:
  battery: {{type: can, channel: canbms1, bitrate: 500000}}
  charger: {{type: can, channel: {charger}, bitrate: 125000}}
  inverter: {{type: serial, port: {port}}}
devices:
  meter: {{driver: mqtt_meter, topic: meterbox/grid}}
  battery: {{driver: vw_gte, buses: {{a: {{link: battery, modules: [3]}}}}}}
  rectifier: {{driver: vertiv_r48, link: charger}}
  inverter: {{driver: soyosource, link: inverter}}
"""


@dataclass
class Machine:
    """Two serial CAN adapters with traffic, a port, a broker."""

    folder: Path
    battery: Adapter
    charger: Adapter
    port: str
    broker: int

    def write(self, name: str = "house.yaml", **changed: str) -> str:
        values = {"state": str(self.folder / "state"), "charger": "canpsu", "port": self.port}
        text = HOUSE.format(broker=self.broker, **(values | changed))
        (self.folder / name).write_text(text)
        return name

    def doctor(self, title: str, name: str = "house.yaml") -> dict[tuple[str, str], str]:
        """Level and text by row and subject; GRIDZERO_SHOW=1 prints it in words, too."""
        command = (*CLI, "doctor", name)
        if os.environ.get("GRIDZERO_SHOW"):
            words = self._run(*command)
            print(f"== {title}\n$ gridzero doctor {name}\n{words.stdout}exit {words.returncode}\n")
        told = self._run(*command, "--json")
        assert told.stderr == ""
        rows = json.loads(told.stdout)["findings"]
        return {(r["row"], r["subject"]): f"{r['level']} {r['text']} -> {r['mend']}" for r in rows}

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)


@contextmanager
def running(folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("w") as log:
        popen = subprocess.Popen(
            (*CLI, "run", name, "--alone"), cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield popen
    finally:
        popen.terminate()
        popen.wait(40)


@contextmanager
def broker(folder: Path, port: int, *, anonymous: bool = True) -> Iterator[None]:
    file = folder / "mosquitto.conf"
    allows = "true" if anonymous else "false"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous {allows}\n")
    popen = subprocess.Popen(("mosquitto", "-c", str(file)), stderr=subprocess.DEVNULL)
    wait_for(lambda: answers(port))
    try:
        yield
    finally:
        popen.terminate()
        popen.wait(10)


def named(name: str, bitrate: int) -> Adapter:
    adapter = Adapter(bitrate, name=name)
    sh(f"ip link set {name} txqueuelen 64")
    return adapter


@contextmanager
def traffic(machine: Machine) -> Iterator[None]:
    """Something is heard on both buses, as from modules and a rectifier."""
    enough = threading.Event()

    def speak() -> None:
        while not enough.wait(0.05):
            machine.battery.say(b"t1BA80000000000000000")
            machine.charger.say(b"T0707F80380200000000000000")

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    far, near = os.openpty()
    port = os.ttyname(near)
    os.close(near)
    made = Machine(tmp_path, named("canbms1", 500_000), named("canpsu", 125_000), port, free_port())
    made.write()
    yield made
    made.battery.close()
    made.charger.close()
    os.close(far)


def test_a_healthy_machine_and_a_second_gridzero(machine: Machine) -> None:
    house = machine.folder
    with broker(house, machine.broker), traffic(machine), running(house, "house.yaml"):
        wait_for((house / "state" / "lock").exists)
        time.sleep(4.0)
        found = machine.doctor("gridzero runs, both buses speak")
        for row in ("can up", "can state", "can bit rate", "can counters", "can crystal"):
            for name in ("canbms1", "canpsu"):
                assert found[row, name].startswith("ok"), found
        assert found["gridzero", ""].startswith("ok")
        assert found["instances", ""].startswith("ok one runs")
        assert "cannot restart it" in found["can restart", "canpsu"]
        assert not [text for text in found.values() if text.startswith("bad")]
        machine.write("second.yaml", state=str(house / "other"))
        with running(house, "second.yaml") as second:
            assert second.wait(120) == ExitCode.HELD, "the same buses"
        assert "Traceback" not in (house / "second.yaml.log").read_text()


def test_what_the_doctor_says_to_type_mends_it(machine: Machine) -> None:
    sh("ip link set canpsu down")
    sh("ip link set canpsu type can bitrate 500000")
    sh("ip link set canpsu up")
    sh("ip link set canbms1 down")
    with broker(machine.folder, machine.broker), traffic(machine):
        found = machine.doctor("a wrong bit rate, and an interface that is down")
        mends = [found["can bit rate", "canpsu"], found["can up", "canbms1"]]
        assert "runs at 500000 bit/s, the file wants 125000" in mends[0]
        assert "is down" in mends[1]
        for mend in mends:
            for command in mend.partition("-> sudo ")[2].split("; sudo "):
                sh(command)
        found = machine.doctor("after the two commands that it names")
        assert found["can bit rate", "canpsu"].startswith("ok")
        assert found["can up", "canbms1"].startswith("ok")


def test_names_that_are_not_there_and_controllers_in_trouble(machine: Machine) -> None:
    """Two at once: most of a doctor's time is listening."""
    machine.write("wrong.yaml", charger="canpsu9", port="/dev/ttyNONE")
    machine.battery.say(b"sp130000")
    machine.charger.say(b"sb255000")
    wait_for(lambda: "BUS-OFF" in sh("ip -details link show canpsu"))
    with broker(machine.folder, machine.broker), ThreadPoolExecutor() as both:
        asked = (
            both.submit(machine.doctor, "a channel and a port that are not there", "wrong.yaml"),
            both.submit(machine.doctor, "an error-passive controller, and one that is bus-off"),
        )
        wrong, found = (each.result() for each in asked)
    assert "Did you mean 'canpsu'" in wrong["can interface", "canpsu9"]
    assert wrong["device", "/dev/ttyNONE"].startswith("bad is not there")
    assert "error-passive" in found["can state", "canbms1"]
    assert "bus-off" in found["can state", "canpsu"]
    assert "restart-ms" not in found["can state", "canpsu"]
    assert "not one frame is understood" in found["can crystal", "canpsu"]
    assert "crystal of 0" not in str(found)


def test_a_bad_morning(machine: Machine) -> None:
    full = machine.folder / "full"
    full.mkdir()
    sh(f"mount -t tmpfs -o size=2m tmpfs {full}")
    machine.write("morning.yaml", state=str(full))
    taken = os.open(machine.port, os.O_RDWR | os.O_NOCTTY)
    now_s = time.time()
    with broker(machine.folder, machine.broker, anonymous=False):
        sh("date -s @86400")
        try:
            found = machine.doctor("clock 1970, disk full, port taken, no account", "morning.yaml")
        finally:
            sh(f"date -s @{now_s:.0f}")
            os.close(taken)
            sh(f"umount {full}")
    assert found["clock", "time"].startswith("bad the clock stands before 2024")
    assert found["disk", "free space"].startswith("bad")
    assert "another program holds it" in found["device free", machine.port]
    assert "ot authorized" in str([found[key] for key in found if key[0] == "broker"])
