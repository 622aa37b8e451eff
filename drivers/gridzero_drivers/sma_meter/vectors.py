"""Checks test vectors: ``payload_hex`` is a datagram; ``expect`` has grid_w, or no_reading.

With grid_w there may be serial, susy_id and ticker_ms; with no_reading there may be why.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

from gridzero_drivers.sma_meter.codec import NotOurs, decode


def check_vector(vector: Mapping[str, Any]) -> str:
    """Run one vector; "" or what differs."""
    expect, got = vector["expect"], decode(bytes.fromhex(vector["payload_hex"]))
    if isinstance(got, NotOurs):
        fits = expect.get("no_reading") is True and expect.get("why", got) == got
        return "" if fits else f"no reading ({got}) instead of {expect}"
    if "grid_w" not in expect or not isclose(got.grid_w, expect["grid_w"], abs_tol=1e-6):
        return f"read {got.grid_w:g} W instead of {expect}"
    others = {key: value for key, value in expect.items() if key != "grid_w"}
    differ = [key for key, value in others.items() if getattr(got, key, None) != value]
    return f"{', '.join(differ)} of {got} instead of {expect}" if differ else ""
