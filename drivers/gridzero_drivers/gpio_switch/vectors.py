"""Checks test vectors: what the pin shows, beat by beat.

feed: level or heartbeat. wanted: for each beat whether the lease holds, as a string of 0 and 1.
expect: the levels of the pin, 1 is high.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridzero_drivers.gpio_switch.codec import Feed, levels


def check_vector(vector: Mapping[str, Any]) -> str:
    """Run one vector; "" or what differs."""
    wanted = [letter == "1" for letter in str(vector["wanted"])]
    active_low = bool(vector.get("active_low", False))
    shown = levels(Feed(vector["feed"]), wanted, active_low=active_low)
    expected = str(vector["expect"])
    return "" if shown == expected else f"the pin shows {shown}, not {expected}"
