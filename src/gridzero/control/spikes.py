"""Single wrong readings of a meter: asked again only where they have been seen.

Waiting for a second reading before every large step would cost half a second of import or export
each time, for ever. So a large step is believed at once, until the meter has shown spikes; then a
large step must be confirmed by the next reading, and never waits longer than that. The idea of
judging a sample by its neighbours is Hampel's; here the neighbour to come decides.
"""

from __future__ import annotations

_LARGE_W, _LARGE_SIGMAS = 100.0, 10.0
_BACK = 0.3  # share of the step within which a reading has come back, or confirms
_ENOUGH = 1.5
_MOST = 4.0
_FORGET_S = 1800.0


class SpikeFilter:
    """Counts spikes and, where there are some, holds large steps for one reading."""

    def __init__(self) -> None:
        self._count = 0.0
        self._at_s = 0.0
        self._step: tuple[float, float] | None = None
        self._held = False

    def passes(self, at_s: float, load_w: float, before_w: float, noise_w: float) -> bool:
        """Whether this reading may be used now. before_w: the load that was believed so far."""
        self._fade(at_s)
        step, self._step = self._step, None
        held, self._held = self._held, False
        if step is not None and _near(load_w, step[0], step):
            self._count = min(_MOST, self._count + 1.0)
        elif step is not None and held and _near(load_w, step[1], step):
            return True
        if abs(load_w - before_w) <= max(_LARGE_W, _LARGE_SIGMAS * noise_w):
            return True
        if step is None or not _near(load_w, step[0], step):
            self._step = (before_w, load_w)
            self._held = self._count >= _ENOUGH and not held
        return not self._held

    def _fade(self, at_s: float) -> None:
        self._count *= max(0.0, 1.0 - max(0.0, at_s - self._at_s) / _FORGET_S)
        self._at_s = at_s


def _near(load_w: float, where_w: float, step: tuple[float, float]) -> bool:
    return abs(load_w - where_w) < _BACK * abs(step[1] - step[0])
