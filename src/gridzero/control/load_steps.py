"""When the load jumps and when it rests, as far as the own estimate of the net load shows."""

from __future__ import annotations

_STEP_W = 100.0
_RESTLESS = 0.5  # while the own output moves, a wrong model of it looks like a change of load
_STILL_W = 30.0
_STILL_AFTER_S = 15.0


class LoadSteps:
    """Looks at one net load after the other.

    changed_w: the last change, moved_w: that of the own output. stepped: it was a jump of 100 W.
    """

    def __init__(self) -> None:
        self.changed_w = self.moved_w = 0.0
        self.stepped = False
        self._before: tuple[float, float] | None = None
        self._anchor_w = 0.0
        self._rested_s = 0.0

    @property
    def still(self) -> bool:
        """Whether the load has rested within 30 W for 15 s."""
        return self._rested_s >= _STILL_AFTER_S

    def update(self, net_load_w: float, own_w: float, seconds: float) -> None:
        """The next net load and own output, so long after the last."""
        net_before_w, own_before_w = self._before or (net_load_w, own_w)
        self._before = net_load_w, own_w
        self.changed_w, self.moved_w = net_load_w - net_before_w, own_w - own_before_w
        self.stepped = abs(self.changed_w) > _STEP_W + _RESTLESS * abs(self.moved_w)
        if abs(net_load_w - self._anchor_w) > _STILL_W:
            self._anchor_w, self._rested_s = net_load_w, 0.0
        else:
            self._rested_s += seconds

    def forget(self) -> None:
        """The load was not seen for a while: what it does next is no step."""
        self._before, self._rested_s = None, 0.0
