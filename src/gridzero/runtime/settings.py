"""Settings that people change while gridzero runs, kept over restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

import structlog

from gridzero.domain.modes import NO_CAP_W, Mode, Strategy, Wanted
from gridzero.domain.settings import SETTING_OF, SETTINGS, Kind, Setting
from gridzero.runtime.setting_values import SettingRefused, moment_of, value_of
from gridzero.runtime.stores import Store, StoreDamaged

__all__ = ["SettingRefused", "Settings"]

log = structlog.get_logger()

_CLOCK_SET_S = 1_700_000_000.0  # November 2023: before that nobody has set the clock
_LONGEST_OVERRIDE_S = 366 * 86_400.0
_SHUNT_FLIPPED = Setting(
    key="shunt_flipped", title="", text="", kind=Kind.SWITCH
)  # no face shows it: the action flip_shunt looks first


class Settings:
    """The present wishes of the owner; every change is checked, stored and said.

    Only what a person changed is stored, with the default that it replaced: a new default in the
    configuration ends it. lost: why stored settings could not be read; then the battery rests,
    because what was stored may have been "off". utc_s: the time of day, seconds since 1970.
    """

    def __init__(
        self,
        default: Wanted,
        store: Store,
        *,
        most_w: Mapping[str, float] | None = None,
        has_prices: bool = True,
        utc_s: Callable[[], float] = time.time,
        may_log: Callable[[], bool] = lambda: True,
    ) -> None:
        """most_w: the greatest value of settings that end where the converters do, by key.

        may_log: asked before each change is logged: programs may change a setting every second.
        """
        self._store, self.default, self.utc_s = store, default, utc_s
        self._has_prices, self._may_log = has_prices, may_log
        self.rows = tuple(_within(row, most_w or {}) for row in SETTINGS)
        self._rows = {row.key: row for row in (*self.rows, _SHUNT_FLIPPED)}
        self._listeners: list[Callable[[Wanted], None]] = []
        self.lost = ""
        try:
            self._changed = store.load()
            self.wanted = self._restored()
        except StoreDamaged as error:
            self.lost = str(error)
            store.put_aside()
            self._changed = {}
            self.wanted = self._resting(default)
        self._ends_s = self._override_ends_s()

    def on_change(self, listener: Callable[[Wanted], None]) -> None:
        """Tell listener each accepted change."""
        self._listeners.append(listener)

    def shown(self, key: str) -> Any:
        """The present value for people: a cap is never above what the converters can do."""
        return self._shown(key, self.wanted)

    def shown_default(self, key: str) -> Any:
        """The same of what holds where nobody has changed it."""
        return self._shown(key, self.default)

    def change(self, **values: object) -> Wanted:
        """Take new values by key, all or none. Raises SettingRefused with the reason."""
        wanted = self.wanted
        for key, value in values.items():
            if key not in self._rows:
                raise SettingRefused(
                    f"there is no setting {key[:40]!r}", where="settings", remedy="See the list"
                )
            wanted = self._with(wanted, key, value_of(self._rows[key], value))
            self._check_moment(key, wanted)
        self._check(wanted)
        return self._take(wanted)

    def renew(self, default: Wanted) -> None:
        """Other defaults from the configuration, which has been checked; never raises.

        As at a start: one that changed ends what a person had set instead of it.
        """
        if default == self.default:
            return
        self.default = default
        self.wanted = self._fitting(replace(default, **dict(self._stored_values())))
        self._ends_s = self._override_ends_s()
        self._store.save(self._changed)
        for listener in self._listeners:
            listener(self.wanted)

    def end_override(self) -> None:
        """Call often: back to mode auto when the time of an override has come."""
        if self._ends_s is not None and self.utc_s() >= self._ends_s:
            log.info("settings.override_ended", mode=self.wanted.mode.value)
            self._take(replace(_without_override(self.wanted), mode=Mode.AUTO))

    def _take(self, wanted: Wanted) -> Wanted:
        if wanted == self.wanted:
            return wanted  # nothing to write: memory cards wear
        before, self.wanted = self.wanted, wanted
        self._ends_s = self._override_ends_s()
        changed = self._remember(before)
        if self._may_log():
            log.info("settings.changed", **changed)
        for listener in self._listeners:
            listener(wanted)
        return wanted

    def _with(self, wanted: Wanted, key: str, value: Any) -> Wanted:
        """One value taken over, with what follows from it."""
        if key == "automatic":
            key, value = "mode", Mode.AUTO if value else Mode.HOLD
        if key in {"max_charge_w", "max_discharge_w"} and value >= (self._rows[key].high or 0.0):
            value = NO_CAP_W  # so that another converter is used, too, once there is one
        if key == "mode" and value is Mode.AUTO and wanted.mode is not Mode.AUTO:
            wanted = _without_override(wanted)
        return replace(wanted, **{key: value})

    def _check(self, wanted: Wanted) -> None:
        """Raises SettingRefused where values contradict each other or this house."""
        for key in ("min_soc_pct", "reserve_soc_pct"):
            if not getattr(wanted, key) < wanted.max_soc_pct:
                raise SettingRefused(
                    f"{getattr(wanted, key):g} % is not below max_soc_pct, "
                    f"{wanted.max_soc_pct:g} %",
                    where=key,
                    remedy="The old value stays",
                )
        if wanted.strategy is Strategy.TARIFF and not self._has_prices:
            raise SettingRefused(
                "the strategy tariff needs prices, and the configuration has none",
                where="strategy",
                remedy="Add a section prices: docs/value.md",
            )

    def _check_moment(self, key: str, wanted: Wanted) -> None:
        """Of an override that begins now; a stored one may be over."""
        moment = moment_of(wanted.override_until) if key == "override_until" else None
        if moment is None:
            return
        now_s, ends_s = self.utc_s(), moment.timestamp()
        if now_s < _CLOCK_SET_S:
            why = "the clock of this computer is not set"
        elif ends_s <= now_s:
            why = f"{wanted.override_until} is over"
        elif ends_s > now_s + _LONGEST_OVERRIDE_S:
            why = f"{wanted.override_until} is more than a year away"
        else:
            return
        raise SettingRefused(why, where="override_until", remedy="The old value stays")

    def _override_ends_s(self) -> float | None:
        moment = moment_of(self.wanted.override_until)
        return None if moment is None else moment.timestamp()

    def _shown(self, key: str, wanted: Wanted) -> Any:
        value, high = getattr(wanted, key), self._rows[key].high
        return min(value, high) if isinstance(value, float) and high is not None else value

    def _remember(self, before: Wanted) -> dict[str, Any]:
        """Store what differs from before; returns that."""
        changed = {
            key: value
            for key, value in asdict(self.wanted).items()
            if value != getattr(before, key)
        }
        for key, value in changed.items():
            self._changed[key] = {"value": value, "default": getattr(self.default, key)}
        self._store.save(self._changed)
        return changed

    def _restored(self) -> Wanted:
        """Stored values over the defaults they replaced.

        All are read before any two are compared: they fit together, in whatever order they were
        changed.
        """
        wanted = self._fitting(replace(self.default, **dict(self._stored_values())))
        return self._resting(wanted) if self.lost else wanted

    def _fitting(self, wanted: Wanted) -> Wanted:
        """Without what a new configuration contradicts."""
        while self._changed:
            try:
                self._check(wanted)
            except SettingRefused as error:
                key = error.where if error.where in self._changed else "max_soc_pct"
                if key not in self._changed:
                    break  # the configuration contradicts itself, which its own check says
                self._drop(key, str(error))
                wanted = replace(wanted, **{key: getattr(self.default, key)})
            else:
                break
        return wanted

    def _resting(self, wanted: Wanted) -> Wanted:
        """Nothing flows until a person has looked, also after another restart."""
        mode = Mode.OFF if wanted.mode is Mode.OFF else Mode.HOLD
        self._changed["mode"] = {"value": mode.value, "default": self.default.mode}
        self._store.save(self._changed)
        return replace(wanted, mode=mode)

    def _stored_values(self) -> Iterator[tuple[str, Any]]:
        for key, entry in list(self._changed.items()):
            try:
                if entry["default"] != getattr(self.default, key):
                    log.info("settings.default_changed", key=key, dropped=entry["value"])
                    del self._changed[key]
                else:
                    yield key, self._stored_value(key, entry["value"])
            except (SettingRefused, TypeError, KeyError, AttributeError, IndexError) as error:
                self._drop(key, str(error))
                if key in _HOLDS_BACK:  # it may have been "off"
                    self.lost = f"what was stored as {key} cannot be read; the battery rests"

    def _stored_value(self, key: str, value: object) -> Any:
        if key not in _STORED:
            raise KeyError(key)
        row = SETTING_OF.get(key, _SHUNT_FLIPPED)  # the house may have had other converters
        return value_of(row, value)

    def _drop(self, key: str, why: str) -> None:
        log.warning("settings.dropped", key=key, error=why)
        self._changed.pop(key, None)


_STORED = frozenset(field.name for field in fields(Wanted))
_HOLDS_BACK = frozenset({"mode", "maintenance", "allow_charge", "allow_discharge", "ev_hold"})


def _within(row: Setting, most_w: Mapping[str, float]) -> Setting:
    """A row that ends where the converters do; no face draws a slider without any room."""
    if row.key not in most_w:
        return row
    return replace(row, high=max(most_w[row.key], row.step or 1.0))


def _without_override(wanted: Wanted) -> Wanted:
    return replace(wanted, override_until="", override_note="")
