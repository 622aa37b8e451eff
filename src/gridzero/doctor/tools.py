"""Runs the system's own small programs, with a time limit, and never as anybody else."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence

from gridzero.doctor.evidence import Unseen

LIMIT_S = 3.0
_SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
"""ip lives in /sbin, which is not in everybody's path."""

Run = Callable[[Sequence[str]], str | Unseen]


def run(command: Sequence[str], limit_s: float = LIMIT_S) -> str | Unseen:
    """What a program prints. Unseen: it is not installed, takes too long, or refuses."""
    program = shutil.which(command[0], path=_SYSTEM)
    if program is None:
        return Unseen(f"the program {command[0]} is not installed")
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command of ours, without a shell
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Unseen(f"{command[0]} gave no answer in {limit_s:g} s")
    except OSError as error:
        return Unseen(f"{command[0]} cannot be started: {error.strerror}")
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        return Unseen(f"{command[0]} says: {words[0][:120] if words else done.returncode}")
    return done.stdout.decode(errors="replace")
