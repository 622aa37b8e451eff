"""Whether what was learned still beats the configuration, where several converters moved at once.

The meter cannot tell who of them did what, so such moves teach nothing. But it shows when the
configuration explains all of them together much better than what is believed, for example after
an inverter was exchanged. Converters that always move together could otherwise never lose a wrong
belief, and the grid would swing for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridzero.control.chapter import Command, Sample, outputs_w, unsteadiness_w
from gridzero.domain.converters import Dynamics

_CLEARLY = 0.6
_NOISE_W = 100.0  # of twenty readings together
_IN_A_ROW = 3
_CLIP_W = 400.0


@dataclass(frozen=True, slots=True)
class Mover:
    """A converter that moved: its sign (+1 inverter), commands, and both stories about it."""

    name: str
    sign: float
    commands: tuple[Command, ...]
    believed: Dynamics
    told: Dynamics


class SecondThoughts:
    """Counts chapters that the configuration explains clearly better."""

    def __init__(self) -> None:
        self._doubts = 0

    def take(self, movers: Sequence[Mover], samples: Sequence[Sample]) -> tuple[str, ...]:
        """One chapter in which these moved; returns the names to believe as they are configured."""
        if all(mover.believed == mover.told for mover in movers):
            return ()
        believed_w = _misfit_w([(mover, mover.believed) for mover in movers], samples)
        told_w = _misfit_w([(mover, mover.told) for mover in movers], samples)
        clearly = told_w < _CLEARLY * (believed_w - _NOISE_W)
        self._doubts = self._doubts + 1 if clearly else 0
        if self._doubts < _IN_A_ROW:
            return ()
        self._doubts = 0
        return tuple(mover.name for mover in movers if mover.believed != mover.told)


def _misfit_w(stories: Sequence[tuple[Mover, Dynamics]], samples: Sequence[Sample]) -> float:
    """How unsteady the net load would have been if all of the converters were like this, W."""
    load_w = [sample.grid_w for sample in samples]
    for mover, dynamics in stories:
        given_w = outputs_w(mover.commands, samples, dynamics)
        load_w = [w + mover.sign * g for w, g in zip(load_w, given_w, strict=True)]
    return unsteadiness_w(load_w, _CLIP_W)
