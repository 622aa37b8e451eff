"""A whole house on real SocketCAN: ``gridzero run``, its devices in another process, a broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
import yaml
from free_ports import free_port
from linux_kernel import LOOK_S, answers, lay, remove, wait_for
from paho.mqtt.enums import CallbackAPIVersion

LOOPBACK = "127.0.0.1"
BATTERY_A, BATTERY_B, CHARGER = "bat-a", "bat-b", "psu"
CABLES = (BATTERY_A, BATTERY_B, CHARGER)
TAIL_BYTES = 2048
TWINS = Path(__file__).with_name("twins_beside.py")


def values_of(folder: Path, mqtt: dict[str, Any]) -> dict[str, Any]:
    """Two battery buses on which modules have the same numbers, a rectifier, an inverter."""
    return {
        "site": {"name": "Linux", "state_dir": "state", "log": {"format": "json"}},
        "mqtt": mqtt,
        "links": {
            "bus_a": {"type": "can", "channel": BATTERY_A},
            "bus_b": {"type": "can", "channel": BATTERY_B},
            "charger": {"type": "can", "channel": CHARGER},
            "inverter": {"type": "serial", "port": str(folder / "inverter-port")},
        },
        "devices": {
            "meter": {"driver": "mqtt_meter", "topic": "meterbox/grid"},
            "battery": {
                "driver": "vw_gte",
                "buses": {
                    "a": {"link": "bus_a", "modules": [1, 2]},
                    "b": {"link": "bus_b", "modules": [1, 2]},
                },
            },
            "rectifier": {"driver": "vertiv_r48", "link": "charger", "ramp_hold_s": 1.0},
            "inverter": {
                "driver": "soyosource",
                "link": "inverter",
                "max_w": 900,
                "system_v": 36,
            },
        },
    }


def configuration(folder: Path, port: int) -> Path:
    file = folder / "house.yaml"
    file.write_text(yaml.safe_dump(values_of(folder, {"host": LOOPBACK, "port": port})))
    return file


class Babbler:
    """A node gone mad, in a process of its own."""

    def __init__(self, channel: str, kind: str) -> None:
        program = [sys.executable, str(Path(__file__).with_name("babbler.py")), channel, kind]
        self._popen = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._popen.kill()
        self._popen.wait()
        if self._popen.stdout is not None:
            self._popen.stdout.close()

    def end(self) -> int:
        """How many frames it has sent."""
        self._popen.send_signal(signal.SIGINT)
        assert self._popen.stdout is not None
        return int(self._popen.stdout.read())


class Program:
    """A process of the house; what it says goes to files."""

    def __init__(self, folder: Path, name: str, *command: str) -> None:
        self._out, self.err_file = folder / f"{name}.out", folder / f"{name}.err"
        with self._out.open("w") as out, self.err_file.open("w") as err:
            self.popen = subprocess.Popen(
                [sys.executable, *command],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def newest(self) -> dict[str, Any]:
        """The last whole line of JSON on its standard output, {} before the first."""
        with self._out.open("rb") as out:
            out.seek(max(0, self._out.stat().st_size - TAIL_BYTES))
            lines = out.read().split(b"\n")[:-1]
        told = (line for line in reversed(lines) if line.startswith(b'{"at_s"'))
        return json.loads(next(told, b"{}"))  # type: ignore[no-any-return] # JSON of our own

    @property
    def err(self) -> str:
        return self.err_file.read_text()

    def cpu_s(self) -> float:
        """Processor time it has used."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.popen.kill()
        self.popen.communicate()


class Broker:
    """A real Mosquitto."""

    def __init__(self, folder: Path, port: int) -> None:
        file = folder / "mosquitto.conf"
        file.write_text(
            f"user root\nset_tcp_nodelay true\nlistener {port} {LOOPBACK}\nallow_anonymous true\n"
        )
        self._popen = subprocess.Popen(("mosquitto", "-c", str(file)), stderr=subprocess.DEVNULL)
        wait_for(lambda: answers(port), why="mosquitto (make mosquitto)")

    def close(self) -> None:
        self._popen.terminate()
        self._popen.wait(10.0)


class LinuxHouse:
    """What is to be seen of it from outside."""

    def __init__(self, folder: Path) -> None:
        for name in CABLES:
            lay(name, f"{name}-far")
        self.port = free_port()
        self._broker = Broker(folder, self.port)
        file = configuration(folder, self.port)
        self.states: list[tuple[float, dict[str, Any]]] = []
        self.twins = Program(folder, "twins", str(TWINS), str(file))
        self.site = Program(folder, "site", "-m", "gridzero.cli", "run", str(file), "--alone")
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        wait_for(self._connects, 60.0, "the broker")
        self._client.subscribe("gridzero/state")
        self._client.loop_start()

    def _connects(self) -> bool:
        with suppress(OSError):
            self._client.connect(LOOPBACK, self.port)
            return True
        return False

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        state = json.loads(message.payload)
        self.states.append((time.monotonic(), state))

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1][1] if self.states else {}

    def faults(self) -> set[tuple[str, str]]:
        """What stands besides the missing contactor: of this house."""
        stand = {(fault["code"], fault["subject"]) for fault in self.state.get("faults", ())}
        return stand - {("charger_no_contactor", "rectifier")}

    def raised(self) -> int:
        """How many faults were raised since the start."""
        return self.site.err.count(".raised")

    def has(self, code: str) -> bool:
        return any(code == each for each, _ in self.faults())

    def load(self, power_w: float) -> None:
        assert self.twins.popen.stdin is not None
        self.twins.popen.stdin.write(f"{power_w}\n".encode())
        self.twins.popen.stdin.flush()

    def truth(self) -> dict[str, float]:
        return self.twins.newest()

    def is_held(self) -> bool:
        """Whether the grid stands near zero and the battery works for it."""
        truth = self.truth()
        return bool(truth) and abs(truth["grid_w"]) < 40.0 and abs(truth["battery_w"]) > 100.0

    def until_held(self, limit_s: float) -> float:
        """Seconds until the grid is held; what it says of itself when it never is."""
        return until_held(self, limit_s)

    def commands(self) -> bool:
        """Whether it asks for power again."""
        return abs(self.state.get("setpoint_w", 0.0)) > 50.0

    def believes_its_cells(self) -> bool:
        battery = self.state.get("battery") or {}
        return not self.has("cell_implausible") and battery.get("healthy") == battery.get("modules")

    def stopped_s(self, since_s: float, limit_s: float = 15.0) -> float:
        """Seconds from since_s (monotonic) until zero stood on the inverter's wire, and stays."""
        wait_for(lambda: self.truth().get("demand_w") == 0, limit_s, "zero for the inverter")
        return self.truth()["demand_s"] - since_s

    def is_idle(self) -> bool:
        truth = self.truth()
        return bool(truth) and abs(truth["battery_w"]) < 20.0

    def close(self) -> int:
        """Its exit code after SIGTERM."""
        self.site.popen.send_signal(signal.SIGTERM)
        try:
            return self.site.popen.wait(30.0)
        finally:
            self._client.loop_stop()
            self._client.disconnect()
            self.site.close()
            self.twins.close()
            self._broker.close()
            for name in CABLES:
                remove(name)


def until_held(house: Any, limit_s: float) -> float:
    """Seconds until a house holds its grid; fails with what it says of itself when it never does."""
    began_s = time.monotonic()
    while not house.is_held():
        late = time.monotonic() - began_s >= limit_s
        assert not late, f"not held: {house.truth()} {house.faults()} {house.state}"
        time.sleep(LOOK_S)
    return time.monotonic() - began_s
