"""podman as the tests of the image call it: its own store, and the fences of compose.yaml."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "image" / "ctr"
INSIDE = Path(__file__).with_name("inside.py")
STORE = (
    *("--root", f"{CACHE}/root", "--runroot", f"{CACHE}/run"),
    *("--storage-driver", os.environ.get("STORAGE", "overlay")),
    # crun cannot work where control groups are of both kinds
    *("--runtime", os.environ.get("RUNTIME", "runc")),
)
# For a machine whose root may not raise limits, and without systemd for health checks; no harm
# elsewhere
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--no-healthcheck")
# As compose.yaml runs it; only the network is narrower
FENCES = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")
DIALOUT = "20"
STATE = "/var/lib/gridzero"


def podman(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["podman", *STORE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def must(*arguments: str) -> str:
    """What podman says; ends the test where it fails."""
    done = podman(*arguments)
    if done.returncode:
        sys.exit(
            f"podman {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-3000:]}"
        )
    return done.stdout.strip()


def why_not(tag: str) -> str | None:
    """Why nothing can be tried here; None = it can."""
    if not shutil.which("podman") or os.geteuid() != 0:
        return "podman is not installed, or this is not root"
    if podman("image", "exists", tag).returncode:
        return f"there is no {tag}; make image comes first"
    return None


def python_inside(tag: str, *arguments: str) -> str:
    """What a Python prints in a new container of the image."""
    return must(
        *("run", "--rm", "--network", "none", *LIMITS, *FENCES),
        *("--volume", f"{INSIDE}:/check/inside.py:ro", "--entrypoint", "python", tag, *arguments),
    )


@dataclass(frozen=True, slots=True)
class House:
    """One container of the image as compose.yaml has it, with a pseudo-terminal as RS485."""

    tag: str
    name: str
    folder: Path
    port: str
    volume: str
    network: str = "none"

    def create(self) -> None:
        mounts = (
            f"{self.folder}:/etc/gridzero:ro",
            f"{self.volume}:{STATE}",
            f"{self.port}:/dev/rs485",
            f"{INSIDE}:/check/inside.py:ro",
        )
        volumes = [word for mount in mounts for word in ("--volume", mount)]
        must(
            *("create", "--name", self.name, "--init", *LIMITS, *FENCES, "--group-add", DIALOUT),
            *("--network", self.network, *volumes, self.tag),
        )

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return podman("exec", self.name, *arguments)

    def inside(self, *arguments: str) -> str:
        return must("exec", self.name, "python", "/check/inside.py", *arguments)

    def exit_code(self) -> int:
        return int(must("wait", self.name))

    def remove(self) -> None:
        podman("rm", "--force", "--volumes", "--time", "0", self.name)


@contextmanager
def rs485() -> Iterator[tuple[int, str]]:
    """Our end of a pseudo-terminal, and the name of the other, which the group dialout may use."""
    ours, theirs = pty.openpty()
    try:
        tty.setraw(theirs)
        name = os.ttyname(theirs)
        Path(name).chmod(0o660)
        os.chown(name, 0, int(DIALOUT))
        yield ours, name
    finally:
        os.close(ours)
        os.close(theirs)
