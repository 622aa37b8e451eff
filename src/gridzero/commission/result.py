"""What became of one line of the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """GOOD: seen, or confirmed by the person. BAD: not so. SKIPPED: not done, for a reason."""

    GOOD = "good"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """text: what was seen, one line. mend: what to do, "" where nothing is to be done."""

    outcome: Outcome
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A result with its time, UTC in ISO 8601."""

    at: str
    result: Result

    def as_json(self) -> dict[str, str]:
        """Stable keys: people keep these files."""
        result = self.result
        return {
            "at": self.at,
            "outcome": result.outcome.value,
            "text": result.text,
            "mend": result.mend,
        }

    @classmethod
    def of_json(cls, told: Mapping[str, object]) -> Kept:
        """Raises KeyError or ValueError for anything else."""
        texts = {key: str(told[key])[:500] for key in ("at", "outcome", "text", "mend")}
        outcome = Outcome(texts["outcome"])
        return cls(texts["at"], Result(outcome, texts["text"], texts["mend"]))


def good(text: str) -> Result:
    """It is as it should be."""
    return Result(Outcome.GOOD, text)


def bad(text: str, mend: str) -> Result:
    """It is not; mend says what to do."""
    return Result(Outcome.BAD, text, mend)


def skipped(text: str) -> Result:
    """It was not done; text says why."""
    return Result(Outcome.SKIPPED, text)
