"""What the converters say flows."""

from __future__ import annotations

from typing import NamedTuple


class Flow(NamedTuple):
    """Told by chargers and inverters together.

    dc_a: battery current that their telemetry or their commands add up to, A, > 0 discharge;
    None = not known. at_rest: all are told zero and none says that it gives or takes power.
    told_a: what the standing commands alone add up to, A, > 0 discharge; None while one that could
    charge on its own is not heard.
    """

    dc_a: float | None = None
    at_rest: bool = False
    told_a: float | None = None


UNKNOWN_FLOW = Flow()
"""Nobody says anything."""
