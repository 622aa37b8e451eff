"""Which converters can be used now. Guard and dispatch ask here, so both count the same units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gridzero.domain.converters import DcWindow
from gridzero.domain.readings import ConverterState
from gridzero.domain.reasons import WhyNot
from gridzero.domain.snapshot import ConverterView, Snapshot

_NOBODY: frozenset[str] = frozenset()
_BACK_AFTER_S = 30.0
_GAP_V = 1.0  # between stop and start, where only the stop is known
_EARLY = 0.3  # part of that gap by which a unit leaves before it stops by itself
_LOWER_V = 0.5  # below max_v before a unit is used again


@dataclass(frozen=True, slots=True)
class Usable:
    """inverters, chargers: what may be commanded. why_not: the reason of every other one.

    leaving: names that still work but must hand over before they stop by themselves.
    """

    inverters: tuple[ConverterView, ...]
    chargers: tuple[ConverterView, ...]
    why_not: Mapping[str, WhyNot] = field(default_factory=dict)
    leaving: frozenset[str] = _NOBODY


class Roster:
    """Remembers who is near or beyond the end of its DC window, so that nobody flaps there.

    Without load the battery's voltage comes back by its inner resistance. A unit that has left is
    whole again only after the voltage has been above its start voltage for half a minute. One
    that gives nothing below its start voltage has stopped by itself: it has left, too.
    """

    def __init__(self) -> None:
        self._fine_since_s: dict[str, float | None] = {}  # of all that are not whole
        self._outside: dict[str, WhyNot] = {}
        self._last: tuple[Snapshot, frozenset[str], Usable] | None = None

    def stopped(self, now: Snapshot, failed: Iterable[str]) -> frozenset[str]:
        """Which of those that give nothing have stopped by themselves; they have left then."""
        pack_v = now.battery.pack_v if now.battery else None
        if pack_v is None:
            return _NOBODY
        units = (*now.inverters, *now.chargers)
        windows = {unit.name: unit.spec.window for unit in units}
        found = frozenset(name for name in failed if _is_below_start(windows[name], pack_v))
        for name in found:
            self._outside.setdefault(name, WhyNot.DC_LOW)
            self._fine_since_s.setdefault(name, None)
            self._last = None
        return found

    def update(self, now: Snapshot, out: frozenset[str] = _NOBODY) -> Usable:
        """Look at one snapshot; asking twice about the same one changes nothing.

        out: names that the health watch has taken out.
        """
        if self._last is not None and self._last[0] is now and self._last[1] == out:
            return self._last[2]
        pack_v = now.battery.pack_v if now.battery else None
        fine = not out
        for unit in (*now.inverters, *now.chargers):
            if pack_v is not None:
                self._watch(unit.name, unit.spec.window, pack_v, now.now_s)
            fine = fine and not unit.silent and unit.state is not ConverterState.FAULT
        if fine and not self._fine_since_s:  # nearly always
            usable = Usable(now.inverters, now.chargers)
        else:
            usable = self._sorted_out(now, out)
        self._last = (now, out, usable)
        return usable

    def _sorted_out(self, now: Snapshot, out: frozenset[str]) -> Usable:
        why_not: dict[str, WhyNot] = {}
        for unit in (*now.inverters, *now.chargers):
            reason = _trouble(unit, out) or self._outside.get(unit.name)
            if reason is not None:
                why_not[unit.name] = reason
        leaving = set(self._fine_since_s) - set(why_not)
        inverters = _best_of(now.inverters, why_not, leaving)
        chargers = _best_of(now.chargers, why_not, leaving)
        return Usable(inverters, chargers, why_not, frozenset(leaving))

    def _watch(self, name: str, window: DcWindow, pack_v: float, now_s: float) -> None:
        if window.max_v is not None and not pack_v <= window.max_v:
            self._outside[name] = WhyNot.DC_HIGH
        elif window.stop_v is not None and not pack_v >= window.stop_v:
            self._outside[name] = WhyNot.DC_LOW
        elif window.stop_v is None and name not in self._fine_since_s:
            return
        if name in self._outside or not pack_v >= _hand_over_v(window):
            self._fine_since_s.setdefault(name, None)
        if name in self._fine_since_s:
            self._recover(name, now_s, fine=_may_start(window, pack_v))

    def _recover(self, name: str, now_s: float, *, fine: bool) -> None:
        since_s = self._fine_since_s[name]
        self._fine_since_s[name] = (now_s if since_s is None else since_s) if fine else None
        if fine and since_s is not None and now_s - since_s >= _BACK_AFTER_S:
            del self._fine_since_s[name]
            self._outside.pop(name, None)


def usable(now: Snapshot, out: frozenset[str] = _NOBODY) -> Usable:
    """What can be used as far as one snapshot alone can tell."""
    return Roster().update(now, out)


def _trouble(unit: ConverterView, out: frozenset[str]) -> WhyNot | None:
    if unit.silent:
        return WhyNot.SILENT
    return WhyNot.TAKEN_OUT if unit.name in out else None


def _best_of(
    units: Sequence[ConverterView], why_not: dict[str, WhyNot], leaving: set[str]
) -> tuple[ConverterView, ...]:
    """Units without a doubt; where there are none, those that may still do something.

    A unit that reports a fault, or is about to stop, gets no work while another can have it. The
    last one goes on being asked: it may recover, and its own guard stops it.
    """
    possible = tuple(unit for unit in units if unit.name not in why_not)
    sound = tuple(unit for unit in possible if unit.state is not ConverterState.FAULT)
    sure = tuple(unit for unit in sound if unit.name not in leaving)
    chosen = sure or sound or possible
    for unit in possible:
        if unit in chosen:
            leaving.discard(unit.name)
        elif unit.state is ConverterState.FAULT:
            why_not[unit.name] = WhyNot.FAULT
            leaving.discard(unit.name)
        else:
            why_not[unit.name] = WhyNot.DC_LOW
    return chosen


def _may_start(window: DcWindow, pack_v: float) -> bool:
    above = window.stop_v is None or pack_v >= _start_v(window, window.stop_v)
    return above and (window.max_v is None or pack_v <= window.max_v - _LOWER_V)


def _is_below_start(window: DcWindow, pack_v: float) -> bool:
    return window.stop_v is not None and pack_v < _start_v(window, window.stop_v)


def _hand_over_v(window: DcWindow) -> float:
    """Below this a unit hands over to others, V."""
    if window.stop_v is None:
        return 0.0
    return window.stop_v + _EARLY * (_start_v(window, window.stop_v) - window.stop_v)


def _start_v(window: DcWindow, stop_v: float) -> float:
    return stop_v + _GAP_V if window.start_v is None else window.start_v
