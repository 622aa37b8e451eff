"""What is learned of the converters: kept over restarts, tested when asked, told when it changes.

The file holds, by converter, the nominal dynamics that it was learned against, what is believed,
and what was usual for it: the values of the last test, or those believed after the first dozens of
moves. Another nominal value in the configuration or driver ends all three.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import structlog

from gridzero.control.guard import PowerLimits
from gridzero.control.learned import Learned, learned_from
from gridzero.control.probe import Progress
from gridzero.domain.converters import Dynamics
from gridzero.domain.decision import Decision
from gridzero.domain.events import Severity
from gridzero.domain.modes import Mode
from gridzero.domain.snapshot import Snapshot
from gridzero.ports.clock import Clock
from gridzero.runtime.fault_book import FaultBook, Key
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.site import Site
from gridzero.runtime.stores import Store, StoreDamaged

log = structlog.get_logger()

_LOOK_S = 5.0
_SAVE_S = 600.0  # memory cards wear
_USUAL_MOVES = 24
_TOLD_MOVES, _TOLD_SURE = 12, 0.2
_LEAST_GAIN, _LONGEST_DEAD_S = 0.8, 3.0
_GAIN_CHANGED, _DEAD_CHANGED_S, _SLEW_CHANGED = 0.15, 1.5, 0.5
_CODES = frozenset({"actuator_changed"})


class Learning:
    """The desk between people, the store and Site.identification."""

    def __init__(self, site: Site, store: Store, faults: FaultBook, clock: Clock) -> None:
        self._site, self._store, self._faults, self._clock = site, store, faults, clock
        units = (*site.parts.inverters, *site.parts.chargers)
        self._nominal = {unit.name: unit.spec.dynamics for unit in units}
        self._usual: dict[str, Learned] = {}
        self._told: Mapping[str, Learned | None] = {}
        self._was_running = False
        self._restore()
        self._saved = self._values()
        site.on_decision(self._on_decision)

    @property
    def learned(self) -> dict[str, Learned]:
        """What is believed of each converter."""
        return {name: self._site.identification.learned(name) for name in self._nominal}

    @property
    def progress(self) -> Progress:
        """Where a test stands."""
        return self._site.probe.progress

    def ask(self, which: str) -> None:
        """Test one converter, or "all" that can be tested now, or "cancel".

        Raises SettingRefused with the reason.
        """
        name = which.strip()
        if name == "cancel":
            self._site.probe.cancel("it was cancelled")
            return
        names = self._testable() if name == "all" else (name,)
        if unknown := [name for name in names if name not in self._nominal]:
            raise SettingRefused(
                f"there is no converter {unknown[0][:40]!r}",
                where="identify",
                remedy=f"There are {', '.join(self._nominal)}",
            )
        refusal = self._refusal(names)
        if refusal is not None:
            raise SettingRefused(refusal, where="identify", remedy="Try again when that is over")
        log.info("identify.started", converters=names)
        self._site.probe.start(names, self._clock.now_s())

    async def run(self) -> None:
        """Look for changes every few seconds, and save seldom, until cancelled."""
        saved_s = self._clock.now_s()
        while True:
            await self._clock.sleep_s(_LOOK_S)
            self._watch()
            if self._clock.now_s() - saved_s >= _SAVE_S:
                saved_s = self._clock.now_s()
                self.save()

    def save(self) -> None:
        """Store what is known, if it differs from what is stored."""
        values = self._values()
        if values != self._saved:
            self._saved = values
            self._store.save(values)

    def _testable(self) -> tuple[str, ...]:
        """All that can be tested now; if none can, all of them, for the reason."""
        names = tuple(self._nominal)
        return tuple(name for name in names if self._refusal((name,)) is None) or names

    def _refusal(self, names: tuple[str, ...]) -> str | None:
        last = self._site.last
        if last is None:
            return "gridzero has not begun to decide"
        now, decision = last
        if now.wanted.mode is not Mode.AUTO:
            return f"the mode is {now.wanted.mode.value}, not auto"
        if not now.meter_age_s <= self._site.rules.tuning.meter_hold_s:
            return "the meter does not report in time"
        if decision.meter_verdict != "good":
            return "the meter is not believed now"
        return self._site.probe.refusal(names, now, _limits(decision))

    def _on_decision(self, _now: Snapshot, _decision: Decision) -> None:
        """Tell each result once, and how the test ended."""
        progress = self.progress
        for name in progress.done.keys() - self._told.keys():
            self._tell_result(name, progress.done[name])
        self._told = progress.done
        if self._was_running and progress.unit is None:
            self._faults.tell("identify_ended", "identify", f"the test ended: {progress.ended}")
        self._was_running = progress.unit is not None

    def _tell_result(self, name: str, found: Learned | None) -> None:
        if found is None:
            text = "too little of its steps could be seen; nothing was changed"
            self._faults.tell("identified", name, text, Severity.WARNING)
            return
        self._usual[name] = found
        self._faults.tell("identified", name, in_words(found))

    def _watch(self) -> None:
        present: dict[Key, str] = {}
        for name, learned in self.learned.items():
            if learned.moves >= _USUAL_MOVES and learned.sure >= _TOLD_SURE:
                self._usual.setdefault(name, learned)
            why = _changed(learned, self._usual.get(name))
            if why:
                present["actuator_changed", name] = why
        self._faults.sync(_CODES, present)

    def _values(self) -> dict[str, Any]:
        return {
            name: {
                "nominal": asdict(self._nominal[name]),
                "learned": learned.to_dict(),
                "usual": self._usual[name].to_dict() if name in self._usual else None,
            }
            for name, learned in self.learned.items()
        }

    def _restore(self) -> None:
        try:
            stored = self._store.load()
        except StoreDamaged as error:
            self._store.put_aside()
            self._faults.tell("learned_lost", "learned", str(error), Severity.WARNING)
            return
        for name in self._nominal.keys() & stored.keys():
            self._restore_one(name, stored[name])

    def _restore_one(self, name: str, values: Any) -> None:
        try:
            if not _same(values["nominal"], self._nominal[name]):
                log.info("learned.dropped", converter=name, why="its nominal values changed")
                return
            learned = learned_from(values["learned"])
            usual = learned_from(values["usual"]) if values["usual"] is not None else None
        except (KeyError, TypeError, ValueError, IndexError) as error:
            log.warning("learned.dropped", converter=name, why=repr(error))
            return
        self._site.identification.restore({name: learned})
        if usual is not None:
            self._usual[name] = usual


def in_words(found: Learned) -> str:
    """One line for people."""
    return (
        f"dead time {found.dead_time_s:.2f} s, rises {found.rise_w_per_s:.0f} W/s, "
        f"falls {found.fall_w_per_s:.0f} W/s, gives {found.gain:.0%} of what it is told "
        f"(sure {found.sure:.0%})"
    )


def _changed(now: Learned, usual: Learned | None) -> str:
    """What is wrong with a converter, "" for nothing."""
    if now.moves < _TOLD_MOVES or not now.sure >= _TOLD_SURE:
        return ""
    if usual is None or _near(now, usual):
        usual_bad = usual is not None and _is_bad(usual)
        return "" if usual_bad or not _is_bad(now) else in_words(now)
    return f"{in_words(now)}; it was: {in_words(usual)}"


def _is_bad(learned: Learned) -> bool:
    return learned.gain < _LEAST_GAIN or learned.dead_time_s > _LONGEST_DEAD_S


def _near(now: Learned, usual: Learned) -> bool:
    return (
        abs(now.gain - usual.gain) <= _GAIN_CHANGED
        and abs(now.dead_time_s - usual.dead_time_s) <= _DEAD_CHANGED_S
        and all(
            abs(math.log(a / b)) <= math.log1p(_SLEW_CHANGED)
            for a, b in (
                (now.rise_w_per_s, usual.rise_w_per_s),
                (now.fall_w_per_s, usual.fall_w_per_s),
            )
        )
    )


def _same(stored: Mapping[str, Any], nominal: Dynamics) -> bool:
    return dict(stored) == asdict(nominal)


def _limits(decision: Decision) -> PowerLimits:
    return PowerLimits(
        decision.charge_w,
        decision.discharge_w,
        decision.charge_because,
        decision.discharge_because,
    )
