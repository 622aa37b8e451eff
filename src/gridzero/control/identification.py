"""Learns dead time, slew and gain of every converter while the house is run as always.

Of the commands that left and the meter readings, pieces of ten seconds are kept in which exactly
one converter moved; ``fit`` finds the dynamics under which the net load was the smoothest in them.
Moves of several converters at once teach nothing, since the meter cannot tell them apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from math import isfinite

from gridzero.control.chapter import Command, Sample, chapter_of
from gridzero.control.fit import Fit
from gridzero.control.learned import Learned
from gridzero.control.ledger import Ledger
from gridzero.control.second_thoughts import Mover, SecondThoughts
from gridzero.domain.converters import Dynamics

_CHAPTER_S = 10.0
_BEFORE_S = 10.0  # commands from before a chapter that still shape it
_LEAD_S = 4.0  # commands this old may still show for the first time
_STEP_S = 1.2
_MOVED_W, _STILL_W = 80.0, 15.0
_WORTH_W = 6.0  # smaller changes of a command only cost time
_FEWEST = 5
_LONGEST_GAP_S = 3.0
_LONG_START_S = 2.0


class _Unit:
    def __init__(self, sign: float, nominal: Dynamics) -> None:
        self.sign, self.nominal = sign, nominal
        self.fit = Fit(nominal)
        self.commands: deque[Command] = deque([Command(float("-inf"), 0.0)], maxlen=256)

    def sent(self, at_s: float, power_w: float) -> None:
        last = self.commands[-1]
        if at_s < last.at_s:  # the clock went back: what was remembered has no place any more
            self.commands.clear()
            last = Command(at_s, last.power_w)
            self.commands.append(last)
        if abs(power_w - last.power_w) >= _WORTH_W or (power_w == 0.0) != (last.power_w == 0.0):
            self.commands.append(Command(at_s, power_w))

    def since(self, from_s: float, to_s: float) -> tuple[Command, ...]:
        """The command that stood at from_s, as of then, and all after it."""
        while len(self.commands) > 1 and self.commands[1].at_s <= from_s:
            self.commands.popleft()
        first, *later = self.commands
        return (
            Command(max(first.at_s, from_s), first.power_w),
            *(command for command in later if command.at_s < to_s),
        )

    def mover(self, name: str, commands: tuple[Command, ...]) -> Mover:
        """What was done, and both stories about it."""
        return Mover(name, self.sign, commands, self.fit.dynamics, self.nominal)

    def teaches(self, commands: tuple[Command, ...], from_s: float) -> bool:
        """Moved enough at once, and not out of a long start whose end nobody knows exactly."""
        started = any(a.power_w == 0.0 < b.power_w for a, b in pairwise(commands))
        if started and self.nominal.start_s > _LONG_START_S:
            return False
        return _largest_step_w(commands, from_s - _LEAD_S) >= _MOVED_W


class Identification:
    """Told of every command and every reading; tells the ledger what it has come to believe."""

    def __init__(
        self,
        ledger: Ledger,
        inverters: Mapping[str, Dynamics],
        chargers: Mapping[str, Dynamics],
    ) -> None:
        self._ledger = ledger
        self._units = {
            **{name: _Unit(1.0, nominal) for name, nominal in inverters.items()},
            **{name: _Unit(-1.0, nominal) for name, nominal in chargers.items()},
        }
        self._samples: list[Sample] = []
        self._names = tuple(self._units)
        self._second_thoughts = SecondThoughts()
        self._turn = 0
        self._worked = False

    @property
    def names(self) -> tuple[str, ...]:
        """All converters, inverters first."""
        return self._names

    def sent(self, name: str, at_s: float, power_w: float) -> None:
        """A command left. power_w: W AC toward the house, as drivers report it."""
        if isfinite(at_s) and isfinite(power_w):
            self._units[name].sent(at_s, abs(power_w))

    def metered(self, at_s: float, grid_w: float, *, trusted: bool = True) -> None:
        """One new meter reading, with the moment at which the meter measured.

        trusted: False while meter or converters are known not to do what they should.
        """
        if not (trusted and isfinite(at_s) and isfinite(grid_w)):
            self._samples.clear()
            return
        self._collect(Sample(at_s, grid_w))
        if not self._worked:
            self._work_on_next()
        self._worked = False

    def idle(self) -> None:
        """A moment without a new reading: work now, so that the next one is answered sooner."""
        self._worked = True
        self._work_on_next()

    def _work_on_next(self) -> None:
        """One slice for the next converter that has evidence left."""
        for _ in self._names:
            self._turn = (self._turn + 1) % len(self._names)
            name = self._names[self._turn]
            if self.is_busy(name):
                self.work(name, 1)
                return

    def learned(self, name: str) -> Learned:
        """What is believed of a converter now; the configuration's values before any move."""
        return self._units[name].fit.learned

    def restore(self, learned: Mapping[str, Learned]) -> None:
        """Go on from what an earlier run learned; names that are gone are left out."""
        for name in learned.keys() & self._units.keys():
            self._units[name].fit.restore(learned[name])
            self._tell(name)

    def begin(self, name: str) -> None:
        """A test of one converter begins: only what is seen from now on counts."""
        self._units[name].fit.begin()
        self._samples.clear()

    def work(self, name: str, slices: int) -> None:
        """Do a part of the search for one converter."""
        fit = self._units[name].fit
        for _ in range(slices):
            if fit.slice():
                self._tell(name)

    def is_busy(self, name: str) -> bool:
        """Whether there is evidence of a converter that has not been made use of."""
        return self._units[name].fit.is_busy

    def adopt(self, name: str) -> Learned | None:
        """Believe the newest fit at once, after a test; None = too little was seen."""
        found = self._units[name].fit.adopt()
        self._tell(name)
        return found

    def _tell(self, name: str) -> None:
        self._ledger.learn(name, self._units[name].fit.dynamics)

    def _collect(self, sample: Sample) -> None:
        samples = self._samples
        if samples and not 0.0 < sample.at_s - samples[-1].at_s <= _LONGEST_GAP_S:
            samples.clear()
        samples.append(sample)
        if sample.at_s - samples[0].at_s >= _CHAPTER_S:
            if len(samples) >= _FEWEST:
                self._close(tuple(samples))
            self._samples = [sample]

    def _close(self, samples: tuple[Sample, ...]) -> None:
        """Give the chapter to the one converter that moved in it."""
        from_s, to_s = samples[0].at_s, samples[-1].at_s
        moved: list[tuple[str, tuple[Command, ...]]] = []
        for name, unit in self._units.items():
            commands = unit.since(from_s - _BEFORE_S, to_s)
            if _range_w(commands, from_s - 2 * _LEAD_S) > _STILL_W:
                moved.append((name, commands))
        if len(moved) > 1:
            self._think_again(moved, samples)
        for name, commands in moved if len(moved) == 1 else ():
            unit = self._units[name]
            if unit.teaches(commands, from_s):
                unit.fit.take(chapter_of(unit.sign, commands, samples, unit.nominal.rise_w_per_s))

    def _think_again(
        self, moved: list[tuple[str, tuple[Command, ...]]], samples: tuple[Sample, ...]
    ) -> None:
        movers = [self._units[name].mover(name, commands) for name, commands in moved]
        for name in self._second_thoughts.take(movers, samples):
            unit = self._units[name]
            unit.fit = Fit(unit.nominal)
            self._tell(name)


def _largest_step_w(commands: tuple[Command, ...], from_s: float) -> float:
    """Largest change within about a second after from_s, W.

    A converter that creeps along with clouds teaches nothing: its output and the load then move
    together, and no output at all would explain the meter better.
    """
    largest_w = 0.0
    for number, after in enumerate(commands):
        if after.at_s > from_s:
            stood = _stood(commands[: number + 1], after.at_s - _STEP_S)
            largest_w = max(largest_w, *(abs(after.power_w - c.power_w) for c in stood))
    return largest_w


def _stood(commands: tuple[Command, ...], from_s: float) -> list[Command]:
    """Those that stood at from_s or later."""
    stood = [c for c, after in pairwise(commands) if after.at_s > from_s]
    return [*stood, commands[-1]]


def _range_w(commands: tuple[Command, ...], from_s: float) -> float:
    """Between the largest and the smallest command that stood after from_s, W."""
    powers_w = [command.power_w for command in _stood(commands, from_s)]
    return max(powers_w) - min(powers_w)
