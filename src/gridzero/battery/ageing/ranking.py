"""Which module gives least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridzero.domain.ageing import CellHealth, Estimate, ModuleHealth


def usable_ah(capacity_ah: Estimate | None, cells: Sequence[CellHealth]) -> float | None:
    """What the smallest cell leaves of a module, Ah; None until half of the cells are known."""
    known = [one.relative_capacity.value for one in cells if one.relative_capacity is not None]
    if capacity_ah is None or 2 * len(known) < len(cells) or not known:
        return None
    return capacity_ah.value * min(1.0, *known)


def weakest_first(modules: Mapping[str, ModuleHealth]) -> tuple[str, ...]:
    """Names of modules by what they give now, least first; without those that nobody knows."""
    gives = {name: ah for name, one in modules.items() if (ah := _gives_ah(one)) is not None}
    return tuple(sorted(gives, key=lambda name: (gives[name], -_ohm(modules[name]), name)))


def _gives_ah(module: ModuleHealth) -> float | None:
    if module.usable_ah is None:
        return None
    return module.usable_ah - (module.imbalance.level_ah if module.imbalance else 0.0)


def _ohm(module: ModuleHealth) -> float:
    return module.ohm.value if module.ohm is not None else 0.0
