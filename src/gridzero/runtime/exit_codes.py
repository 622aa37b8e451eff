"""Why the process ended, for Docker, systemd and people (numbers after sysexits.h)."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """ASKED: a signal, a key or the end of a given duration. AGAIN: asked to start anew.

    CONFIG: no retry would help. HELD: another process commands this house, until it ends.
    """

    ASKED = 0
    FINDINGS = 1
    CONFIG = 2
    AGAIN = 3
    HELD = 69
    CRASHED = 70
    HUNG = 75
