"""The net load behind the meter: what the house would draw without the battery.

net_load = grid + own output at the moment of measurement. Because the output is replayed from
the commands that left, a command still in flight is not mistaken for a change of load, so the
loop need not be slow to be stable (control notes, sections 0 and C.8).

A reading counts by how surprising it is. What lies within the meter's own noise is averaged, what
stands out is followed at once; between the two there is no threshold. After a jump the average
starts anew, so its first reading counts fully, the second half, the third a third, as in a Kalman
filter of a level that has just become unknown.
"""

from __future__ import annotations

from math import inf

from gridzero.control.model_doubt import ModelDoubt
from gridzero.control.ramp_watch import RampWatch
from gridzero.control.spikes import SpikeFilter
from gridzero.control.switches import ALL_ON, Switches

_CALM_GAIN = 0.1
_PLAIN_GAIN = 0.5  # of every reading, when jumps are switched off
_HALF_AT_SIGMAS = 5.0  # a surprise of so many standard deviations counts half
_LASTING_AT_SIGMAS = 2.5  # the same for the mean of the last surprises
_LASTING_MEMORY = 0.4
_JUMPED = 0.6
_EDGE_W = 100.0

_NOISE_START_W, _NOISE_FLOOR_W = 4.0, 1.0
_NOISE_MEMORY = 0.05
_LARGEST_NOISE = 3.0  # times what is known: a jump of the load is no noise
_CHANGE_TO_SIGMA = 0.886  # sigma over mean |difference of two samples|, for normal noise
_LEAP_W = 50.0
_STILL_W = 5.0  # own output that moves more than this between readings says nothing of the meter

_RESTLESS = 0.15  # share of its own movement by which a model is always a little wrong
_LONGEST_STEP_S = 2.0
_LARGEST_W = 1e6  # no house draws more: such a number is none


class NetLoadObserver:
    """Follows what is sure at once and averages what is not.

    net_load_w: at the moment of the newest reading; None before the first. edge_w: how far the
    newest reading jumped, W; 0 if it did not. noise_w: standard deviation of the meter, W.
    """

    def __init__(self, switches: Switches = ALL_ON) -> None:
        self._switches = switches
        self._spikes, self._ramp, self._doubt = SpikeFilter(), RampWatch(), ModelDoubt()
        self._gain = 1.0
        self._lasting_w = 0.0
        self._own_w = self._measured_w = 0.0
        self._at_s = float("-inf")
        self.net_load_w: float | None = None
        self.noise_w = _NOISE_START_W
        self.edge_w = 0.0

    @property
    def doubt(self) -> float:
        """How little the model of the own converters explains, 0 (all) .. 1 (nothing)."""
        return self._doubt.score if self._switches.damping else 0.0

    @property
    def ramp_w_per_s(self) -> float:
        """How fast the load climbs steadily, W/s; 0 unless it clearly does."""
        return self._ramp.w_per_s if self._switches.slope else 0.0

    def ahead_w(self, seconds: float) -> float | None:
        """The net load so long after the newest reading, if a ramp goes on."""
        if self.net_load_w is None:
            return None
        return self.net_load_w + self.ramp_w_per_s * min(seconds, _LONGEST_STEP_S)

    def update(self, at_s: float, grid_w: float, own_w: float, in_flight_w: float = 0.0) -> None:
        """Take one new meter reading; own_w is the battery's output when it was measured, at_s.

        in_flight_w: how far it is still to move by what was sent.
        Numbers that are none, and readings from before the last one, are left out.
        """
        measured_w = grid_w + own_w
        if not (abs(measured_w) <= _LARGEST_W and self._at_s <= at_s < inf):
            return
        self.edge_w = 0.0
        if self.net_load_w is None:
            self._begin(at_s, measured_w, own_w)
        elif self._plausible(at_s, measured_w, own_w - self._own_w):
            self._take(at_s, measured_w, own_w, in_flight_w)

    def forget(self) -> None:
        """Start anew with the next reading, after the meter was lost."""
        self.net_load_w = None

    def _plausible(self, at_s: float, measured_w: float, step_w: float) -> bool:
        """A leap that may be the own converter's, wrongly timed, is no spike of the meter."""
        if not self._switches.spikes or abs(step_w) > _LEAP_W or self.net_load_w is None:
            return True
        return self._spikes.passes(at_s, measured_w, self.net_load_w, self.noise_w)

    def _begin(self, at_s: float, measured_w: float, own_w: float) -> None:
        self._ramp.restart()
        self._gain, self._lasting_w = 1.0, 0.0
        self.net_load_w = measured_w
        self._remember(at_s, measured_w, own_w)

    def _take(self, at_s: float, measured_w: float, own_w: float, in_flight_w: float) -> None:
        seconds, step_w = at_s - self._at_s, own_w - self._own_w
        before_w = self.ahead_w(seconds) or 0.0
        surprise_w = measured_w - before_w
        self._doubt.update(seconds, measured_w - self._measured_w, step_w, in_flight_w)
        self._gain = self._weight(surprise_w, abs(step_w))
        self.net_load_w = before_w + self._gain * surprise_w
        if self._gain > _JUMPED:
            self._lasting_w = 0.0  # what was believed is no surprise any more
            self.edge_w = surprise_w if abs(surprise_w) > _EDGE_W else 0.0
        self._ramp.update(seconds, measured_w, self.noise_w + _RESTLESS * abs(step_w))
        if abs(step_w) < _STILL_W:
            self._learn_noise(measured_w - self._measured_w)
        self._remember(at_s, measured_w, own_w)

    def _weight(self, surprise_w: float, moved_w: float) -> float:
        """What share of a surprise is believed, 0..1."""
        self._lasting_w += _LASTING_MEMORY * (surprise_w - self._lasting_w)
        if not self._switches.jumps:
            return _PLAIN_GAIN
        sigma_w = self.noise_w + _RESTLESS * moved_w
        unsure_w = self._doubt.unsure_w if self._switches.damping else 0.0
        lasting = _believed(self._lasting_w, _LASTING_AT_SIGMAS * sigma_w + unsure_w)
        sudden = _believed(surprise_w, _HALF_AT_SIGMAS * sigma_w + unsure_w)
        return max(_CALM_GAIN, self._gain / (1.0 + self._gain), lasting, sudden)

    def _learn_noise(self, change_w: float) -> None:
        sample_w = min(_CHANGE_TO_SIGMA * abs(change_w), _LARGEST_NOISE * self.noise_w)
        self.noise_w += _NOISE_MEMORY * (sample_w - self.noise_w)
        self.noise_w = max(self.noise_w, _NOISE_FLOOR_W)

    def _remember(self, at_s: float, measured_w: float, own_w: float) -> None:
        self._at_s, self._measured_w, self._own_w = at_s, measured_w, own_w


def _believed(surprise_w: float, half_at_w: float) -> float:
    """0 for nothing, one half at half_at_w, toward 1 for what is far beyond."""
    squared = (surprise_w / half_at_w) ** 2
    return squared / (1.0 + squared)
