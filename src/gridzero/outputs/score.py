"""The score as plain values; docs/score.md says what they mean."""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from typing import Any

from gridzero.control.score import DAY_MIN, HOUR_MIN, Score
from gridzero.control.score_figures import Figures
from gridzero.domain.causes import CAUSES


def score_of(score: Score) -> dict[str, Any]:
    """The last hour and the last day, and the prices that ``regret_ct`` counts with now."""
    return {
        "hour": figures_of(score.figures(HOUR_MIN)),
        "day": figures_of(score.figures(DAY_MIN)),
        "import_ct": _round(score.tariff.import_ct),
        "export_ct": _round(score.tariff.export_ct),
    }


def figures_of(figures: Figures) -> dict[str, Any]:
    """JSON-ready, rounded; the causes that cost most come first."""
    plain = {
        field.name: _round(getattr(figures, field.name))
        for field in fields(Figures)
        if field.name != "causes_ws"
    }
    ranked = sorted(figures.causes_ws.items(), key=lambda row: -row[1])
    return plain | {"causes_ws": {cause.value: round(ws) for cause, ws in ranked}}


def headline_of(figures: Figures) -> dict[str, Any]:
    """What is worth a look every second."""
    cause = figures.worst_cause
    return {
        "mean_w": _round(figures.mean_w),
        "import_wh": _round(figures.import_wh),
        "export_wh": _round(figures.export_wh),
        "settle_s": _round(figures.settle_s),
        "auto": _round(figures.auto),
        "known_s": _round(figures.known_s),
        "worst_cause": cause.value if cause else None,
    }


def in_words(figures: Figures) -> str:
    """One line for people; "" before there is anything to say."""
    if figures.mean_w is None or figures.rms_w is None:
        return ""
    words = f"mean {figures.mean_w:.1f} W, RMS {figures.rms_w:.0f} W"
    if figures.settle_s is not None:
        words += f", steps settle in {figures.settle_s:.1f} s"
    cause = figures.worst_cause
    return words if cause is None else f"{words}; most of it: {CAUSES[cause]}"


def _round(value: float | None) -> float | None:
    """A tenth is enough, of what is small a thousandth; what is no finite number is not sent."""
    if value is None or not isfinite(value):
        return None
    return round(value, 1 if abs(value) >= 100.0 else 3)
