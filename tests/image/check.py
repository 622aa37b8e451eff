"""Run the image as it should be run (read-only, no capability, nobody's user) and report figures.

``make image-test`` calls it after ``make image``. Skips with a reason where podman or the image
is missing; the exit code is 1 when the image does not keep what docs/docker.md says.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from engine import must, python_inside, why_not
from lifecycle import GRACE_S, lifecycle
from starts import starts

from gridzero.runtime.exit_codes import ExitCode

BILL = "/opt/gridzero/sbom.cdx.json"
LARGEST_MB = {"base": 200}
GOAL_S = 5.0
STARTS = 5


def look_at(tag: str, times: int) -> dict[str, Any]:
    """Everything that is measured."""
    size = int(must("image", "inspect", "--format", "{{.Size}}", tag))
    facts: dict[str, Any] = {"size_mb": round(size / 1e6)}
    began_s = time.monotonic()
    python_inside(tag, "-c", "pass")
    facts["container_s"] = round(time.monotonic() - began_s, 2)
    for line in python_inside(tag, "/check/inside.py").splitlines():
        facts |= json.loads(line)
    facts["lifecycle"] = lifecycle(tag)
    facts["starts"] = starts(tag, times)
    bill = json.loads(python_inside(tag, "-c", f"print(open({BILL!r}).read())"))
    return facts | {"sbom": summary(bill)}


def summary(bill: dict[str, Any]) -> dict[str, int]:
    """How many parts it names, and of how many it knows what."""
    parts = [one for one in bill["components"] if one["purl"].startswith("pkg:pypi/")]
    return {
        "components": len(bill["components"]),
        "python": len(parts),
        "with_hash": sum("hashes" in one for one in parts),
        "with_license": sum("licenses" in one for one in parts),
    }


def problems(facts: dict[str, Any], lock: str) -> list[str]:
    fences, health, life = facts["fences"], facts["health"], facts["lifecycle"]
    bill = facts["sbom"]
    kept = {
        "it runs as root": fences["uid"] != 0,
        "it has capabilities": int(fences["capabilities"], 16) == 0,
        "it may gain privileges": fences["no_new_privileges"] == "1",
        f"it can write to {fences['writable']}": fences["writable"]
        == ["/var/lib/gridzero", "/dev/shm"],
        f"a start compiles {facts['not_compiled']} files": facts["not_compiled"] == 0,
        f"the health check went {health}": health
        == {"before": 1, "well": True, "exit": 0, "after": 1},
        f"it has {facts['size_mb']} MB": facts["size_mb"] <= LARGEST_MB.get(lock, 1000),
        f"of {bill['python']} packages {bill}": bill["python"] > 10
        and bill["with_hash"] == bill["with_license"] == bill["python"],
        "a setting did not outlive a kill": life["setting_after_kill"] == 321,
        f"killed, it ended with {life['killed_exit']}": life["killed_exit"] == 137,
        f"a second one ended with {life['second_exit']}": life["second_exit"] == ExitCode.HELD,
        f"a second one said {life['second_said']!r}": "another gridzero" in life["second_said"],
        "the second one disturbed the first": life["first_stays_well"],
        f"it stopped in {life['stop_s']} s": life["stop_s"] < GRACE_S,
        f"stopped, it ended with {life['stop_exit']}": life["stop_exit"] == 0,
        "it did not say that it was stopped": life["stop_was_orderly"],
    }
    return [what for what, is_kept in kept.items() if not is_kept]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock", default="base", choices=("base", "full"))
    parser.add_argument("--starts", type=int, default=STARTS)
    arguments = parser.parse_args()
    tag = f"localhost/gridzero:{arguments.lock}"
    if reason := why_not(tag):
        print(f"skipped: {reason}")
        return 0
    facts = look_at(tag, arguments.starts)
    print(json.dumps(facts, indent=1))
    start_s = facts["starts"]["median_with_meter_s"]
    print(
        f"from start to the first guarded set-point with a meter: {start_s} s, median of "
        f"{arguments.starts} (goal {GOAL_S:g} s)"
    )
    found = problems(facts, arguments.lock)
    for problem in found:
        print(f"not kept: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
