"""The meter's section of the configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gridzero_drivers.metering.places import Timing


class SmaMeterOptions(Timing):
    """An SMA Energy Meter or Home Manager on a UDP link.

    link: name of a link of type udp. serial: of the meter; needed where several speak.
    """

    driver: Literal["sma_meter"]
    link: str = Field(min_length=1)
    serial: int | None = Field(default=None, ge=0, le=0xFFFFFFFF)
    latency_s: float = Field(default=0.1, ge=0, le=30)
    expected_interval_s: float = Field(default=1.0, gt=0, le=3600)
