"""The processes of the real hour: the broker, gridzero and what it starts; what Linux says of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from real_house import BROKER_PORT

MOSQUITTO = Path("/usr/sbin/mosquitto")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_BROKER = """\
user root
set_tcp_nodelay true
allow_anonymous true
listener {port} 127.0.0.1
"""


class Size(NamedTuple):
    """One look at one process. at_s: monotonic. anonymous_kb: what no file on disk backs."""

    at_s: float
    pid: int
    resident_kb: float
    anonymous_kb: float
    threads: int
    descriptors: int
    cpu_s: float


def size_of(pid: int) -> Size | None:
    """None: it is gone."""
    proc = Path("/proc") / str(pid)
    try:
        lines = (proc / "status").read_text().splitlines()
        kept = {key: rest.split() for key, _, rest in (line.partition(":") for line in lines)}
        words = (proc / "stat").read_text().rpartition(")")[2].split()
        cpu_s = (int(words[11]) + int(words[12])) / _TICKS_PER_S
        return Size(
            at_s=time.monotonic(),
            pid=pid,
            resident_kb=float(kept["VmRSS"][0]),
            anonymous_kb=float(kept["RssAnon"][0]),
            threads=int(kept["Threads"][0]),
            descriptors=len(list((proc / "fd").iterdir())),
            cpu_s=cpu_s,
        )
    except (OSError, KeyError):
        return None


def children_of(parent: int) -> dict[str, int]:
    """Running children: word of the command line -> pid."""
    found = {}
    for proc in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = (proc / "stat").read_text().rpartition(")")[2].split()
            if int(stat[1]) == parent and stat[0] != "Z":
                words = (proc / "cmdline").read_bytes().decode().split("\0")
                found["companion" if "companion" in words else words[-2]] = int(proc.name)
    return found


class Broker:
    """Mosquitto, that can be killed and hung."""

    def __init__(self, folder: Path) -> None:
        self._config = folder / "mosquitto.conf"
        self._config.write_text(_BROKER.format(port=BROKER_PORT))
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


class Gridzero:
    """``gridzero run`` with its companion; its log is read as it grows."""

    def __init__(self, config: Path) -> None:
        self._config, self._log = config, config.with_suffix(".log")
        self._read = 0
        self._process: subprocess.Popen[bytes]
        self._log.touch()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gridzero.cli", "run", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def companion(self) -> int | None:
        return children_of(self.pid).get("companion")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Ask it to stop; its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(40.0)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def news(self) -> list[dict[str, Any]]:
        """Complete lines of its log since the last call."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]

    @property
    def tracebacks(self) -> int:
        return self._log.read_text(errors="replace").count("Traceback")
