"""The image for arm64 under emulation: what a Pi would start.

``make image-arm64`` calls it. It says that every wheel is there, loads and runs on aarch64; not how
fast a Pi is.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from engine import ROOT, must, why_not
from lifecycle import lifecycle

FRAMES = ("vw_gte", "vertiv_r48", "soyosource")


def run(tag: str, *words: str, mounts: tuple[str, ...] = ()) -> tuple[str, float]:
    """What gridzero says, and how long it took, s."""
    volumes = [word for mount in mounts for word in ("--volume", mount)]
    began_s = time.monotonic()
    limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--no-healthcheck")
    said = must("run", "--rm", "--network", "none", "--read-only", *limits, *volumes, tag, *words)
    return said, round(time.monotonic() - began_s, 1)


def vectors() -> list[str]:
    drivers = ROOT / "drivers" / "gridzero_drivers"
    return [f"/drivers/{name}/frames.yaml" for name in FRAMES if (drivers / name).is_dir()]


def look_at(tag: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "size_mb": round(int(must("image", "inspect", "--format", "{{.Size}}", tag)) / 1e6)
    }
    facts["architecture"] = must("image", "inspect", "--format", "{{.Architecture}}", tag)
    facts["version"], facts["version_s"] = run(tag, "--version")
    configs = [f"/configs/{file.name}" for file in sorted((ROOT / "configs").glob("*.yaml"))]
    said, facts["check_s"] = run(tag, "check", *configs, mounts=(f"{ROOT}/configs:/configs:ro",))
    facts["configs_good"] = said.count(": good")
    facts["configs"] = len(configs)
    drivers = f"{ROOT}/drivers/gridzero_drivers:/drivers:ro"
    said, facts["vectors_s"] = run(tag, "vectors", *vectors(), mounts=(drivers,))
    facts["vectors"] = said.splitlines()
    facts["lifecycle"] = lifecycle(tag)
    return facts


def problems(facts: dict[str, Any]) -> list[str]:
    life = facts["lifecycle"]
    kept = {
        f"it is for {facts['architecture']}": facts["architecture"] == "arm64",
        f"it says {facts['version']!r}": facts["version"].startswith("gridzero "),
        "a configuration is not good": facts["configs_good"] == facts["configs"] > 0,
        "no vectors were tried": len(facts["vectors"]) == len(FRAMES),
        "a setting did not outlive a kill": life["setting_after_kill"] == 321,
        f"stopped, it ended with {life['stop_exit']}": life["stop_exit"] == 0,
    }
    return [what for what, is_kept in kept.items() if not is_kept]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock", default="base", choices=("base", "full"))
    tag = f"localhost/gridzero:{parser.parse_args().lock}-arm64"
    if reason := why_not(tag):
        print(f"skipped: {reason}")
        return 0
    facts = look_at(tag)
    print(json.dumps(facts, indent=1))
    found = problems(facts)
    for problem in found:
        print(f"not kept: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
