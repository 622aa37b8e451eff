"""Runs the protections of a profile over what is watched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gridzero.battery.protection.gate import Gate
from gridzero.battery.protection.quantities import QUANTITIES
from gridzero.battery.protection.rule import Rule, Stops, Threshold
from gridzero.battery.protection.traces import Seen, Traces
from gridzero.battery.protection.watched import Watched
from gridzero.battery.protection.words import words
from gridzero.domain.alarms import Alarm, Level


class Latched(NamedTuple):
    """A level that ends only by a person; plain values, to be stored over restarts."""

    code: str
    subject: str
    level: str
    text: str


class Protection:
    """All protections of one battery. Call ``update`` at every protect tick.

    Raises ValueError for a rule about a quantity that does not exist.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        missing = sorted({rule.quantity for rule in rules} - set(QUANTITIES))
        if missing:
            raise ValueError(f"no such quantity: {', '.join(missing)}")
        self._watches = [_Watch(rule) for rule in rules]
        self._by_code = {rule.code: watch for rule, watch in zip(rules, self._watches, strict=True)}
        self._traces = Traces()

    def update(self, watched: Watched) -> tuple[Alarm, ...]:
        """What the protections say at this moment; the worst first."""
        self._traces.note(watched)
        alarms: list[Alarm] = []
        for watch in self._watches:
            seen = watch.quantity(watched, self._traces, watch.rule.given)
            if watch.cases or (seen and watch.beyond(seen)):
                alarms.extend(watch.judge(seen, watched.now_s))
        if len(alarms) > 1:
            alarms.sort(key=_severity, reverse=True)
        return tuple(alarms)

    def acknowledge(self, code: str | None = None) -> tuple[Latched, ...]:
        """A person has looked: end the latches of a code (None = of all) whose cause is gone.

        Returns what was ended. What still stands goes on standing, and latches again.
        """
        return tuple(
            done
            for watch in self._watches
            if code in {None, watch.rule.code}
            for done in watch.acknowledge()
        )

    @property
    def latched(self) -> tuple[Latched, ...]:
        """What must outlive a restart: all that a person has to acknowledge, standing or gone."""
        return tuple(one for watch in self._watches for one in watch.latched())

    def restore(self, rows: Iterable[object]) -> tuple[str, ...]:
        """Take up what ``latched`` said before the restart. Raises nothing.

        Returns in words what could not be taken up: tell a person, power was refused for it.
        """
        return tuple(filter(None, (self._restore(row) for row in rows)))

    def _restore(self, row: object) -> str:
        texts = list(row) if isinstance(row, list | tuple) else []
        if len(texts) != len(Latched._fields) or not all(isinstance(t, str) for t in texts):
            return f"a stored trip cannot be read: {row!r:.80}"
        one = Latched(*texts)
        watch = self._by_code.get(one.code)
        if watch is None or not watch.restore(one):
            return f"a stored trip is not known to this version: {one.code} {one.subject}"
        return ""


def _severity(alarm: Alarm) -> Level:
    return alarm.level


class _Watch:
    """One rule and its cases by subject. Healthy subjects have none, so they cost nothing."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.quantity = QUANTITIES[rule.quantity]
        self.cases: dict[str, _Case] = {}
        self._first = next(rule.levels())[1].value * rule.sign
        self._sign = rule.sign

    def beyond(self, seen: Sequence[Seen]) -> list[Seen]:
        """Those beyond the mildest threshold: nearly always nobody is."""
        first, sign = self._first, self._sign
        return [one for one in seen if one[1] is not None and one[1] * sign > first]

    def judge(self, seen: Sequence[Seen], now_s: float) -> Iterator[Alarm]:
        for one in seen:
            value = one.value
            if one.subject not in self.cases:
                if value is None or not value * self._sign > self._first:
                    continue
                self.cases[one.subject] = _Case(self.rule)
            self.cases[one.subject].look(one, now_s)
        if self.cases:
            yield from self._alarms({one.subject for one in seen}, now_s)

    def acknowledge(self) -> Iterator[Latched]:
        for subject, case in self.cases.items():
            yield from case.acknowledge(subject)

    def latched(self) -> Iterator[Latched]:
        for subject, case in self.cases.items():
            yield from case.latched(subject)

    def restore(self, one: Latched) -> bool:
        case = _Case(self.rule)
        if not case.restore(one):
            return False
        self.cases[one.subject] = case
        return True

    def _alarms(self, mentioned: set[str], now_s: float) -> Iterator[Alarm]:
        """A subject that is no longer mentioned is well: quantities say None for the unknown."""
        for subject, case in list(self.cases.items()):
            if subject not in mentioned:
                case.look(Seen(subject, self.rule.healthy, ""), now_s)
            if case.is_idle:
                del self.cases[subject]
            else:
                yield from case.alarm(subject)


class _Case:
    """One subject of one rule while there is something about it."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._gates = {level: Gate(of, rule.sign) for level, of in rule.levels()}
        self._worst: Seen | None = None
        self._now: Seen | None = None
        self._text = ""
        self._mildest = next(rule.levels())[1].value * rule.sign

    @property
    def is_idle(self) -> bool:
        return all(gate.is_idle for gate in self._gates.values())

    def look(self, seen: Seen, now_s: float) -> None:
        worse = None if seen.value is None else seen.value * self._rule.sign
        for gate in self._gates.values():
            gate.update(worse, now_s)
        self._now = seen
        if worse is not None and worse > self._worst_yet():
            self._worst = seen

    def alarm(self, subject: str) -> Iterator[Alarm]:
        """One alarm at the highest level that is reached."""
        active = [level for level, gate in self._gates.items() if gate.is_active]
        if not active:
            return
        level = active[-1]
        stops = Stops.NOTHING
        for one in active:
            stops |= self._rule.refuses(one)
        yield Alarm(
            code=self._rule.code,
            subject=subject,
            level=level,
            text=self._words(level),
            stops_charge=Stops.CHARGE in stops,
            stops_discharge=Stops.DISCHARGE in stops,
            is_latched=self._gates[level].is_latched,
        )

    def acknowledge(self, subject: str) -> Iterator[Latched]:
        for level, gate in self._gates.items():
            said = Latched(self._rule.code, subject, level.name.lower(), self._words(level))
            if gate.acknowledge():
                yield said

    def latched(self, subject: str) -> Iterator[Latched]:
        for level, gate in self._gates.items():
            if gate.of.latches and gate.is_active:
                yield Latched(self._rule.code, subject, level.name.lower(), self._words(level))

    def restore(self, one: Latched) -> bool:
        gates = {level.name.lower(): gate for level, gate in self._gates.items()}
        gate = gates.get(one.level)
        if gate is None or not gate.of.latches:
            return False
        gate.restore()
        self._text = one.text
        return True

    def _worst_yet(self) -> float:
        """At least what is worth a word: what a restart brought in is not replaced by less."""
        worst = self._worst.value if self._worst else None
        return self._mildest if worst is None else worst * self._rule.sign

    def _words(self, level: Level) -> str:
        """The moment while it is beyond the threshold, else the worst that was."""
        of, now = self._gates[level].of, self._now
        seen = now if now is not None and self._is_beyond(of, now) else self._worst
        if seen is None or not seen.where:
            return self._text or self._rule.code
        self._text = words(self._rule, of, seen)
        return self._text

    def _is_beyond(self, of: Threshold, seen: Seen) -> bool:
        sign = self._rule.sign
        return seen.value is not None and seen.value * sign > of.value * sign
