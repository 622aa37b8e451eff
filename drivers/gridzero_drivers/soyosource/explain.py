"""Bytes of the RS485 line in words, for a person who watches it; pure."""

from __future__ import annotations

from typing import Any

from gridzero.ports.links import CanFrame
from gridzero_drivers.soyosource.codec import Demand, Query, Status, status_name
from gridzero_drivers.soyosource.display_codec import (
    DisplaySettings,
    DisplayStatus,
    Generation,
    parse_display,
)
from gridzero_drivers.soyosource.display_requests import DisplayRequest, parse_display_request
from gridzero_drivers.soyosource.stream import DEMAND, STATUS, STATUS_QUERY, FrameStream


def explain(_options: Any, seen: CanFrame | bytes) -> str:
    """The frames in a piece of the line, and how many bytes belong to none; "" without any."""
    if not isinstance(seen, bytes):
        return ""
    refused: list[str] = []
    stream: FrameStream[Demand | Query | Status] = FrameStream(
        (STATUS, DEMAND, STATUS_QUERY), refused.append
    )
    frames = [_words(frame) for frame in stream.feed(seen)]
    if not frames:
        return _display(seen) or _refused(refused)
    stray = stream.discarded_bytes + len(stream.pending)
    return "; ".join([*frames, f"{stray} bytes besides"] if stray else frames)


def _words(frame: Demand | Query | Status) -> str:
    if isinstance(frame, Demand):
        return f"asks each inverter for {frame.power_w} W"
    if isinstance(frame, Query):
        return "asks for status"
    grid = f"grid {frame.grid_v} V {frame.grid_hz:g} Hz" if frame.grid_hz else "no grid"
    return (
        f"inverter {status_name(frame.code)}: battery {frame.battery_v:.1f} V "
        f"{frame.battery_a:.1f} A, {grid}, {frame.temp_c:.1f} C"
    )


def _refused(reasons: list[str]) -> str:
    """Why what looks like a frame is none."""
    told = [reason for reason in reasons if reason != "noise"]
    return f"a frame that is refused: {told[0]}" if told else ""


def _display(data: bytes) -> str:
    """Frames of the second UART, in case somebody listens there."""
    request = parse_display_request(data)
    if isinstance(request, DisplayRequest):
        return f"a display asks: {request.kind.replace('_', ' ')}"
    for generation in (Generation.DISPLAY, Generation.DONGLE):
        answer = parse_display(data, generation)
        if isinstance(answer, DisplayStatus):
            return f"display: battery {answer.battery_v:.1f} V {answer.battery_a:.1f} A"
        if isinstance(answer, DisplaySettings):
            return f"display settings: limit {answer.limit_w} W, stops at {answer.stop_v} V"
    return ""
