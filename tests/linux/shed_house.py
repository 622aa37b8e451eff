"""A house as it stands in a shed: broker, wires, devices and gridzero come and go on their own."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import yaml
from free_ports import free_port
from linux_house import CABLES, LOOPBACK, TWINS, Program, until_held, values_of
from linux_kernel import lay, remove
from paho.mqtt.enums import CallbackAPIVersion

MOSQUITTO = "/usr/sbin/mosquitto"
BROKER = """\
user root
set_tcp_nodelay true
allow_anonymous true
listener {port} 127.0.0.1
"""


class Shed:
    """Everything in it is off at first."""

    def __init__(self, folder: Path, **reached: Any) -> None:
        """reached: how gridzero reaches the broker, where that is not plain as for all others."""
        self.folder, self.port = folder, free_port()
        reached = {"host": LOOPBACK, "port": self.port, **reached}
        self.file = folder / "house.yaml"
        self.file.write_text(yaml.safe_dump(values_of(folder, reached)))
        self.broker_lines = BROKER.format(port=self.port)
        self.states: list[tuple[float, dict[str, Any]]] = []
        self.said: list[tuple[float, str, bytes]] = []
        self._broker: subprocess.Popen[bytes] | None = None
        self.twins: Program | None = None
        self.site: Program | None = None
        self.lives = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe("#")
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async(LOOPBACK, self.port, keepalive=5)
        self._client.loop_start()

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        now_s = time.monotonic()
        self.said.append((now_s, message.topic, message.payload))
        if message.topic == "gridzero/state":
            self.states.append((now_s, json.loads(message.payload)))

    def broker_on(self) -> None:
        file = self.folder / "mosquitto.conf"
        file.write_text(self.broker_lines)
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._broker = subprocess.Popen([MOSQUITTO, "-c", str(file)], stdout=log, stderr=log)

    def broker_off(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._broker is not None:
            self._broker.send_signal(number)
            self._broker.wait()
            self._broker = None

    @property
    def broker_pid(self) -> int:
        assert self._broker is not None
        return self._broker.pid

    def wires_on(self) -> None:
        for name in CABLES:
            lay(name, f"{name}-far")

    def wires_off(self) -> None:
        for name in CABLES:
            remove(name)

    def devices_on(self) -> None:
        """Meter, modules, rectifier, inverter with its adapter."""
        self.twins = Program(self.folder, "twins", str(TWINS), str(self.file), str(self.port))

    def devices_off(self) -> None:
        if self.twins is not None:
            self.twins.close()
            self.twins = None
            (self.folder / "inverter-port").unlink(missing_ok=True)

    def gridzero_on(self, *options: str) -> None:
        if self.site is not None:
            self.site.close()
        self.lives += 1
        name = f"site-{self.lives}"
        command = ("-m", "gridzero.cli", "run", str(self.file), *options)
        self.site = Program(self.folder, name, *command)

    def gridzero_off(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        assert self.site is not None
        self.site.popen.send_signal(number)
        code = self.site.popen.wait(40.0)
        self.site.close()
        return code

    def errs(self) -> list[str]:
        """What gridzero said, each of its lives."""
        names = (f"site-{life}.err" for life in range(1, self.lives + 1))
        return [(self.folder / name).read_text() for name in names]

    def site_err(self) -> str:
        """Of this life."""
        return self.errs()[-1]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1][1] if self.states else {}

    def faults(self) -> set[tuple[str, str]]:
        stand = {(fault["code"], fault["subject"]) for fault in self.state.get("faults", ())}
        return stand - {("charger_no_contactor", "rectifier")}

    def load(self, power_w: float) -> None:
        assert self.twins is not None
        assert self.twins.popen.stdin is not None
        self.twins.popen.stdin.write(f"{power_w}\n".encode())
        self.twins.popen.stdin.flush()

    def truth(self) -> dict[str, float]:
        return self.twins.newest() if self.twins is not None else {}

    def is_held(self) -> bool:
        truth = self.truth()
        fresh = bool(truth) and time.monotonic() - truth["at_s"] < 1.0
        return fresh and abs(truth["grid_w"]) < 40.0 and abs(truth["battery_w"]) > 100.0

    def is_idle(self) -> bool:
        truth = self.truth()
        return bool(truth) and abs(truth["battery_w"]) < 20.0

    def until_held(self, limit_s: float) -> float:
        return until_held(self, limit_s)

    def close(self) -> None:
        if self.site is not None:
            self.site.close()
        self.devices_off()
        self.broker_off()
        self.wires_off()
        self._client.loop_stop()
        self._client.disconnect()
