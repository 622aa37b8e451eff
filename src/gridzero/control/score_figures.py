"""The figures of a score, from the columns of its minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from gridzero.control.minute_ring import MinuteRing
from gridzero.domain.causes import Cause

COLUMNS = (
    "known_s",
    "unknown_s",
    "held_s",
    "error_ws",
    "square_w2s",
    "import_ws",
    "export_ws",
    "bought_ws",
    "sold_ws",
    "limited_s",
    "limited_ws",
    "still_s",
    "still_ws",
    "steps",
    "unsettled",
    "settle_s",
    "settle_max_s",
    "starts",
    "travel_w",
    "regret_ct",
    *Cause,
)
_WS_PER_WH = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a stretch of time was worth. None: nothing that could be counted happened.

    known_s, unknown_s: with and without a meter that could be believed. auto: share of the known
    time in which the grid was held, 0..1; all errors but causes_ws are of that time.
    mean_w, rms_w: of the avoidable |error|. import_wh, export_wh: its two sides.
    total_import_wh, total_export_wh: all that was bought and sold.
    limited_s, limited_wh: how long, and by how much, limits and the ends of converters left an
    error that no control law could cover.
    steps: of the load, seen by ourselves; settle_s, settle_max_s: from such a step until the
    avoidable error stays within 25 W for 10 s. unsettled: steps that never did.
    still_w: mean avoidable |error| while the load rests. starts: of converters.
    travel_kw_h: way of the battery power, kW per hour.
    regret_ct: avoidable import less avoidable export, at the prices of their time.
    error_ws: all |error|, W s; causes_ws: the same by cause, they add up to it.
    """

    known_s: float
    unknown_s: float
    auto: float | None
    mean_w: float | None
    rms_w: float | None
    import_wh: float
    export_wh: float
    total_import_wh: float
    total_export_wh: float
    limited_s: float
    limited_wh: float
    steps: int
    unsettled: int
    settle_s: float | None
    settle_max_s: float | None
    still_w: float | None
    starts: int
    travel_kw_h: float | None
    regret_ct: float
    error_ws: float
    causes_ws: Mapping[Cause, float]

    @property
    def worst_cause(self) -> Cause | None:
        """What most of the error is put down to; None without any."""
        return max(self.causes_ws, key=lambda cause: self.causes_ws[cause], default=None)


def figures(ring: MinuteRing, minutes: int) -> Figures:
    """Of the last minutes."""
    sums = {name: ring.total(name, minutes) for name in COLUMNS}
    held_s, known_s, steps = sums["held_s"], sums["known_s"], round(sums["steps"])
    mean_square = _ratio(sums["square_w2s"], held_s)
    return Figures(
        known_s=known_s,
        unknown_s=sums["unknown_s"],
        auto=_ratio(held_s, known_s),
        mean_w=_ratio(sums["import_ws"] + sums["export_ws"], held_s),
        rms_w=None if mean_square is None else sqrt(mean_square),
        import_wh=sums["import_ws"] / _WS_PER_WH,
        export_wh=sums["export_ws"] / _WS_PER_WH,
        total_import_wh=sums["bought_ws"] / _WS_PER_WH,
        total_export_wh=sums["sold_ws"] / _WS_PER_WH,
        limited_s=sums["limited_s"],
        limited_wh=sums["limited_ws"] / _WS_PER_WH,
        steps=steps,
        unsettled=round(sums["unsettled"]),
        settle_s=_ratio(sums["settle_s"], steps),
        settle_max_s=ring.largest("settle_max_s", minutes) if steps else None,
        still_w=_ratio(sums["still_ws"], sums["still_s"]),
        starts=round(sums["starts"]),
        travel_kw_h=_ratio(sums["travel_w"] * 3.6, known_s),
        regret_ct=sums["regret_ct"],
        error_ws=sums["error_ws"],
        causes_ws={cause: sums[cause] for cause in Cause if sums[cause] > 0},
    )


def _ratio(amount: float, of: float) -> float | None:
    return amount / of if of > 0 else None
