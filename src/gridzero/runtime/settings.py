"""Settings that people change while gridzero runs, kept over restarts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from math import isfinite
from typing import Any

import structlog

from gridzero.domain.modes import Mode, Wanted
from gridzero.errors import GridzeroError
from gridzero.runtime.stores import Store, StoreDamaged

log = structlog.get_logger()

_MAX_POWER_W = 20_000.0
_MAX_TARGET_W = 2_000.0


class SettingRefused(GridzeroError):
    """A setting that cannot be taken; the old one stays."""


class Settings:
    """The present wishes of the owner; every change is checked, stored and said.

    Only what a person changed is stored, with the default that it replaced: a new default in the
    configuration ends it. lost: why stored settings could not be read; then the battery rests,
    because what was stored may have been "off".
    """

    def __init__(self, default: Wanted, store: Store) -> None:
        self._store, self.default = store, default
        self._listeners: list[Callable[[Wanted], None]] = []
        self.lost = ""
        try:
            self._changed = store.load()
            self.wanted = _restored(default, self._changed)
        except StoreDamaged as error:
            self.lost = str(error)
            self.wanted = replace(default, mode=Mode.HOLD)
            store.put_aside()
            self._changed = {"mode": {"value": Mode.HOLD.value, "default": default.mode}}
            store.save(self._changed)  # the next start must not take the default for a wish

    def on_change(self, listener: Callable[[Wanted], None]) -> None:
        """Tell listener each accepted change."""
        self._listeners.append(listener)

    def change(
        self,
        *,
        mode: str | None = None,
        power_w: float | str | None = None,
        target_w: float | str | None = None,
    ) -> Wanted:
        """Take new values for those given. Raises SettingRefused with the reason."""
        wanted = self.wanted
        if mode is not None:
            wanted = replace(wanted, mode=_mode(mode))
        if power_w is not None:
            wanted = replace(wanted, power_w=_number("power_w", power_w, 0.0, _MAX_POWER_W))
        if target_w is not None:
            bound_w = _MAX_TARGET_W
            wanted = replace(wanted, target_w=_number("target_w", target_w, -bound_w, bound_w))
        if wanted == self.wanted:
            return wanted  # nothing to write: memory cards wear
        before, self.wanted = self.wanted, wanted
        self._remember(before)
        log.info(
            "settings.changed",
            mode=wanted.mode.value,
            power_w=wanted.power_w,
            target_w=wanted.target_w,
        )
        for listener in self._listeners:
            listener(wanted)
        return wanted

    def _remember(self, before: Wanted) -> None:
        for key, value in asdict(self.wanted).items():
            if value != getattr(before, key):
                self._changed[key] = {"value": value, "default": getattr(self.default, key)}
        self._store.save(self._changed)


def _mode(text: str) -> Mode:
    try:
        return Mode(text.strip().lower())
    except ValueError:
        known = ", ".join(Mode)
        raise SettingRefused(
            f"there is no mode {text[:40]!r}", where="mode", remedy=f"Use one of {known}"
        ) from None


def _number(name: str, value: float | str, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not (isfinite(number) and low <= number <= high):
        raise SettingRefused(
            f"{str(value)[:40]!r} is not a number from {low:g} to {high:g}",
            where=name,
            remedy="The old value stays",
        )
    return number


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "mode": lambda value: _mode(str(value)),
    "power_w": lambda value: _number("power_w", value, 0.0, _MAX_POWER_W),
    "target_w": lambda value: _number("target_w", value, -_MAX_TARGET_W, _MAX_TARGET_W),
}


def _restored(default: Wanted, stored: dict[str, Any]) -> Wanted:
    """Stored values over the defaults they replaced; what no longer fits is dropped."""
    wanted = default
    for key in list(stored):
        try:
            if stored[key]["default"] != getattr(default, key):
                log.info("settings.default_changed", key=key, dropped=stored[key]["value"])
                del stored[key]
            else:
                wanted = replace(wanted, **{key: _CHECKS[key](stored[key]["value"])})
        except (SettingRefused, TypeError, KeyError, AttributeError, IndexError) as error:
            log.warning("settings.dropped", key=key, error=str(error))
            del stored[key]
    return wanted
