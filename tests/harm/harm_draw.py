"""Draws scenarios: the same rules for hypothesis (which shrinks) and for seeded dice (which count)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol, TypeVar

from harm_catalogue import TROUBLES
from harm_play import BEGIN_S, Plan, Turn
from harm_world import Start
from hypothesis import strategies as st

T = TypeVar("T")

_SPAN_S = 45.0
_LENGTHS_S = (0.5, 3.0, 8.0, 20.0, 50.0)
_SOCS = (0.5, 0.5, 0.02, 0.08, 0.15, 0.75, 0.82, 0.9, 0.97)
_TEMPS_C = (18.0, 18.0, 18.0, 1.5, 4.0, 41.0, 49.0)
_LOADS_W = ((600.0, 0.0), (200.0, 1300.0), (350.0, 0.0), (100.0, 700.0), (800.0, 800.0))
_MODES = (("auto", 0.0),) * 5 + (("charge", 900.0), ("discharge", 500.0), ("hold", 0.0))
_NAMES = tuple(row.name for row in TROUBLES)


class Chance(Protocol):
    """Where the numbers come from."""

    def one_of(self, choices: Sequence[T]) -> T: ...
    def between(self, low: float, high: float) -> float: ...


class Dice:
    """Seeded."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def one_of(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def between(self, low: float, high: float) -> float:
        return round(self._random.uniform(low, high), 2)


class _Drawn:
    """By hypothesis: the first choice is the simplest."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def one_of(self, choices: Sequence[T]) -> T:
        return self._draw(st.sampled_from(choices))

    def between(self, low: float, high: float) -> float:
        return self._draw(st.integers(round(low * 4), round(high * 4))) / 4


def draw_plan(chance: Chance) -> Plan:
    """One to three troubles at random times in a house drawn at random."""
    count = chance.one_of((1, 2, 2, 2, 3, 3))
    turns: list[Turn] = []
    while len(turns) < count:
        name = chance.one_of([n for n in _NAMES if n not in {t.name for t in turns}])
        at_s = BEGIN_S + chance.between(0.0, _SPAN_S)
        turns.append(Turn(name, at_s, chance.one_of(_LENGTHS_S), chance.between(0.0, 1.0)))
    return Plan(_draw_start(chance), tuple(turns))


def _draw_start(chance: Chance) -> Start:
    load_w, sun_w = chance.one_of(_LOADS_W)
    mode, power_w = chance.one_of(_MODES)
    weak = chance.one_of((None, None, None, (0, 5, 0.06), (2, 11, 0.2), (1, 1, -0.08)))
    return Start(
        config=chance.one_of(("small",) * 9 + ("nine",)),
        soc=chance.one_of(_SOCS),
        temp_c=chance.one_of(_TEMPS_C),
        load_w=load_w,
        sun_w=sun_w,
        mode=mode,
        power_w=power_w,
        stored=chance.one_of(("nothing", "nothing", "max_v", "factory")),
        contactor=chance.one_of((False, True)),
        weak=weak,
        seed=chance.one_of(range(20)),
    )


def plans() -> st.SearchStrategy[Plan]:
    """For ``@given``."""

    @st.composite
    def drawn(draw: Any) -> Plan:
        return draw_plan(_Drawn(draw))

    return drawn()


def plan_of(seed: int) -> Plan:
    """The plan of this number, always the same."""
    return draw_plan(Dice(seed))
