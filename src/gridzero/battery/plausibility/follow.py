"""Whether a module moves with the others: one that does not is not connected to them."""

from __future__ import annotations

from gridzero.battery.plausibility.rounds import Sample

_LEAST, _MOST = 0.5, 1.6
_SETTLED_V = 0.06


class Follow:
    """Compares how far a module went with how far the others went.

    proven: None = the others have not moved far enough to tell, else whether it followed last.
    """

    def __init__(self, moved_v: float) -> None:
        self._moved_v = moved_v
        self._from: tuple[float, float] | None = None
        self.proven: bool | None = None

    def update(self, sample: Sample, common_v: float, motion_v: float) -> None:
        """A round in which the others agree; only rounds in which all stands still count.

        The median cell stands for the module: a sensor that changes does not move it.
        """
        if motion_v > _SETTLED_V or sample.motion_v > _SETTLED_V or sample.bled:
            return
        module_v = sample.median_v * len(sample.volts)
        if self._from is None:
            self._from = module_v, common_v
            return
        went_v, others_v = module_v - self._from[0], common_v - self._from[1]
        if abs(others_v) >= self._moved_v:
            self.proven = _LEAST <= went_v / others_v <= _MOST
            self._from = module_v, common_v
        elif abs(went_v) >= 2 * self._moved_v:
            self.proven = False
            self._from = module_v, common_v
