"""A step of one unit's command, and whether a witness shows it.

The witness is the meter or the shunt, freed of what all other units do: it moves with what the
unit really gives, and by whatever load changes meanwhile. Therefore one answer is no verdict.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import NamedTuple

LEAST_W = 100.0
"""Smallest step that a household lets one see."""
_MOST_OF_IT = 0.6
_FOLLOWS, _TOO_MUCH, _NOTHING = 0.6, 1.5, 0.3
_PATIENCE_S = 2.2  # longer than any dead time that an owner would leave unnoticed
_GIVES_UP_S = 12.0
_LEAST_LOOKS = 3
_CALM = 0.3


class Seen(NamedTuple):
    """One look. witness_w: rises with the unit's output. promised_w: output by its commands."""

    at_s: float
    witness_w: float
    promised_w: float


class Answer(Enum):
    """What a step showed."""

    FOLLOWS = "follows"
    NOTHING = "nothing"
    UNCLEAR = "unclear"


def is_calm(looks: Collection[Seen], promised_w: float) -> bool:
    """Whether the witness stood still enough for a step of promised_w to be told from it."""
    powers_w = [look.witness_w for look in looks]
    return len(looks) >= _LEAST_LOOKS and max(powers_w) - min(powers_w) < _CALM * promised_w


def mean_of(looks: Collection[Seen]) -> Seen:
    """The mean of some looks, at the last of them."""
    count = len(looks)
    return Seen(
        max(look.at_s for look in looks),
        sum(look.witness_w for look in looks) / count,
        sum(look.promised_w for look in looks) / count,
    )


class StepTest:
    """From the command on until the witness has answered.

    before: the state before the step. step_w: how far it is meant to go; by default to zero.
    """

    def __init__(self, before: Seen, step_w: float | None = None) -> None:
        self._before = before
        planned_w = before.promised_w if step_w is None else step_w
        self._need_w = max(LEAST_W, _MOST_OF_IT * planned_w)
        self._reached_s: float | None = None
        self._responses: list[float] = []

    def take(self, look: Seen) -> Answer | None:
        """One more look; None until there is an answer."""
        step_w = look.promised_w - self._before.promised_w
        if abs(step_w) < self._need_w:
            return self._not_yet(look)
        if self._reached_s is None:
            self._reached_s = look.at_s
        self._responses.append((look.witness_w - self._before.witness_w) / step_w)
        last_two = self._responses[-2:]
        if len(last_two) == 2 and min(last_two) > _FOLLOWS and max(last_two) < _TOO_MUCH:
            return Answer.FOLLOWS
        waited = look.at_s - self._reached_s >= _PATIENCE_S
        if not waited or len(self._responses) < _LEAST_LOOKS:
            return None
        nothing = max(abs(response) for response in last_two) < _NOTHING
        return Answer.NOTHING if nothing else Answer.UNCLEAR

    def _not_yet(self, look: Seen) -> Answer | None:
        """A step that is too small, or that was taken back before it was seen."""
        if self._reached_s is not None or look.at_s - self._before.at_s > _GIVES_UP_S:
            return Answer.UNCLEAR
        return None
