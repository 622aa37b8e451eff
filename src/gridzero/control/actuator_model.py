"""What a converter is giving at any recent moment, replayed from the commands that left.

The shape (dead time, first jump, slew, gain, zero at once) is that of the public SoyoSource
capture in syssi/esphome-soyosource-gtn-virtual-meter; see the soyosource driver's README.
"""

from __future__ import annotations

from typing import NamedTuple

from gridzero.domain.converters import Dynamics

_REMEMBER_S = 15.0


class _Leg(NamedTuple):
    """From at_s on, output moves from output_w toward target_w."""

    at_s: float
    output_w: float
    target_w: float


class ActuatorModel:
    """One converter. Powers are magnitudes, W AC; times are monotonic seconds."""

    def __init__(self, dynamics: Dynamics) -> None:
        self._dynamics = dynamics
        self._legs = [_Leg(float("-inf"), 0.0, 0.0)]
        self._is_alone = False

    @property
    def gain(self) -> float:
        """Steady output over command."""
        return self._dynamics.gain

    @property
    def final_w(self) -> float:
        """Output once everything that was sent has arrived."""
        return self._legs[-1].target_w

    def learn(self, dynamics: Dynamics) -> None:
        """Go on with other dynamics; what stands is taken to come to what they say."""
        scale = dynamics.gain / self._dynamics.gain
        self._dynamics = dynamics
        if scale != 1.0:
            self._legs = [leg._replace(target_w=leg.target_w * scale) for leg in self._legs]

    def sent(self, at_s: float, power_w: float) -> None:
        """A command left. Commands must come in order of time."""
        self._is_alone = False
        target_w = power_w * self._dynamics.gain
        effect_s = at_s + self._dynamics.dead_time_s
        last = self._legs[-1]
        if target_w > 0.0 and last.target_w == 0.0:
            effect_s += self._dynamics.start_s
        if target_w == 0.0:  # a start that has not begun is called off
            while len(self._legs) > 1 and self._legs[-1].at_s > effect_s:
                self._legs.pop()
        effect_s = max(effect_s, self._legs[-1].at_s)
        self._append(_Leg(effect_s, self.output_at(effect_s), target_w))
        self._forget(at_s)

    def observed(self, at_s: float, output_w: float) -> None:
        """The converter itself said what it gave at at_s: go on from there.

        One that stood alone stays at what it says until a command leaves: nothing tells where it
        is going, least of all what it was taken to give while nobody heard it.
        """
        later = [leg for leg in self._legs if leg.at_s > at_s]
        legs = [leg for leg in self._legs if leg.at_s <= at_s] or self._legs[:1]
        target_w = output_w if self._is_alone else legs[-1].target_w
        self._legs = [*legs, _Leg(at_s, output_w, target_w)]
        for leg in later:
            self._append(_Leg(leg.at_s, self.output_at(leg.at_s), leg.target_w))
        self._forget(at_s)

    def stands(self, at_s: float, output_w: float) -> None:
        """Nobody can command it any more: it is taken to go on with output_w."""
        self._is_alone = True
        past = [leg for leg in self._legs if leg.at_s < at_s] or self._legs[:1]
        self._legs = [*past, _Leg(at_s, output_w, output_w)]
        self._forget(at_s)

    def output_at(self, at_s: float) -> float:
        """Output at at_s, W. Moments before the oldest memory give the oldest output."""
        for leg in reversed(self._legs):
            if leg.at_s <= at_s:
                return self._moved(leg, at_s - leg.at_s)
        return self._legs[0].output_w

    def _moved(self, leg: _Leg, seconds: float) -> float:
        d, output_w = self._dynamics, leg.output_w
        if leg.target_w <= 0.0 and d.zero_at_once:
            return 0.0
        if output_w < leg.target_w:
            begin_w = (
                max(output_w, min(d.jump_w, leg.target_w)) if output_w < d.jump_w else output_w
            )
            return min(leg.target_w, begin_w + d.rise_w_per_s * seconds)
        return max(leg.target_w, output_w - d.fall_w_per_s * seconds)

    def _append(self, leg: _Leg) -> None:
        if leg.at_s == self._legs[-1].at_s:
            self._legs.pop()
        self._legs.append(leg)

    def _forget(self, now_s: float) -> None:
        while len(self._legs) > 1 and self._legs[1].at_s < now_s - _REMEMBER_S:
            self._legs.pop(0)
