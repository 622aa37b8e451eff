"""From the shares of now to those that are wanted, so that the sum is right all the way.

Two movements. *Fold*: the sum stays and power moves from unit to unit, slowly enough for every
ramp. *Quick*: the sum has to change by much, so all units that can move move at once; two ramps
are twice as quick, and a unit that may be cut to 0 at once takes its whole power away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from gridzero.control.best_split import Line, level
from gridzero.domain.converters import ConverterSpec

_PART_OF_RAMP = 0.25  # what a fold takes of the slowest ramp
_LOOK = ((0.25, 0.5), (0.75, 0.5), (1.5, 1.0), (2.5, 1.0), (4.0, 2.0), (6.5, 3.0), (10.0, 4.0))
_GAIN_WS = 150.0  # worth changing the plan for
_START_WS = 200.0  # what one more start must gain on top, besides its energy
_TRY_ALL = 3
_ZERO_W = 1.0
_AT_ONCE_W_PER_S = 1e5


class Unit(NamedTuple):
    """output_w: what it gives when a command of now reaches it. may: whether it may be used."""

    name: str
    spec: ConverterSpec
    output_w: float
    may: bool = True


def fold(
    power_w: float,
    shares: Mapping[str, float],
    wanted: Mapping[str, float],
    specs: Mapping[str, ConverterSpec],
    seconds: float,
) -> dict[str, float]:
    """The next shares on the way from shares to wanted, both W by name; they add up to power_w.

    wanted: adds up to power_w already. Units that come in begin at their minimum, units that go
    end at it.
    """
    before_w = sum(shares.values())
    if before_w <= 0.0 or (len(wanted) == 1 and shares.keys() == wanted.keys()):
        return dict(wanted)
    names = [name for name in specs if shares.get(name, 0.0) > 0.0 or wanted.get(name, 0.0) > 0.0]
    scaled = {name: shares.get(name, 0.0) * power_w / before_w for name in names}
    change = {name: wanted.get(name, 0.0) - scaled[name] for name in names}
    most_w = max(map(abs, change.values()))
    may_w = _pace_w_per_s(specs[name] for name in names) * seconds
    part = min(1.0, may_w / most_w) if most_w > 0.0 else 1.0
    moved = {name: scaled[name] + part * change[name] for name in names}
    held = [n for n in names if wanted.get(n, 0.0) > 0.0 or moved[n] >= specs[n].min_w]
    lines = [Line(moved[n], 1.0, specs[n].min_w, specs[n].max_w) for n in held]
    if part >= 1.0 or sum(line.low_w for line in lines) > power_w:
        return dict(wanted)
    return dict(zip(held, level(power_w, lines), strict=True))


def quick(
    power_w: float, units: Sequence[Unit], plan: Mapping[str, float]
) -> dict[str, float] | None:
    """Shares that bring the sum to power_w sooner than plan would; None where nothing is gained.

    plan: the shares otherwise asked for; units that are not in the result are told 0.
    """
    best: dict[str, float] | None = None
    least_ws = missed_ws(power_w, units, plan) - _GAIN_WS
    for chosen in _sets([unit for unit in units if unit.may]):
        shares = _fastest(power_w, chosen)
        if shares is None:
            continue
        missed = missed_ws(power_w, units, shares) + _starts_ws(units, shares, plan)
        if missed < least_ws:
            best, least_ws = shares, missed
    return best


def missed_ws(power_w: float, units: Sequence[Unit], shares: Mapping[str, float]) -> float:
    """Error of the sum over the next dozen seconds, Ws, if these shares are commanded."""
    ways = [(unit, shares.get(unit.name, 0.0)) for unit in units]
    return sum(
        width_s * abs(power_w - sum(_output_w(unit, share_w, at_s) for unit, share_w in ways))
        for at_s, width_s in _LOOK
    )


def _fastest(power_w: float, units: Sequence[Unit]) -> dict[str, float] | None:
    """Shares at which all of these units arrive together."""
    if sum(unit.spec.min_w for unit in units) > power_w:
        return None
    begin_w = [_begin_w(unit) for unit in units]
    rises = sum(begin_w) <= power_w
    lines = [
        Line(
            at_w,
            min(_AT_ONCE_W_PER_S, d.rise_w_per_s if rises else d.fall_w_per_s),
            unit.spec.min_w,
            unit.spec.max_w,
        )
        for unit, at_w in zip(units, begin_w, strict=True)
        for d in (unit.spec.dynamics,)
    ]
    return dict(zip((unit.name for unit in units), level(power_w, lines), strict=True))


def _begin_w(unit: Unit) -> float:
    return max(unit.output_w, unit.spec.dynamics.jump_w)


def _output_w(unit: Unit, share_w: float, after_s: float) -> float:
    """What it gives so long after the command has reached it."""
    dynamics, output_w = unit.spec.dynamics, unit.output_w
    if share_w <= 0.0 and dynamics.zero_at_once:
        return 0.0
    if share_w <= output_w:
        return max(share_w, output_w - dynamics.fall_w_per_s * after_s)
    if output_w < _ZERO_W:
        after_s -= dynamics.start_s
        if after_s < 0.0:
            return output_w
    return min(share_w, max(output_w, dynamics.jump_w) + dynamics.rise_w_per_s * after_s)


def _starts_ws(
    units: Sequence[Unit], shares: Mapping[str, float], plan: Mapping[str, float]
) -> float:
    """What the starts cost that the plan does not need: helpers, and who is cut and comes back."""
    return sum(
        _START_WS + 3600.0 * unit.spec.loss_curve.start_wh
        for unit in units
        if (unit.name in plan) != (unit.name in shares)
        and (unit.output_w < _ZERO_W) == (unit.name in shares)
    )


def _sets(units: Sequence[Unit]) -> Iterator[Sequence[Unit]]:
    if len(units) > _TRY_ALL:
        yield from (units[:size] for size in range(1, len(units) + 1))
        return
    for size in range(1, len(units) + 1):
        yield from combinations(units, size)


def _pace_w_per_s(specs: Iterator[ConverterSpec]) -> float:
    ramps = (min(s.dynamics.rise_w_per_s, s.dynamics.fall_w_per_s) for s in specs)
    return _PART_OF_RAMP * min(ramps)
