"""docker/compose.yaml by podman-compose: up, the first set-point, the health checks, down.

``make compose-test`` calls it after ``make image``. Everything runs in a network of its own that
has nothing but loopback. Other than in a house: CAN is virtual, RS485 is a pseudo-terminal, and
Mosquitto is Debian's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt
from engine import CACHE, ROOT, must, podman, rs485, why_not

from gridzero.links.tasks import cancel_all

COMPOSE = ROOT / ".cache" / "compose" / "bin" / "podman-compose"
BROKER = "localhost/eclipse-mosquitto:2"
OVERRIDE = Path(__file__).parent / "compose" / "override.yaml"
PASSWORD = "only for this test"
PATIENCE_S = 60.0
GOAL_S = 5.0
INSIDE = "GRIDZERO_COMPOSE_INSIDE"
HOUSE = """
devices:
  meter: {driver: mqtt_meter, topic: meterbox/grid}
  battery: {driver: vw_gte, buses: {a: {link: bus, modules: [1]}}}
  inverter: {driver: soyosource, link: inverter}
"""


class Project:
    """A copy of docker/ with a house in it, as docs/docker.md tells people to make it."""

    def __init__(self, folder: Path, lock: str, port: str) -> None:
        self.folder = folder / "docker"
        self._lock = lock
        self.services = ["mosquitto", "gridzero", "companion"]
        if lock == "full":
            self.services.append("dashboard")
        shutil.copytree(ROOT / "docker", self.folder)
        folder.chmod(0o755)
        (self.folder / "house").mkdir()
        (self.folder / "house" / "house.yaml").write_text(house())
        (self.folder / ".env").write_text(environment(lock, port))
        (folder / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
            '[engine]\nruntime = "runc"\n'
        )
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver = "{os.environ.get("STORAGE", "overlay")}"\n'
            f'graphroot = "{CACHE}/root"\nrunroot = "{CACHE}/run"\n'
        )
        self._environ = {
            **os.environ,
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        }

    def compose(self, *arguments: str) -> str:
        files = ("-f", "compose.yaml", "-f", str(OVERRIDE))
        done = subprocess.run(
            [str(COMPOSE), "--in-pod", "false", *files, *arguments],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr)[-4000:]
            sys.exit(f"podman-compose {' '.join(arguments)} ended with {done.returncode}:\n{said}")
        return done.stdout

    def passwords(self) -> None:
        for number, user in enumerate(("gridzero", "faces", "meter", "reader")):
            first = ("-c",) if number == 0 else ()
            file = "/mosquitto/data/passwords"
            words = ("mosquitto_passwd", *first, "-b", file, user, PASSWORD)
            self.compose("run", "--rm", "--no-deps", "-T", "mosquitto", *words)


def house() -> str:
    """The lines of docs/docker.md, with CAN in memory."""
    page = (ROOT / "docs" / "docker.md").read_text()
    lines = re.search(r"<!-- house -->\n```yaml\n(.*?)```", page, re.DOTALL)
    assert lines is not None, "docs/docker.md has no house"
    bus = "  bus: {type: can, interface: virtual, channel: image}\n"
    text = lines[1].replace("links:\n", f"links:\n{bus}")
    return text.replace("site: {", "site: {name: Compose, ") + HOUSE


def environment(lock: str, port: str) -> str:
    filled = {
        "GRIDZERO_PASSWORD": PASSWORD,
        "FACES_PASSWORD": PASSWORD,
        "DASHBOARD_PASSWORD": PASSWORD,
        "RS485": port,
        "LOCK": lock,
    }
    lines = (ROOT / "docker" / "example.env").read_text().splitlines()
    names = [line.split("=")[0] for line in lines]
    told = [
        f"{name}={filled[name]}" if name in filled else line
        for name, line in zip(names, lines, strict=True)
    ]
    return "\n".join([*told, f"TAG={lock}"]) + "\n"


def make_broker() -> None:
    if podman("image", "exists", BROKER).returncode == 0:
        return
    folder = CACHE.parent / "mosquitto"
    native = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
    with (CACHE.parent / "mosquitto.log").open("w") as log:
        for command in (
            [str(ROOT / "docker" / "base.sh"), str(folder), native, "mosquitto"],
            ["tar", "-C", str(folder / "root"), "-cf", str(folder / "root.tar"), "."],
        ):
            subprocess.run(command, check=True, stdout=log, stderr=log)
    must("import", str(folder / "root.tar"), "localhost/mosquitto-base:test")
    must("build", "--isolation", "chroot", "-t", BROKER, str(OVERRIDE.parent))
    shutil.rmtree(folder)


@asynccontextmanager
async def meter() -> AsyncIterator[None]:
    """A meter that tries to reach the broker from before it is there."""

    async def measure() -> None:
        while True:
            with suppress(aiomqtt.MqttError):
                async with client("meter") as broker:
                    while True:
                        await broker.publish("meterbox/grid", "500")
                        await asyncio.sleep(0.5)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(measure())
    try:
        yield
    finally:
        await cancel_all([task])


def client(user: str) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", 1883, username=user, password=PASSWORD)


async def decided() -> float:
    """When a decision with a known meter was told, CLOCK_MONOTONIC."""
    while True:
        with suppress(aiomqtt.MqttError):
            async with client("reader") as broker:
                await broker.subscribe("gridzero/state")
                async for message in broker.messages:
                    state = json.loads(bytes(message.payload))
                    if None not in (state["grid_w"], state["setpoint_w"]):
                        return time.monotonic()
        await asyncio.sleep(0.05)


def command(ours: int) -> float:
    """When the first bytes reached the inverter, CLOCK_MONOTONIC."""
    readable, _, _ = select.select([ours], [], [], PATIENCE_S)
    if not readable:
        raise TimeoutError
    return time.monotonic()


async def up(project: Project, ours: int) -> dict[str, float]:
    """Seconds from `up` to the first command on the wire, and to one with the meter known."""
    began_s = time.monotonic()
    async with asyncio.timeout(PATIENCE_S), meter():
        starting = asyncio.to_thread(
            project.compose, "up", "--detach", "--no-build", *project.services
        )
        wire = asyncio.to_thread(command, ours)
        _, command_s, decided_s = await asyncio.gather(starting, wire, decided())
    return {
        "command_s": round(command_s - began_s, 2),
        "with_meter_s": round(decided_s - began_s, 2),
    }


def health(name: str) -> int:
    """What the health check of a service comes to, as compose.yaml or the image has it."""
    asked = {
        "gridzero": ("healthcheck",),
        "companion": ("healthcheck", "--config", "/etc/gridzero/house.yaml"),
        "dashboard": ("healthcheck", "--page", "127.0.0.1:8080"),
    }[name]
    until_s = time.monotonic() + PATIENCE_S
    while podman("exec", f"gridzero_{name}_1", "gridzero", *asked).returncode:
        if time.monotonic() > until_s:
            print(podman("logs", f"gridzero_{name}_1").stderr[-3000:])
            return 1
        time.sleep(0.5)
    return 0


def look(lock: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="gridzero-compose-") as folder, rs485() as (ours, port):
        project = Project(Path(folder), lock, port)
        project.compose("down", "--volumes")
        try:
            project.passwords()
            try:
                facts: dict[str, Any] = dict(asyncio.run(up(project, ours)))
            except TimeoutError:
                sys.exit(
                    f"no set-point in {PATIENCE_S:g} s:\n{project.compose('logs', *project.services)[-3000:]}"
                )
            parts = [name for name in project.services if name != "mosquitto"]
            facts["unhealthy"] = [name for name in parts if health(name)]
            began_s = time.monotonic()
            project.compose("stop")
            facts["stop_s"] = round(time.monotonic() - began_s, 1)
            facts["exits"] = {
                name: int(must("inspect", "--format", "{{.State.ExitCode}}", f"gridzero_{name}_1"))
                for name in project.services
            }
        finally:
            project.compose("down", "--volumes")
    return facts


def alone() -> None:
    """Go on in a network of our own."""
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        begin = 'ip link set lo up && exec "$@"'
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", begin, "sh", sys.executable, *sys.argv])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock", default="base", choices=("base", "full"))
    lock = parser.parse_args().lock
    if reason := why_not(f"localhost/gridzero:{lock}"):
        print(f"skipped: {reason}")
        return 0
    if INSIDE not in os.environ:
        make_broker()
    alone()
    facts = look(lock)
    print(json.dumps(facts, indent=1))
    print(f"from `up` to the first guarded set-point with a meter: {facts['with_meter_s']} s")
    is_good = not facts["unhealthy"] and not any(facts["exits"].values())
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
