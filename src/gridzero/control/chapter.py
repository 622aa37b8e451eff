"""Ten seconds in which one converter moved: its commands, and what the meter saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import NamedTuple

from gridzero.control.actuator_model import ActuatorModel
from gridzero.domain.converters import Dynamics

_CLIP_W = 150.0  # a step of the load counts once, and no more than this
_CLIP_SLEWS = 2.0  # unless the converter itself moves further from one sample to the next


class Command(NamedTuple):
    """power_w: magnitude, W AC as the driver reports it."""

    at_s: float
    power_w: float


class Sample(NamedTuple):
    """A reading of the meter. at_s: when it measured."""

    at_s: float
    grid_w: float


@dataclass(frozen=True, slots=True)
class Chapter:
    """commands: from some time before the first sample on; the first one counts as settled.

    sign: +1 for an inverter, -1 for a charger. unexplained_w: the misfit of a converter that does
    nothing at all.
    """

    sign: float
    commands: tuple[Command, ...]
    samples: tuple[Sample, ...]
    clip_w: float
    unexplained_w: float

    def misfit_w(self, dynamics: Dynamics) -> float:
        """How unsteady the net load would have been if the converter were like this, W.

        Net load is grid plus own output. It rests most of the time and then steps, so with the
        right dynamics its changes from sample to sample are small but for a few; each counts with
        its distance from their median (a steady ramp of the load is nobody's fault), at most
        clip_w.
        """
        return unsteadiness_w(self._net_load_w(dynamics), self.clip_w)

    def _net_load_w(self, dynamics: Dynamics) -> list[float]:
        given_w = outputs_w(self.commands, self.samples, dynamics)
        return [s.grid_w + self.sign * w for s, w in zip(self.samples, given_w, strict=True)]


def outputs_w(
    commands: Sequence[Command], samples: Sequence[Sample], dynamics: Dynamics
) -> list[float]:
    """What a converter would have given at each sample, W; the first command counts as settled."""
    model, first = ActuatorModel(dynamics), commands[0]
    model.stands(first.at_s, first.power_w * dynamics.gain)
    coming, count = 1, len(commands)
    given_w = []
    for sample in samples:
        while coming < count and commands[coming].at_s < sample.at_s:
            model.sent(*commands[coming])
            coming += 1
        given_w.append(model.output_at(sample.at_s))
    return given_w


def chapter_of(
    sign: float, commands: tuple[Command, ...], samples: tuple[Sample, ...], slew_w_per_s: float
) -> Chapter:
    """A chapter of what was remembered; at least two samples and one command.

    slew_w_per_s: about how fast the converter moves, W/s.
    """
    period_s = (samples[-1].at_s - samples[0].at_s) / (len(samples) - 1)
    clip_w = max(_CLIP_W, _CLIP_SLEWS * slew_w_per_s * period_s)
    unexplained_w = unsteadiness_w([sample.grid_w for sample in samples], clip_w)
    return Chapter(sign, commands, samples, clip_w, unexplained_w)


def unsteadiness_w(levels_w: Sequence[float], clip_w: float) -> float:
    """Sum of all changes beyond the usual one, each at most clip_w."""
    changes_w = [after - before for before, after in pairwise(levels_w)]
    usual_w = median_low(changes_w)
    return sum(min(abs(change_w - usual_w), clip_w) for change_w in changes_w)
