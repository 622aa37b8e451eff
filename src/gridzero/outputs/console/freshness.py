"""How old what was heard may be, and what to say when it is older."""

from __future__ import annotations

from gridzero.outputs.console.dig import Heard
from gridzero.outputs.console.paint import Line, duration, line

PERIOD_S = {
    "state": 1.0,
    "cells": 10.0,
    "battery": 10.0,
    "energy": 30.0,
    "score": 60.0,
    "settings": 60.0,
    "health": 600.0,
}
"""How often each topic is said: docs/mqtt.md."""

_STALE_PERIODS = 4.0


def freshness(heard: Heard, topic: str) -> list[Line]:
    """A line of warning where what is shown is old, or nothing was heard yet."""
    period_s, age_s = PERIOD_S[topic], heard.age_s(topic)
    if heard.latest(topic) is None:
        often = duration(period_s)
        return [line(("warn", f"{topic} not heard yet; gridzero says it every {often}"))]
    if heard.is_online is False:
        return [line(("alarm", f"gridzero is offline; this is {duration(age_s)} old"))]
    if age_s > _STALE_PERIODS * period_s:
        return [line(("alarm", f"gridzero says nothing; this is {duration(age_s)} old"))]
    return []
