"""The numbers by which readings are judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PlausibilityRules:
    """Thresholds for modules of about a dozen cells. *_v volts, *_s seconds, *_a ampere.

    Judging together: poll_s is how far apart cells and modules of one round may be measured;
    lost_s: without a new round so long, every excuse has ended.
    Sums: sum_tolerance_v is what the sums of modules in parallel may differ by without current;
    joint_ohm, between a module and the others, adds to it per ampere; unknown_a is assumed per
    module while nobody measures. quiet_v: a sum that moved more within two polls says nothing new.
    One cell: like_v, most_like_v bound how near to its siblings a corrected cell has to be;
    odd_cell_v from the siblings is an odd cell. earn_rounds within at least earn_s excuse a cell.
    Bleeding: bleed_v is how much lower a bled cell may read (vw-gte protocol notes, 7.14);
    bled_s: so long an excuse lives on while too many cells are bled to compare.
    Modules: apart_v (protocol notes, 4.2 rule 9) for apart_s; moved_v of the others shows whether
    a module follows.
    """

    poll_s: float = 0.75
    lost_s: float = 2.5
    sum_tolerance_v: float = 0.10
    joint_ohm: float = 0.004
    unknown_a: float = 5.0
    quiet_v: float = 0.12
    like_v: float = 0.05
    most_like_v: float = 0.15
    odd_cell_v: float = 0.30
    rival_v: float = 0.15
    real_v: float = 0.20
    earn_s: float = 2.0
    earn_rounds: int = 4
    bleed_v: float = 0.05
    bled_s: float = 120.0
    apart_v: float = 0.50
    apart_s: float = 5.0
    moved_v: float = 0.15

    def __post_init__(self) -> None:
        """Raise ValueError for numbers by which nothing could be judged."""
        if not 0 < self.sum_tolerance_v < self.real_v <= self.odd_cell_v < self.apart_v:
            raise ValueError("0 < sum_tolerance_v < real_v <= odd_cell_v < apart_v does not hold")
        if not 0 < self.like_v <= self.most_like_v:
            raise ValueError("0 < like_v <= most_like_v does not hold")
        if not (self.earn_rounds >= 2 and self.earn_s > 0):
            raise ValueError("an excuse has to be earned: two rounds at least")
