"""A small power for some seconds, by which a person tries a house that rests.

It lies over the settings and changes none of them: whatever becomes of whoever asked for it, the
house is back in mode hold when its seconds are over. The limits of the battery, what a person
allows and the guard cut it like any other wish.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

import structlog

from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.settings import LONGEST_TRIAL_S, MOST_TRIAL_W
from gridzero.ports.clock import Clock
from gridzero.runtime.setting_values import SettingRefused
from gridzero.runtime.settings import Settings

log = structlog.get_logger()

_MODES = {"charge": Mode.CHARGE, "discharge": Mode.DISCHARGE}


class Trial:
    """Works in mode hold; ends with its seconds, with another mode, or when stopped."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._mode, self._power_w, self._until_s = Mode.HOLD, 0.0, float("-inf")

    @property
    def left_s(self) -> float | None:
        """How long it still lasts, s; None where there is none."""
        left_s = self._until_s - self._clock.now_s()
        return left_s if left_s > 0.0 else None

    def ask(self, words: str) -> str:
        """Take ``charge W S``, ``discharge W S`` or ``stop``; returns what was done.

        The same again renews it. Raises SettingRefused with the reason.
        """
        if words.strip().lower() == "stop":
            return self._stop()
        mode, power_w, seconds = _parsed(words)
        if why := _hindrance(self._settings.wanted):
            raise _refused(why, "Choose mode hold first")
        if self.left_s is None:
            log.info("trial.started", mode=mode.value, power_w=power_w)
        self._mode, self._power_w = mode, power_w
        self._until_s = self._clock.now_s() + seconds
        return f"tries to {mode.value} with {power_w:g} W for {seconds:g} s"

    def wanted(self, wanted: Wanted) -> Wanted:
        """What a tick is to see: the settings with the trial over them."""
        if self.left_s is None:
            return wanted
        if _hindrance(wanted):
            self._stop()
            return wanted
        return replace(wanted, mode=self._mode, power_w=self._power_w)

    def _stop(self) -> str:
        was_on = self.left_s is not None
        self._until_s = float("-inf")
        if was_on:
            log.info("trial.ended")
        return "the trial is over" if was_on else "no trial was going on"


def _parsed(words: str) -> tuple[Mode, float, float]:
    """Raises SettingRefused for anything but a direction, watts and seconds within bounds."""
    parts = words.split()
    try:
        word, power_w, seconds = parts[0].lower(), float(parts[1]), float(parts[2])
    except (IndexError, ValueError):
        word, power_w, seconds = "", 0.0, 0.0
    good = len(parts) == 3 and word in _MODES and isfinite(power_w) and isfinite(seconds)
    if not (good and 0.0 < power_w <= MOST_TRIAL_W and 0.0 < seconds <= LONGEST_TRIAL_S):
        raise _refused(
            f"{words[:40]!r} is no trial",
            f"Send charge or discharge, up to {MOST_TRIAL_W:g} W, and up to "
            f"{LONGEST_TRIAL_S:g} s: charge 300 10",
        )
    return _MODES[word], power_w, seconds


def _hindrance(wanted: Wanted) -> str:
    """Why nothing can be tried, "" for nothing."""
    if wanted.maintenance:
        return "maintenance is on"
    return "" if wanted.mode is Mode.HOLD else f"the mode is {wanted.mode.value}, not hold"


def _refused(what: str, remedy: str) -> SettingRefused:
    return SettingRefused(what, where="trial", remedy=remedy)
