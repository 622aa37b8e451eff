"""Run the image as it should be run (read-only, no capability, nobody's user) and report figures.

``make image-test`` calls it after ``make image``. Skips with a reason where podman or the image
is missing; the exit code is 1 when the image does not keep what docs/docker.md says.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BILL = "/opt/gridzero/sbom.cdx.json"
CACHE = ROOT / ".cache" / "image" / "ctr"
LARGEST_MB = {"base": 200}
GOAL_S = 5.0
# For a machine whose root may not raise limits, and where crun cannot work; elsewhere no harm
RUNTIME = ("--runtime", os.environ.get("RUNTIME", "runc"))
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
# As compose.yaml runs it; only the network is narrower
FENCES = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")
INSIDE = Path(__file__).with_name("inside.py")


def podman(*arguments: str) -> subprocess.CompletedProcess[str]:
    driver = os.environ.get("STORAGE", "overlay")
    store = ("--root", f"{CACHE}/root", "--runroot", f"{CACHE}/run", "--storage-driver", driver)
    command = ["podman", *store, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def python_inside(tag: str, *arguments: str) -> str:
    """What a Python prints in a new container of the image."""
    done = podman(
        *(*RUNTIME, "run", "--rm", "--no-healthcheck", "--network", "none", *LIMITS, *FENCES),
        *("--volume", f"{INSIDE}:/check/inside.py:ro", "--entrypoint", "python", tag, *arguments),
    )
    if done.returncode:
        sys.exit(f"the container ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def look_at(tag: str, size: int) -> dict[str, Any]:
    """Everything that is measured."""
    facts: dict[str, Any] = {"size_mb": round(size / 1e6)}
    began_s = time.monotonic()
    python_inside(tag, "-c", "pass")
    facts["container_s"] = round(time.monotonic() - began_s, 2)
    for line in python_inside(tag, "/check/inside.py").splitlines():
        facts |= json.loads(line)
    bill = json.loads(python_inside(tag, "-c", f"print(open({BILL!r}).read())"))
    return facts | {"sbom_components": len(bill["components"])}


def problems(facts: dict[str, Any], lock: str) -> list[str]:
    fences, health = facts["fences"], facts["health"]
    kept = {
        "it runs as root": fences["uid"] != 0,
        "it has capabilities": int(fences["capabilities"], 16) == 0,
        "it may gain privileges": fences["no_new_privileges"] == "1",
        f"it can write to {fences['writable']}": fences["writable"]
        == ["/var/lib/gridzero", "/dev/shm"],
        f"the health check went {health}": health
        == {"before": 1, "well": True, "exit": 0, "after": 1},
        f"it has {facts['size_mb']} MB": facts["size_mb"] <= LARGEST_MB.get(lock, 1000),
        "the bill of materials is short": facts["sbom_components"] > 10,
    }
    return [what for what, is_kept in kept.items() if not is_kept]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock", default="base", choices=("base", "full"))
    lock = parser.parse_args().lock
    tag = f"localhost/gridzero:{lock}"
    if not shutil.which("podman") or os.geteuid() != 0:
        print("skipped: podman is not installed, or this is not root")
        return 0
    size = podman("image", "inspect", "--format", "{{.Size}}", tag)
    if size.returncode:
        print(f"skipped: there is no {tag}; make image comes first")
        return 0
    facts = look_at(tag, int(size.stdout))
    print(json.dumps(facts, indent=1))
    start_s = facts["container_s"] + facts["demo"]["first_decision_s"]
    print(f"to the first guarded set-point: {start_s:.1f} s (goal {GOAL_S:g} s)")
    found = problems(facts, lock)
    for problem in found:
        print(f"not kept: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
