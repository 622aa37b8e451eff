"""kev300's lag compensations for the syssi meter: pull requests 122 and 140, never merged.

Both send on every sample (soyosource notes, section 4.2).
"""

from __future__ import annotations

from math import ceil

from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.laws.syssi import BUFFER_W


class PullRequest122:
    """Meets law.Law. Takes the last step off until the meter shows it, or 4 s are over."""

    timer_s: float | None = None
    _LAG_S, _PART = 4.0, 0.65

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._last_w = 0
        self._last_import_w = 0
        self._step_w = 0
        self._since_s = 0.0

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law."""
        import_w = ceil(grid_w) - BUFFER_W
        demand_w = int(self._setting.within(self._demand(now_s, import_w)))
        if self._step_w == 0:
            self._step_w, self._since_s = demand_w - self._last_w, now_s
        self._last_w = demand_w

    def command(self, _now_s: float) -> float:
        """See law.Law."""
        return self._last_w

    def _demand(self, now_s: float, import_w: int) -> int:
        last_w, late = self._last_w, now_s > self._since_s + self._LAG_S
        if import_w == 0 or (import_w == self._last_import_w and not late):
            return last_w
        moved_w = abs(self._last_import_w - import_w)
        enough_w = abs(self._step_w) * self._PART
        self._last_import_w = import_w
        if self._step_w != 0 and (moved_w > enough_w or late):
            self._step_w = 0
        demand_w = import_w + last_w - self._step_w
        wrong_way = (import_w > 0 and demand_w < last_w) or (import_w < 0 and demand_w > last_w)
        return last_w if self._step_w != 0 and wrong_way else demand_w


class PullRequest140:
    """Meets law.Law. Sums up the steps not yet seen; forgotten when the sign turns or after 5 s."""

    timer_s: float | None = None
    _LAG_S = 5.0
    _SMALL_W, _LARGE_W = 15, 30

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._last_w = 0
        self._unseen_w = 0
        self._since_s = 0.0

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law."""
        import_w, last_w = ceil(grid_w) - BUFFER_W, self._last_w
        if import_w == 0 or self._unseen_w * import_w < 0 or now_s > self._since_s + self._LAG_S:
            self._unseen_w, self._since_s = 0, now_s
        demand_w = int(self._setting.within(import_w + last_w - self._unseen_w))
        unseen_w = self._unseen_w + demand_w - last_w
        wrong_way = (import_w > 0 and demand_w < last_w) or (import_w < 0 and demand_w > last_w)
        if self._unseen_w != 0 and wrong_way:
            self._unseen_w = unseen_w
            return
        if abs(self._unseen_w) <= self._SMALL_W and abs(unseen_w) > self._LARGE_W:
            self._since_s = now_s
        self._unseen_w, self._last_w = unseen_w, demand_w

    def command(self, _now_s: float) -> float:
        """See law.Law."""
        return self._last_w
