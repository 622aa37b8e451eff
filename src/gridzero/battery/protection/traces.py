"""What needs more than one moment to be seen: rest, rates, sums over time, endless bleeding."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from math import isfinite
from operator import is_
from statistics import median
from typing import NamedTuple

from gridzero.battery.protection.watched import Watched
from gridzero.battery.view import believed_sum_v, read_v
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Trust

_REST_A, _RELAXED_S = 1.0, 120.0
_RATE_STEP_S, _RATE_STEPS = 10.0, 3
_WINDOW_S = 60.0
_MAX_SAMPLE_S = 2.0
_SMALL_RATING_A = 10.0
_LOAD_APART_V = 0.05
"""By how much unlike resistances may hide a spread: 12.5 A through 4 mOhm more or less."""

Cells = tuple[float | None, ...]


class Seen(NamedTuple):
    """One value of a quantity. where: who it is, in words, for the text of an alarm."""

    subject: str
    value: float | None
    where: str


class Traces:
    """Brought up to date once a tick; the quantities only look.

    rested_s: how long less than 1 A has flowed, None = it flows, or nobody knows. sums: each
    module's voltage with misread cells as estimated, None where a cell is not known.
    """

    def __init__(self) -> None:
        self.rested_s: float | None = None
        self.sums: dict[str, float | None] = {}
        self.rates = CellRates()
        self.surplus = Surplus()
        self.unasked = UnaskedBleeding()
        self._rest_began_s: float | None = None
        self._modules: tuple[ModuleReading, ...] = ()
        self._trust: Trust | None = None
        self._spreads_of: object = None
        self._spreads: tuple[Seen, ...] = ()

    def note(self, w: Watched) -> None:
        """Look at one tick."""
        self._note_rest(w)
        self.surplus.note(w)
        self.unasked.note(w)
        if w.trust is not self._trust or not _same(w.modules, self._modules):
            self._modules, self._trust = w.modules, w.trust
            self.sums = {m.name: believed_sum_v(m, w.trust) for m in w.modules}
            self.rates.note(w)

    def spreads(self, w: Watched, from_v: float) -> tuple[Seen, ...]:
        """Spread of the cells' rest voltages by module, of those whose mean is at from_v or above.

        From the estimate where there is one, else from readings after two minutes of rest. An
        estimate that began wrong (another module in the old one's place) may not accuse cells
        that read alike.
        """
        at_rest = self.rested_s is not None and self.rested_s >= _RELAXED_S
        basis = w.charge or (self._modules if at_rest else None)
        if basis is None:
            return tuple(Seen(module.name, None, "") for module in w.modules)
        if basis is not self._spreads_of:
            self._spreads_of, self._spreads = basis, tuple(_spreads_of(w, from_v))
        return self._spreads

    def _note_rest(self, w: Watched) -> None:
        current_a = w.current_a
        if current_a is None or not abs(current_a) <= _REST_A:
            self._rest_began_s = self.rested_s = None
            return
        if self._rest_began_s is None:
            self._rest_began_s = w.now_s
        self.rested_s = w.now_s - self._rest_began_s


class CellRates:
    """How fast a cell leaves the middle of its module, whatever the load does to all of them.

    worst: V/s over half a minute with the cell's name, None = not known. A module is judged
    between two moments at which it bled the same cells: to begin and to end moves the reading.
    """

    def __init__(self) -> None:
        self.worst: tuple[float, str] | None = None
        self._past: deque[tuple[float, dict[str, tuple[int, Cells]]]] = deque(maxlen=_RATE_STEPS)

    def note(self, w: Watched) -> None:
        """Look at a new set of readings."""
        if self._past and w.now_s - self._past[-1][0] < _RATE_STEP_S:
            return
        apart = {m.name: (m.bleeding, _from_the_middle(read_v(m, w.trust))) for m in w.modules}
        if len(self._past) == _RATE_STEPS:
            before_s, before = self._past[0]
            self.worst = _fastest(before, apart, w.now_s - before_s)
        self._past.append((w.now_s, apart))


class Surplus:
    """Current above the rating, summed over the last minute.

    seconds: in seconds of full rating, so 10 is 10 s at twice the rating, or 50 s at 1.2 times.
    A gap between two samples counts for 2 s at most: what nobody measured is not made up.
    """

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._sum_s = 0.0
        self._at_s: float | None = None
        self._recent: deque[tuple[float, float]] = deque()

    def note(self, w: Watched) -> None:
        """Look at one tick; a shunt sample counts once."""
        if w.shunt is None or w.current_a is None:
            self.seconds = None
            return
        at_s = w.shunt.at_s
        if self._at_s is not None and at_s > self._at_s:
            self._add(at_s, min(at_s - self._at_s, _MAX_SAMPLE_S) * max(0.0, times_rating(w) - 1.0))
        self._at_s = at_s
        self._forget(w.now_s)
        self.seconds = self._sum_s

    def _add(self, at_s: float, seconds: float) -> None:
        if seconds > 0.0:
            self._recent.append((at_s, seconds))
            self._sum_s += seconds

    def _forget(self, now_s: float) -> None:
        while self._recent and now_s - self._recent[0][0] > _WINDOW_S:
            self._sum_s -= self._recent.popleft()[1]
        if not self._recent:
            self._sum_s = 0.0


class UnaskedBleeding:
    """Modules that say they bleed though nobody asks them to. since_s: by module name."""

    def __init__(self) -> None:
        self.since_s: dict[str, float] = {}

    def note(self, w: Watched) -> None:
        """Look at one tick."""
        for module in w.modules:
            if module.bleeding and not w.bleed_told.get(module.name, 0):
                self.since_s.setdefault(module.name, w.now_s)
            elif self.since_s:
                self.since_s.pop(module.name, None)


def times_rating(w: Watched) -> float:
    """Battery current as a multiple of its rating, nan = not known.

    Ratings below 10 A count as 10 A: there the error of a shunt would be a large part.
    """
    current_a = w.current_a
    if current_a is None:
        return float("nan")
    rated_a = w.ratings.max_charge_a if current_a < 0 else w.ratings.max_discharge_a
    return abs(current_a) / max(rated_a, _SMALL_RATING_A)


def _same(new: Sequence[ModuleReading], old: Sequence[ModuleReading]) -> bool:
    return len(new) == len(old) and all(map(is_, new, old))


def _estimated(charge: BatteryCharge, trust: Trust) -> dict[str, list[float]]:
    """Rest voltages. Misread cells do not count: what is known of them rests on the others."""
    return {
        name: [
            cell.open_v for i, cell in enumerate(module.cells, 1) if trust.misread(name, i) is None
        ]
        for name, module in charge.modules.items()
    }


def _measured(w: Watched) -> dict[str, list[float]]:
    return {m.name: [v for v in read_v(m, w.trust) if v is not None] for m in w.modules}


def _spreads_of(w: Watched, from_v: float) -> Iterator[Seen]:
    if not w.charge:
        yield from _spreads(_measured(w), from_v)
        return
    read = {one.subject: one.value for one in _spreads(_measured(w), 0.0)}
    for one in _spreads(_estimated(w.charge, w.trust), from_v):
        read_v = read.get(one.subject)
        if one.value is None or read_v is None:
            yield one
        else:
            yield one._replace(value=min(one.value, read_v + _LOAD_APART_V))


def _spreads(volts: dict[str, list[float]], from_v: float) -> Iterator[Seen]:
    for name, cells in volts.items():
        if len(cells) > 1 and not sum(cells) < from_v * len(cells):
            spread_v = max(cells) - min(cells) if isfinite(sum(cells)) else None
            yield Seen(name, spread_v, f"the spread of the cells of module {name}")


def _from_the_middle(volts: Cells) -> Cells:
    known = [v for v in volts if v is not None]
    if len(known) < 3:
        return (None,) * len(volts)
    middle_v = median(known)
    return tuple(None if v is None else v - middle_v for v in volts)


def _fastest(
    before: dict[str, tuple[int, Cells]], after: dict[str, tuple[int, Cells]], seconds: float
) -> tuple[float, str] | None:
    worst: tuple[float, str] | None = None
    for name in before.keys() & after.keys():
        (old_bled, old), (new_bled, new) = before[name], after[name]
        if old_bled != new_bled:
            continue
        for i, (old_v, new_v) in enumerate(zip(old, new, strict=False), 1):
            if old_v is None or new_v is None:
                continue
            rate = abs(new_v - old_v) / seconds
            if worst is None or rate > worst[0]:
                worst = rate, f"{name}.{i}"
    return worst
