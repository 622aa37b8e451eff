"""Days with the whole battery logic: how true its words are, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gridzero.bench.battery.section import Section
from gridzero.bench.battery.whole_house import DAY_S, Days, Life
from gridzero.bench.battery.whole_truth import Learned, Truth, learned, rms, within

QUICK_DAYS = 0.1


class Scene(NamedTuple):
    """What is lived. modules: how many of twelve cells. most_days: so many are enough."""

    name: str
    modules: int
    facts: Mapping[str, Any]
    most_days: float = 1000.0

    def life(self) -> Life:
        """To be lived."""
        return Life(modules={f"b{i + 1}": 12 for i in range(self.modules)}, **self.facts)


_SPREAD = {("b1", 3): 0.05, ("b1", 8): -0.05}
_ODD = {"leaks_ma": {("b1", 5): 6.0}, "small": {("b1", 9): 0.88}}

SCENES = (
    Scene("healthy, published curve", 1, {}),
    Scene("healthy, own curve", 1, {"own_curve": True}),
    Scene("0.1 V spread, a restart each day", 1, {"unlevel": _SPREAD, "restarts": True}),
    Scene("one cell leaks 6 mA, one has 88 %", 1, _ODD),
    Scene("a cell is misread by 60 mV", 4, {"misread_v": {("b3", 7): -0.06}}, 0.6),
)
"""Few modules: a day of nine costs over a minute. Small offsets show from four on."""


def whole_section(days: float, *, modules: int | None = None, quick: bool = False) -> Section:
    """All scenes; quick: some hours of the first. modules: instead of the scenes' own."""
    rows, figures = [], {}
    for scene in SCENES[:1] if quick else SCENES:
        lived = scene._replace(modules=modules or (1 if quick else scene.modules))
        row, plain = _told(live(lived.life(), QUICK_DAYS if quick else min(days, scene.most_days)))
        rows.append((f"{scene.name} ({lived.modules})", *row))
        figures[scene.name] = plain
    return Section(
        f"{QUICK_DAYS if quick else days:g} days with the whole battery logic "
        "(250 mA, 1 % gain, 1 mV, 0.5 K)",
        (
            *("scene (modules)", "SoC rms %", "max %", "within 2 sigma", "capacity %", "+- %"),
            *("worst cell %", "usable %", "spread mV: first day, last", "cell SoC rms %"),
            *("bled Ah", "in vain", "temp in 20 min, rms K", "alarms", "doubts", "maintenance"),
        ),
        tuple(rows),
        figures,
    )


def live(life: Life, days: float) -> tuple[Days, Truth]:
    """Live so long and watch."""
    house = Days(life)
    truth = Truth(house)
    house.run(days, truth.see)
    return house, truth


def _told(lived: tuple[Days, Truth]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """A row of the table, and the same for JSON."""
    house, truth = lived
    late = [one for one in truth.told if one.at_s >= min(DAY_S, house.now_s / 2.0)]
    errors = [100.0 * one.error for one in late]
    known: Learned = learned(house)
    first, last = truth.tops[min(truth.tops)], truth.tops[_last_day(truth, house)]
    plain: dict[str, Any] = {
        "soc_rms_percent": rms(errors),
        "soc_max_percent": max(map(abs, errors), default=0.0),
        "within_2_sigma": within(late),
        **{f"capacity_{key}_percent": value for key, value in known._asdict().items()},
        "spread_mv": [first.spread_mv, last.spread_mv],
        "cell_rms_percent": 100.0 * last.cell_rms,
        "bled_ah": truth.bled_ah,
        "vain_ah": truth.vain_ah,
        "temp_rms_k": rms(truth.temp_errors_c),
        "alarms": dict(truth.alarms),
        "doubts": dict(truth.doubts),
        "maintenance": truth.maintenance,
    }
    row = (
        f"{plain['soc_rms_percent']:.2f}",
        f"{plain['soc_max_percent']:.2f}",
        f"{100.0 * plain['within_2_sigma']:.0f} %",
        *("-" if value is None else f"{value:+.2f}" for value in known),
        f"{first.spread_mv:.1f}, {last.spread_mv:.1f}",
        f"{100.0 * last.cell_rms:.3f}",
        f"{truth.bled_ah:.1f}",
        f"{truth.vain_ah:.1f}",
        f"{plain['temp_rms_k']:.2f}",
        *(", ".join(names) or "none" for names in (truth.alarms, truth.doubts, truth.maintenance)),
    )
    return row, plain


def _last_day(truth: Truth, house: Days) -> int:
    """The last day that was lived to its end."""
    return max((day for day in truth.tops if (day + 1) * DAY_S <= house.now_s), default=0)
