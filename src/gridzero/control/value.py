"""The target leans to the side on which an error costs less (control notes, section D.5).

A Wh sold too much costs what the battery could have earned with it later, less the export price;
a Wh bought too much costs the import price less that value. The best place for the target is
where the two balance: P(grid > target) = c_export / (c_import + c_export), a quantile of the error.
It is found by stochastic approximation: a small step up after each reading on the one side, one
down after each on the other, so an error counts by its sign and for as long as it lasts, never by
its size.
"""

from __future__ import annotations

from math import isfinite

from gridzero.domain.value import Lean, Outlook, Prices

_PER_S = 0.05  # W/s: an hour for a restless house, and far slower than the trim
_BACK_PER_S = 0.1
_BOUND_W = 40.0
_LONGEST_STEP_S = 2.0
_EXTREME = 0.05  # nothing is so sure that an error on one side is free
_LARGEST_ERROR_W = 150.0  # beyond it a load has just changed, and a bias would change nothing
_SHARE_OF_WISH = 0.25
_KEPT = 0.75  # of a stored kWh that leaves an inverter in a poor hour


def stored_ct(prices: Prices, outlook: Outlook) -> tuple[float | None, Lean]:
    """Value of a kWh that the battery could give later, ct AC, and why; None = not known."""
    if prices.stored_ct is not None and isfinite(prices.stored_ct):
        return prices.stored_ct, Lean.STORED_VALUE
    if outlook is Outlook.EMPTYING:
        return prices.import_ct, Lean.EMPTYING
    if outlook is Outlook.FILLING:
        return prices.export_ct, Lean.FILLING
    return None, Lean.UNKNOWN


def import_share(prices: Prices | None, outlook: Outlook) -> tuple[float | None, Lean]:
    """How often the grid should be above its target, 0.05..0.95; None = do not lean. And why.

    Prices that are no numbers are no prices.
    """
    if prices is None or not (isfinite(prices.import_ct) and isfinite(prices.export_ct)):
        return None, Lean.NO_PRICES
    spread_ct = prices.import_ct - prices.export_ct
    if not spread_ct > 0.0:
        return None, Lean.EXPORT_DEARER
    value_ct, lean = stored_ct(prices, outlook)
    if value_ct is None:
        return None, lean
    share = (value_ct - prices.export_ct) / spread_ct
    return max(_EXTREME, min(1.0 - _EXTREME, share)), lean


def stored_value(prices: Prices | None, outlook: Outlook) -> float | None:
    """What stored energy is worth, as a part of what energy is worth now: see control.wake.

    0..0.75: energy in the battery must yet pass an inverter. None = not known.
    """
    if import_share(prices, outlook)[0] is None or prices is None or not prices.import_ct > 0.0:
        return None
    value_ct, _ = stored_ct(prices, outlook)
    return None if value_ct is None else _KEPT * max(0.0, min(1.0, value_ct / prices.import_ct))


class TargetBias:
    """Follows the quantile slowly. bias_w: W, > 0 buys rather than sells; within +-40 W."""

    def __init__(self) -> None:
        self.bias_w = 0.0
        self.lean = Lean.NO_PRICES
        self._share: float | None = None

    def aim(self, prices: Prices | None, outlook: Outlook) -> None:
        """What is known now."""
        self._share, self.lean = import_share(prices, outlook)

    def learn(self, error_w: float, seconds: float, *, free: bool) -> None:
        """Take one meter reading. error_w: grid less the target without bias, W.

        seconds: since the reading before. free: nothing but the meter shaped the output; while a
        limit or a mode does, an error says nothing about the target.
        """
        seconds = max(0.0, min(seconds, _LONGEST_STEP_S))
        if self._share is None:
            self._return(seconds)
        elif free and abs(error_w) <= _LARGEST_ERROR_W:
            step_w = _PER_S * seconds * (self._share - _above(error_w))
            self.bias_w = max(-_BOUND_W, min(_BOUND_W, self.bias_w + step_w))

    def for_wish(self, wish_w: float) -> float:
        """The bias that a wish of so many W bears: at most a quarter of it.

        So a bias alone never starts a converter or turns it round, and fades without a step.
        """
        bound_w = _SHARE_OF_WISH * abs(wish_w)
        return max(-bound_w, min(bound_w, self.bias_w)) if bound_w > 0.0 else 0.0

    def _return(self, seconds: float) -> None:
        """Back to zero without a jump."""
        step_w = min(abs(self.bias_w), _BACK_PER_S * seconds)
        self.bias_w -= step_w if self.bias_w > 0.0 else -step_w


def _above(error_w: float) -> float:
    """1 above the target, 0 below, one half on it: meters round to whole watts."""
    return 0.5 if error_w == 0.0 else float(error_w > 0.0)
