"""What can be protected against: named functions over what is watched.

Each gives what it sees by subject. A value that is not known is None and neither begins nor ends
an alarm; a subject that is not mentioned is well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from gridzero.battery.protection.traces import Traces, times_rating
from gridzero.battery.protection.watched import Watched
from gridzero.domain.trust import Blame

_BATTERY = "battery"
_CURRENT_TO_SHARE_A = 1.0


class Seen(NamedTuple):
    """One value. where: who it is, in words, for the text of an alarm."""

    subject: str
    value: float | None
    where: str


Quantity = Callable[[Watched, Traces, float], Sequence[Seen]]

_UNKNOWN = (Seen(_BATTERY, None, ""),)


def _highest_cell_v(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    """The highest cell as believed, with the margin of a bled one."""
    view = w.view
    return (Seen(_BATTERY, view.max_cell_v, f"cell {view.max_cell}"),) if view else _UNKNOWN


def _lowest_cell_v(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    view = w.view
    return (Seen(_BATTERY, view.min_cell_v, f"cell {view.min_cell}"),) if view else _UNKNOWN


def _cell_spread_v(w: Watched, t: Traces, given: float) -> Sequence[Seen]:
    """Per module at rest, if its mean cell is at ``given`` volts or above.

    Near empty a small difference of charge is a large one of voltage.
    """
    spreads = t.spreads(w)
    if not spreads:
        return tuple(Seen(module.name, None, "") for module in w.modules)
    return tuple(
        Seen(name, spread_v, f"the spread of the cells of module {name}")
        for name, mean_v, spread_v in spreads
        if mean_v >= given
    )


def _cell_rate(_w: Watched, t: Traces, _given: float) -> Sequence[Seen]:
    if t.rates.worst is None:
        return _UNKNOWN
    rate, cell = t.rates.worst
    return (Seen(_BATTERY, rate, f"cell {cell} leaves its neighbours: it"),)


def _highest_c(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    if w.view is None:
        return _UNKNOWN
    return (Seen(_BATTERY, w.view.high_c, "the hottest sensor"),)


def _lowest_c(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    if w.view is None:
        return _UNKNOWN
    return (Seen(_BATTERY, w.view.low_c, "the coldest sensor"),)


def _temp_spread(w: Watched, _t: Traces, given: float) -> Sequence[Seen]:
    """Between modules. Within ``given`` K the bounds of the sensors say enough already."""
    view = w.view
    if view is None or view.low_c is None or view.high_c is None:
        return _UNKNOWN
    if view.high_c - view.low_c <= given:
        return (Seen(_BATTERY, view.high_c - view.low_c, "the difference between modules"),)
    sure = [m for m in w.modules if m.temps and m.name not in w.trust.odd_temps]
    if len(sure) < 2:
        return ()
    hottest = max(sure, key=lambda m: max(t.low_c for t in m.temps))
    coldest = min(sure, key=lambda m: min(t.low_c for t in m.temps))
    spread = max(t.low_c for t in hottest.temps) - min(t.low_c for t in coldest.temps)
    where = f"the difference between the modules {hottest.name} and {coldest.name}"
    return (Seen(_BATTERY, spread, where),)


def _charge_share(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    return _share(w, -1.0, "the charge current of the battery")


def _discharge_share(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    return _share(w, 1.0, "the discharge current of the battery")


def _share(w: Watched, sign: float, where: str) -> Sequence[Seen]:
    current_a = w.current_a
    if current_a is None:
        return _UNKNOWN
    return (Seen(_BATTERY, times_rating(w) if current_a * sign > 0 else 0.0, where),)


def _module_share(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    """The module that carries most: as estimated, else an equal share of each healthy one."""
    current_a, view, rated_a = w.current_a, w.view, w.ratings.max_module_a
    if current_a is None or view is None:
        return _UNKNOWN
    if w.charge is not None and w.charge.modules and abs(current_a) > _CURRENT_TO_SHARE_A:
        most = max(w.charge.modules.values(), key=lambda m: abs(m.current_a))
        return (
            Seen(_BATTERY, abs(most.current_a) / rated_a, f"the current of module {most.name}"),
        )
    if view.healthy == 0:
        return _UNKNOWN
    share = abs(current_a) / view.healthy / rated_a
    return (Seen(_BATTERY, share, "the current of each module"),)


def _surplus(_w: Watched, t: Traces, _given: float) -> Sequence[Seen]:
    return (Seen(_BATTERY, t.surplus.seconds, "current above the rating, summed over a minute,"),)


def _module_apart_v(_w: Watched, t: Traces, given: float) -> Sequence[Seen]:
    """Modules against the middle of all, named when more than ``given`` V off.

    A misread cell counts as estimated. With fewer than two modules nothing can be compared.
    """
    known = [volts for volts in t.sums.values() if volts is not None]
    if len(known) < 2:
        return tuple(Seen(name, None, "") for name in t.sums)
    middle_v = median(known)
    return tuple(
        Seen(name, _off(volts, middle_v), f"module {name}, off the others' voltage,")
        for name, volts in t.sums.items()
        if volts is None or abs(volts - middle_v) > given
    )


def _off(volts: float | None, middle_v: float) -> float | None:
    return None if volts is None else abs(volts - middle_v)


def _converter_apart_v(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    if not w.converter_v:
        return ()
    pack_v = w.view.pack_v if w.view else None
    return tuple(
        Seen(name, None if pack_v is None else abs(v - pack_v), f"{name}, off the cells' voltage,")
        for name, v in w.converter_v.items()
    )


def _untold_charge_a(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    """Charge current while nobody is told to charge."""
    return _unless(w, -1.0, w.told_charge_a == 0.0, "charge that nobody was told to give")


def _forbidden_charge_a(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    limits = w.limits
    is_zero = limits is not None and limits.charge_a == 0.0
    return _unless(w, -1.0, is_zero, "charge that the battery must not get")


def _forbidden_discharge_a(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    limits = w.limits
    is_zero = limits is not None and limits.discharge_a == 0.0
    return _unless(w, 1.0, is_zero, "discharge that the battery must not give")


def _unless(w: Watched, sign: float, is_zero: bool, where: str) -> Sequence[Seen]:
    current_a = w.current_a
    if current_a is None:
        return _UNKNOWN
    return (Seen(_BATTERY, max(0.0, current_a * sign) if is_zero else 0.0, where),)


def _charge_excess_a(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    """What the shunt shows beyond the chargers' set-points."""
    current_a = w.current_a
    if current_a is None or w.told_charge_a is None:
        return _UNKNOWN
    return (Seen(_BATTERY, -current_a - w.told_charge_a, "charge above what was told"),)


