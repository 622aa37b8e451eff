"""The net load behind the meter: what the house would draw without the battery.

net_load = grid + own output at the moment of measurement. Because the output is replayed from
the commands that left, a command still in flight is not mistaken for a change of load, so the
loop need not be slow to be stable (control notes, sections 0 and C.8).
"""

from __future__ import annotations

_JUMP_W = 300.0
_SIGMAS = 3.0
_NOISE_FLOOR_W = 4.0
_NOISE_MEMORY = 0.05
_ABS_TO_SIGMA = 1.25  # standard deviation over mean absolute value, for a normal distribution
_RESTLESS = 0.5


class NetLoadObserver:
    """Low-passes small changes, follows confirmed jumps at once.

    gain: 0.1 (calm) .. 1.0 (every sample counts fully).
    """

    def __init__(self, gain: float) -> None:
        self._gain = gain
        self._noise_w = _NOISE_FLOOR_W
        self._last_surprise_w = 0.0
        self._last_own_w = 0.0
        self.net_load_w: float | None = None

    def update(self, grid_w: float, own_w: float) -> float:
        """Take one new meter reading; own_w is the battery's output when it was measured."""
        measured_w = grid_w + own_w
        moved_w = abs(own_w - self._last_own_w)
        self._last_own_w = own_w
        if self.net_load_w is None:
            self.net_load_w = measured_w
            return measured_w
        surprise_w = measured_w - self.net_load_w
        gain = 1.0 if self._is_jump(surprise_w, moved_w) else self._gain
        if gain < 1.0:
            self._learn_noise(surprise_w)
        self._last_surprise_w = surprise_w
        self.net_load_w += gain * surprise_w
        return self.net_load_w

    def forget(self) -> None:
        """Start anew with the next reading, after the meter was lost."""
        self.net_load_w = None
        self._last_surprise_w = 0.0

    def _is_jump(self, surprise_w: float, moved_w: float) -> bool:
        """Large enough, beyond doubt from the own output's movement, or confirmed by a second."""
        doubt_w = _RESTLESS * moved_w
        if abs(surprise_w) > _JUMP_W + doubt_w and not self._turns_around(surprise_w):
            return True
        threshold_w = _SIGMAS * self._noise_w + doubt_w
        return (
            abs(surprise_w) > threshold_w
            and abs(self._last_surprise_w) > threshold_w
            and surprise_w * self._last_surprise_w > 0
        )

    def _turns_around(self, surprise_w: float) -> bool:
        """A single sample that would stop a running converter: a second one must confirm it.

        A wrong one costs a rectifier half a minute; waiting for the next costs half a second.
        """
        net_load_w = self.net_load_w or 0.0
        return net_load_w * (net_load_w + surprise_w) < 0

    def _learn_noise(self, surprise_w: float) -> None:
        sample_w = min(_ABS_TO_SIGMA * abs(surprise_w), 4 * self._noise_w)
        self._noise_w += _NOISE_MEMORY * (sample_w - self._noise_w)
        self._noise_w = max(self._noise_w, _NOISE_FLOOR_W)
