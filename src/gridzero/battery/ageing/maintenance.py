"""What a person should look after, in plain language, most urgent first.

Every row compares a figure with a limit and with its own uncertainty: 108 cells are judged every
time, so what is to be said of one of them has to stand out by several standard deviations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import erf, sqrt
from statistics import median

from gridzero.domain.ageing import Estimate, Maintenance, ModuleHealth, Urgency
from gridzero.domain.trust import Blame, Trust

OUTSTANDING = 4.0
"""Standard deviations by which a cell has to stand out among a hundred."""
_MODULE_OUTSTANDING = 2.0
_OHM_OVER, _OHM_FAR_OVER = 1.35, 2.0
_GROWTH_OVER = 1.25
_CELL_UNDER = 0.93
_MODULE_UNDER = 0.9
_LOSS_MA, _LOSS_FAR_MA = 2.0, 10.0
_LEVEL_PART = 0.03
_WARMER_C, _FAR_WARMER_C = 5.0, 10.0
_HOURS_A_MONTH = 730.0


def maintenance(
    modules: Mapping[str, ModuleHealth], trust: Trust, staying: Mapping[str, float], worn_ah: float
) -> tuple[Maintenance, ...]:
    """All that is worth a person's time.

    staying: for how many days the imbalance of a module has not become smaller. worn_ah: of a
    module, at which it counts as worn out.
    """
    found = [*_misread(trust)]
    siblings = list(modules.values())
    for module in siblings:
        for look in _LOOKS:
            found += look(module)
        found += _small_module(module, siblings, worn_ah)
        found += _imbalance(module, staying.get(module.name, 0.0))
    return tuple(sorted(found, key=lambda one: (-one.urgency, -one.sure, one.subject, one.code)))


def _misread(trust: Trust) -> Iterator[Maintenance]:
    for doubt in trust.cells.values():
        if doubt.blame is Blame.SENSOR:
            yield Maintenance(
                code="cell_misread",
                module=doubt.module,
                cell=doubt.cell,
                urgency=Urgency.SOON,
                what="The voltage of this cell is read wrongly; the cell itself looks well.",
                why=doubt.text,
                sure=0.95,
                remedy="Check the sense wire and its plug at the module, then measure by hand.",
            )


def _resistive_cell(module: ModuleHealth) -> Iterator[Maintenance]:
    ohms = [cell.ohm.value for cell in module.cells if cell.ohm is not None]
    if len(ohms) < 3:
        return
    middle = median(ohms)
    for place, cell in enumerate(module.cells, start=1):
        if cell.ohm is None or not cell.ohm.value > _OHM_OVER * middle:
            continue
        score = (cell.ohm.value - middle) / cell.ohm.sigma
        if score >= OUTSTANDING:
            part = cell.ohm.value / middle
            yield Maintenance(
                code="cell_resistance",
                module=module.name,
                cell=place,
                urgency=Urgency.SOON if part > _OHM_FAR_OVER else Urgency.PLAN,
                what="This cell or its busbar has more resistance than its siblings.",
                why=f"{1000 * cell.ohm.value:.2f} mOhm at 25 degC, its siblings "
                f"{1000 * middle:.2f} mOhm (+- {1000 * cell.ohm.sigma:.2f}).",
                sure=_surety(score),
                remedy="Tighten and clean its busbar joints; if it stays, the cell ages.",
            )


def _growing_cell(module: ModuleHealth) -> Iterator[Maintenance]:
    grown = [cell.growth.value for cell in module.cells if cell.growth is not None]
    if len(grown) < 3:
        return
    usual = median(grown)
    for place, cell in enumerate(module.cells, start=1):
        if cell.growth is None or not cell.growth.value > _GROWTH_OVER * max(1.0, usual):
            continue
        score = (cell.growth.value - usual) / cell.growth.sigma
        if score >= OUTSTANDING:
            yield Maintenance(
                code="cell_resistance_grows",
                module=module.name,
                cell=place,
                urgency=Urgency.PLAN,
                what="The resistance of this cell grows faster than that of its siblings.",
                why=f"{100 * (cell.growth.value - 1):.0f} % more than when first measured, its "
                f"siblings {100 * (usual - 1):.0f} %.",
                sure=_surety(score),
                remedy="Check its busbar joints; plan to replace the module if it goes on.",
            )


def _small_cell(module: ModuleHealth) -> Iterator[Maintenance]:
    for place, cell in enumerate(module.cells, start=1):
        seen = cell.relative_capacity
        if seen is not None and _stands_below(seen, 1.0, _CELL_UNDER, OUTSTANDING):
            yield Maintenance(
                code="cell_capacity",
                module=module.name,
                cell=place,
                urgency=Urgency.PLAN,
                what="This cell holds less than its siblings and ends every cycle of its module.",
                why=f"{100 * seen.value:.1f} % of the mean cell (+- {100 * seen.sigma:.1f} %).",
                sure=_surety((1.0 - seen.value) / seen.sigma),
                remedy="Nothing at once: balancing cannot help. Replace the module when it pays.",
            )


def _losing_cell(module: ModuleHealth) -> Iterator[Maintenance]:
    for place, cell in enumerate(module.cells, start=1):
        loss = cell.self_discharge_ma
        if loss is None or not loss.value > _LOSS_MA or loss.value < OUTSTANDING * loss.sigma:
            continue
        is_far = loss.value > _LOSS_FAR_MA
        month = f", {_month(module, loss):.0f} % a month" if module.capacity_ah else ""
        yield Maintenance(
            code="cell_self_discharge",
            module=module.name,
            cell=place,
            urgency=Urgency.NOW if is_far else Urgency.SOON,
            what="This cell loses charge by itself: a possible internal short.",
            why=f"{loss.value:.1f} mA (+- {loss.sigma:.1f}) more than its siblings{month}.",
            sure=_surety(loss.value / loss.sigma),
            remedy="Take the module out of use and do not charge it until it was examined."
            if is_far
            else "Look for moisture at the sense wires; take the module out if it grows.",
        )


def _hot_module(module: ModuleHealth) -> Iterator[Maintenance]:
    warmer_c = module.warmer_c
    if warmer_c is not None and warmer_c > _WARMER_C:
        yield Maintenance(
            code="module_hot",
            module=module.name,
            cell=None,
            urgency=Urgency.SOON if warmer_c > _FAR_WARMER_C else Urgency.PLAN,
            what="This module is warmer than its siblings.",
            why=f"{warmer_c:.1f} K above the middle module, mean of about a day.",
            sure=0.9,
            remedy="Check its joints and its place: sun, air, distance to the next module.",
        )


def _small_module(
    module: ModuleHealth, siblings: Sequence[ModuleHealth], worn_ah: float
) -> Iterator[Maintenance]:
    own = module.capacity_ah
    others = [one.capacity_ah.value for one in siblings if one is not module and one.capacity_ah]
    if own is None:
        return
    if _stands_below(own, worn_ah, worn_ah, _MODULE_OUTSTANDING):
        usual_ah, code, what = worn_ah, "module_worn", "This module is worn out."
    elif len(others) >= 2 and _stands_below(
        own, median(others), _MODULE_UNDER * median(others), _MODULE_OUTSTANDING
    ):
        usual_ah, code = median(others), "module_capacity"
        what = "This module seems to hold less than its siblings."
    else:
        return
    yield Maintenance(
        code=code,
        module=module.name,
        cell=None,
        urgency=Urgency.PLAN,
        what=what,
        why=f"{own.value:.1f} Ah (+- {own.sigma:.1f}), compared with {usual_ah:.1f} Ah.",
        sure=_surety((usual_ah - own.value) / own.sigma),
        remedy="Measure it alone once; one shunt cannot see a parallel module by itself.",
    )


def _imbalance(module: ModuleHealth, stays_days: float) -> Iterator[Maintenance]:
    seen = module.imbalance
    if seen is None or seen.level_part < _LEVEL_PART or seen.level_ah < 2.0 * seen.sigma_ah:
        return
    stays = stays_days > 0.0
    yield Maintenance(
        code="imbalance_stays" if stays else "imbalance",
        module=module.name,
        cell=None,
        urgency=Urgency.PLAN if stays else Urgency.WATCH,
        what="Balancing does not make the cells of this module level."
        if stays
        else "The cells of this module are not level.",
        why=f"{seen.level_ah:.1f} Ah ({100 * seen.level_part:.0f} %) cannot be used"
        + (f", for {stays_days:.0f} days." if stays else "."),
        sure=_surety(seen.level_ah / max(seen.sigma_ah, 1e-9)),
        remedy="Check that its cells are bled at all and that none loses charge; level it by hand."
        if stays
        else "Nothing: balancing is at work. Full charges give it time.",
    )


_LOOKS: tuple[Callable[[ModuleHealth], Iterator[Maintenance]], ...] = (
    _resistive_cell,
    _growing_cell,
    _small_cell,
    _losing_cell,
    _hot_module,
)


def _stands_below(seen: Estimate, usual: float, limit: float, outstanding: float) -> bool:
    return seen.value < limit and usual - seen.value >= outstanding * seen.sigma


def _month(module: ModuleHealth, loss: Estimate) -> float:
    """Percent of a cell's capacity a month."""
    assert module.capacity_ah is not None
    return loss.value / 1000.0 * _HOURS_A_MONTH / module.capacity_ah.value * 100.0


def _surety(score: float) -> float:
    """How likely it is not chance, 0..1: one-sided normal."""
    return min(0.999, 0.5 * (1.0 + erf(score / sqrt(2.0))))