def _endless_bleed_s(w: Watched, t: Traces, _given: float) -> Sequence[Seen]:
    if not t.unasked.since_s:
        return ()
    return tuple(
        Seen(name, w.now_s - since_s, f"bleeding of module {name} that nobody asks for")
        for name, since_s in t.unasked.since_s.items()
    )


def _volt_age_s(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    """Of modules without a complete set of cells."""
    if w.view is None or not w.view.silent:
        return ()
    ages = {m.name: _oldest_age_s(w, m.cell_at_s) for m in w.modules}
    return _missing(w, w.view.silent, ages, "sends no complete set of cells: its age")


def _temp_age_s(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    if w.view is None or not w.view.no_temp:
        return ()
    ages = {m.name: _oldest_age_s(w, (m.temp_at_s,)) for m in w.modules}
    return _missing(w, w.view.no_temp, ages, "has no usable temperature: its age")


def _missing(
    w: Watched, names: Sequence[str], ages: Mapping[str, float], what: str
) -> Sequence[Seen]:
    """What was never heard is as old as this run."""
    return tuple(
        Seen(name, min(ages.get(name, w.running_s), w.running_s), f"module {name} {what}")
        for name in names
    )


def _oldest_age_s(w: Watched, times: Sequence[float | None]) -> float:
    known = [at_s for at_s in times if at_s is not None]
    return w.now_s - min(known) if len(known) == len(times) and known else float("inf")


def _implausible(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    if w.view is None or not w.view.implausible:
        return ()
    return tuple(
        Seen(name, 1.0, f"cell {name} reads what cannot be") for name in w.view.implausible
    )


def _misread(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    return _doubts(w, {Blame.SENSOR}) if w.trust.cells else ()


def _odd(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    return _doubts(w, {Blame.CELL, Blame.UNDECIDED}) if w.trust.cells else ()


def _doubts(w: Watched, blamed: set[Blame]) -> Sequence[Seen]:
    doubts = w.trust.cells.values()
    return tuple(Seen(d.name, 1.0, d.text or d.name) for d in doubts if d.blame in blamed)


def _misread_count(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    """Per module: with each, the others have less to be judged by."""
    if not w.trust.cells:
        return ()
    blamed = [d.module for d in w.trust.cells.values() if d.blame is Blame.SENSOR]
    return tuple(
        Seen(name, float(blamed.count(name)), f"number of misread cells of module {name}")
        for name in sorted(set(blamed))
    )


def _apart(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    return _told(w.trust.apart)


def _frozen(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    return _told(w.trust.frozen)


def _odd_temp(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    return _told(w.trust.odd_temps)


def _told(cases: Mapping[str, str]) -> Sequence[Seen]:
    return tuple(Seen(name, 1.0, text or name) for name, text in cases.items()) if cases else ()


def _shunt_sign(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    if not w.trust.shunt_sign_wrong:
        return ()
    return (Seen("shunt", 1.0, "the shunt shows charge as discharge"),)


def _shunt_stuck(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    if not w.trust.shunt_stuck:
        return ()
    return (Seen("shunt", 1.0, "the shunt stands still while the converters move"),)


def _shunt_offset_a(w: Watched, _t: Traces, _given: float) -> Sequence[Seen]:
    offset_a = w.trust.shunt_offset_a
    value = None if offset_a is None else abs(offset_a)
    return (Seen("shunt", value, "what the shunt shows when nothing flows"),)


QUANTITIES: Mapping[str, Quantity] = {
    "highest_cell_v": _highest_cell_v,
    "lowest_cell_v": _lowest_cell_v,
    "cell_spread_v": _cell_spread_v,
    "cell_rate": _cell_rate,
    "highest_c": _highest_c,
    "lowest_c": _lowest_c,
    "temp_spread": _temp_spread,
    "charge_share": _charge_share,
    "discharge_share": _discharge_share,
    "module_share": _module_share,
    "surplus": _surplus,
    "module_apart_v": _module_apart_v,
    "converter_apart_v": _converter_apart_v,
    "untold_charge_a": _untold_charge_a,
    "forbidden_charge_a": _forbidden_charge_a,
    "forbidden_discharge_a": _forbidden_discharge_a,
    "charge_excess_a": _charge_excess_a,
    "endless_bleed_s": _endless_bleed_s,
    "volt_age_s": _volt_age_s,
    "temp_age_s": _temp_age_s,
    "implausible": _implausible,
    "misread": _misread,
    "odd": _odd,
    "misread_count": _misread_count,
    "apart": _apart,
    "frozen": _frozen,
    "odd_temp": _odd_temp,
    "shunt_sign": _shunt_sign,
    "shunt_stuck": _shunt_stuck,
    "shunt_offset_a": _shunt_offset_a,
}
