"""What a row of the doctor says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import NamedTuple

from gridzero.doctor.evidence import Evidence


class Level(Enum):
    """UNKNOWN: it could not be looked at, which is no finding."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"

    @property
    def is_finding(self) -> bool:
        """Whether somebody should do something."""
        return self in {Level.WARN, Level.BAD}


class Verdict(NamedTuple):
    """One sentence on one thing. mend: the command, or what to do by hand; "" = nothing."""

    level: Level
    subject: str
    text: str
    mend: str = ""


class Row(NamedTuple):
    """One thing that is looked at. look: pure; says nothing where there is nothing to say."""

    name: str
    look: Callable[[Evidence], Iterable[Verdict]]


class Finding(NamedTuple):
    """A verdict and the row it is from."""

    row: str
    verdict: Verdict


def ok(subject: str, text: str) -> Verdict:
    """It is as it should be."""
    return Verdict(Level.OK, subject, text)


def warn(subject: str, text: str, mend: str) -> Verdict:
    """It works, but not for ever or not well."""
    return Verdict(Level.WARN, subject, text, mend)


def bad(subject: str, text: str, mend: str) -> Verdict:
    """It does not work."""
    return Verdict(Level.BAD, subject, text, mend)


def unknown(subject: str, text: str, mend: str = "") -> Verdict:
    """Nobody could look."""
    return Verdict(Level.UNKNOWN, subject, text, mend)
