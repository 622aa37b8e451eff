"""docker/move-can.sh: an adapter with a bit rate goes into the network of a container, and comes back.

A container is here what makes it one for a network: a namespace of its own, with gridzero in it.
``docker`` is a stand-in that knows its process id.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from free_ports import free_port
from linux_kernel import LOOK_S, Adapter, adapter, measured, wait_for

pytestmark = pytest.mark.real_time

SCRIPT = Path(__file__).parents[2] / "docker" / "move-can.sh"
FAKE_DOCKER = """#!/bin/sh
[ "$*" = "inspect --format {{{{.State.Pid}}}} inside" ] || {{ echo "no such container" >&2; exit 1; }}
cat {pid}
"""
POLLED = 3


class Container:
    """gridzero in a network of its own; each start has a new one."""

    def __init__(self, folder: Path, channel: str) -> None:
        self.folder = folder
        self._popen: subprocess.Popen[bytes] | None = None
        self._pid = folder / "pid"
        self._pid.write_text("0\n")
        programs = folder / "bin"
        programs.mkdir()
        docker = programs / "docker"
        docker.write_text(FAKE_DOCKER.format(pid=self._pid))
        docker.chmod(0o755)
        self.environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        (folder / "house.yaml").write_text(yaml.safe_dump(house(channel)))

    def start(self) -> None:
        self._log = self.folder / "log"
        command = f"ip link set lo up; exec {sys.executable} -m gridzero.cli run --alone house.yaml"
        with self._log.open("wb") as log:
            self._popen = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", command], cwd=self.folder, stdout=log, stderr=log
            )
        wait_for(lambda: self._net() != Path("/proc/self/ns/net").readlink())
        self._pid.write_text(f"{self._popen.pid}\n")

    def _net(self) -> Path:
        assert self._popen is not None
        return Path(f"/proc/{self._popen.pid}/ns/net").readlink()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def kill(self) -> None:
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            self._pid.write_text("0\n")

    def move(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=20.0,
        )


def house(channel: str) -> dict[str, object]:
    return {
        "site": {"name": "Inside", "state_dir": "state", "log": {"format": "json"}},
        "mqtt": {"embedded": {"port": free_port()}},
        "links": {
            "bus": {"type": "can", "channel": channel},
            "inverter": {"type": "serial", "port": "/dev/none"},
        },
        "devices": {
            "meter": {"driver": "mqtt_meter", "topic": "meterbox/grid"},
            "battery": {"driver": "vw_gte", "buses": {"a": {"link": "bus", "modules": [1]}}},
            "inverter": {"driver": "soyosource", "link": "inverter"},
        },
    }


@pytest.fixture
def plugged() -> Iterator[Adapter]:
    with adapter() as one:
        yield one


@pytest.fixture
def container(tmp_path: Path, plugged: Adapter) -> Iterator[Container]:
    one = Container(tmp_path, plugged.name)
    yield one
    one.kill()


def is_here(name: str) -> bool:
    return Path(f"/sys/class/net/{name}").exists()


def until_polled(plugged: Adapter) -> float:
    """Seconds until the modules are asked on the wire."""
    before = len(plugged.sent)
    return wait_for(lambda: len(plugged.sent) >= before + POLLED, 60.0, "frames on the wire")


def test_it_is_moved_works_there_and_falls_back(plugged: Adapter, container: Container) -> None:
    bus = f"{plugged.name}:250000"
    for _ in range(2):
        container.start()
        wait_for(lambda: "link_down.raised" in container.log, 20.0, "it waits for its interface")
        assert "Traceback" not in container.log
        moved = container.move("inside", "missing0:500000", bus)
        assert moved.stdout.splitlines()[0].startswith("missing0: not moved: Cannot find device")
        assert moved.stdout.splitlines()[1] == f"{plugged.name}: 250000 bit/s in inside"
        assert moved.returncode == 1
        assert not is_here(plugged.name)
        worked_s = until_polled(plugged)
        measured(
            "interface moved into the network of a container: the bus is asked", None, worked_s
        )
        assert worked_s < 10.0
        container.kill()
        wait_for(lambda: is_here(plugged.name), 20.0, "it falls back to the host")


def test_with_stay_no_person_is_needed(plugged: Adapter, container: Container) -> None:
    with subprocess.Popen(
        [str(SCRIPT), "--stay", "inside", f"{plugged.name}:500000"],
        env=container.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as stay:
        try:
            for _ in range(2):
                container.start()
                until_polled(plugged)
                container.kill()
            container.start()
            measured(
                "container started again beside move-can.sh --stay: the bus is asked",
                None,
                until_polled(plugged),
            )
            time.sleep(2 * 2.0 + LOOK_S)  # it looks every 2 s: what is up is left alone
        finally:
            stay.terminate()
        assert stay.stdout is not None
        lines = stay.stdout.read().splitlines()
    told = f"{plugged.name}: 500000 bit/s in inside"
    assert lines.count(told) == 3, lines
    others = {line for line in lines if "No such process" not in line}  # it was killed meanwhile
    assert others <= {told, "inside does not run"}, lines


def test_what_it_cannot_do_it_says(container: Container, plugged: Adapter) -> None:
    bus = f"{plugged.name}:500000"
    assert container.move("inside", bus).stdout == "inside does not run\n"
    assert container.move("other", bus).stdout == "no such container\n"
    for wrong in ((), ("inside",), ("inside", plugged.name), ("inside", f"{plugged.name}:fast")):
        assert container.move(*wrong).returncode == 2
    (container.folder / "pid").write_text(f"{os.getpid()}\n")
    refused = container.move("inside", bus)
    assert (refused.returncode, is_here(plugged.name)) == (1, True)
    assert "has the network of the host" in refused.stdout
