"""Between what the numbers of a profile may be moved: nothing looser than is safe."""

from __future__ import annotations

_SHARED = {
    "bleed_margin_v": (0.0, 0.2),
    "volt_fresh_s": (0.5, 2.0),
    "volt_dead_s": (1.0, 4.4),  # then zero is on the wire within 5 s: a tick, a gap of the wire
    "temp_fresh_s": (1.0, 10.0),
    "temp_dead_s": (5.0, 30.0),
    "recovery_per_s": (0.001, 0.2),
    "rest_relief_v": (0.0, 0.2),
    "full_charge_days": (1.0, 365.0),
}

BOUNDS: dict[str, dict[str, tuple[float, float]]] = {
    "vw_gte_12s": {
        "full_cell_v": (3.60, 4.15),
        "full_release_v": (3.50, 4.12),
        "empty_cell_v": (3.00, 3.60),
        "empty_release_v": (3.05, 3.70),
        "over_cell_v": (3.80, 4.20),
        "over_release_v": (3.70, 4.18),
        "under_cell_v": (2.70, 3.40),
        "under_release_v": (2.80, 3.60),
        "max_cell_v": (3.60, 4.15),
        "plausible_min_v": (1.0, 2.5),
        "plausible_max_v": (4.25, 5.0),
        **_SHARED,
    },
    "nmc": {
        "full_cell_v": (3.60, 4.15),
        "full_release_v": (3.50, 4.12),
        "empty_cell_v": (2.90, 3.60),
        "empty_release_v": (3.00, 3.70),
        "over_cell_v": (3.80, 4.20),
        "over_release_v": (3.70, 4.18),
        "under_cell_v": (2.70, 3.40),
        "under_release_v": (2.80, 3.60),
        "max_cell_v": (3.60, 4.17),
        "plausible_min_v": (1.0, 2.4),
        "plausible_max_v": (4.25, 5.0),
        **_SHARED,
    },
    "lfp": {
        "full_cell_v": (3.40, 3.60),
        "full_release_v": (3.33, 3.55),
        "empty_cell_v": (2.70, 3.20),
        "empty_release_v": (2.90, 3.25),
        "over_cell_v": (3.50, 3.65),
        "over_release_v": (3.40, 3.60),
        "under_cell_v": (2.50, 3.00),
        "under_release_v": (2.70, 3.20),
        "max_cell_v": (3.40, 3.62),
        "plausible_min_v": (1.0, 2.2),
        "plausible_max_v": (3.80, 5.0),
        **_SHARED,
    },
}
"""By profile and number."""

ORDER = (
    ("full_release_v", "full_cell_v"),
    ("empty_cell_v", "empty_release_v"),
    ("over_release_v", "over_cell_v"),
    ("under_cell_v", "under_release_v"),
    ("full_cell_v", "over_cell_v"),
    ("under_cell_v", "empty_cell_v"),
    ("volt_fresh_s", "volt_dead_s"),
    ("temp_fresh_s", "temp_dead_s"),
)
"""The first of each pair is below the second."""
