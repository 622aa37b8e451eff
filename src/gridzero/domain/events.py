"""What a person is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How loudly to say it."""

    INFO = 0
    WARNING = 1
    FAULT = 2


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: a fault raised or cleared, a mode changed, a refusal.

    code: a row of ``domain.faults`` or an info code; subject: device, module or topic.
    """

    at_s: float
    code: str
    subject: str
    severity: Severity
    text: str
    remedy: str = ""
    active: bool = True
