"""What a changed configuration may change while gridzero runs: one table, and the comparison.

The table is the only place that knows. ``gridzero reload`` goes by it, docs/configuration.md shows
it, and a test asks that each key of the schema is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

from gridzero.config.models import Config

COMPANION, DASHBOARD = "companion", "dashboard"
_BOTH = (COMPANION, DASHBOARD)


@dataclass(frozen=True, slots=True)
class Live:
    """One row: a key of the configuration, with all that is below it unless that has a row.

    control: control takes a new value while it runs. beside: processes that are started again for
    it. Neither: it needs a restart. is_harmless: it bears on no power, so that an older value is
    never less safe than a newer one.
    """

    key: str
    control: bool = False
    beside: tuple[str, ...] = ()
    is_harmless: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it takes effect without a restart of control."""
        return self.control or bool(self.beside)


def _face(key: str, *beside: str) -> Live:
    return Live(key, beside=beside or (COMPANION,), is_harmless=True)


LIVE: tuple[Live, ...] = (
    Live("version", control=True, is_harmless=True),  # of the file's format; it has been read
    Live("site.state_dir"),
    Live("site.name", beside=_BOTH, is_harmless=True),
    Live("site.log", control=True, beside=_BOTH, is_harmless=True),
    Live("mqtt"),
    Live("links"),
    Live("devices"),
    Live("battery"),
    Live("thermal"),
    Live("watchdog"),
    Live("control.target_w", control=True),
    Live("control.mode", control=True),
    Live("control.power_w", control=True),
    Live("control.export_guard_w", control=True),
    Live("control.min_soc_pct", control=True),
    Live("control.max_soc_pct", control=True),
    Live("control.reserve_soc_pct", control=True),
    Live("control.strategy", control=True),
    Live("control.peak_w", control=True),
    Live("control.allow_grid_charge", control=True),
    Live("control.meter_hold_s", control=True),
    Live("control.meter_lost_s", control=True, beside=(COMPANION,)),
    Live("control.lease_s", control=True),
    Live("control.protect_period_s", control=True),
    Live("control.min_charge_w", control=True),
    Live("control.min_discharge_w", control=True),
    Live("control.stored_value", control=True),
    Live("control.target_topic", control=True),
    Live("control.target_timeout_s", control=True),
    Live("prices"),  # whether there is such a section; without one nothing is learned for it
    Live("prices.import_ct", control=True),
    Live("prices.export_ct", control=True),
    Live("prices.import_topic", control=True),
    Live("prices.export_topic", control=True),
    Live("prices.stored_topic", control=True),
    Live("production", control=True, is_harmless=True),
    _face("home_assistant"),
    _face("reference_topics"),
    _face("history"),
    _face("history.enabled", *_BOTH),
    _face("history.path", *_BOTH),
    _face("console"),
    _face("dashboard", DASHBOARD),
    _face("metrics"),
    _face("alerts"),
)
_FACES = tuple(row.key for row in LIVE if row.beside and not row.control and "." not in row.key)
_ROWS = {row.key: row for row in LIVE}


def row_of(key: str) -> Live:
    """The row that says it of a dotted key: that of the key itself, or the nearest above it.

    What no row knows needs a restart.
    """
    above = key
    while above:
        if above in _ROWS:
            return _ROWS[above]
        above = above.rpartition(".")[0]
    return Live(key)


class Change(NamedTuple):
    """A key whose value differs. words: as people read it, without anything secret."""

    key: str
    words: str

    @property
    def row(self) -> Live:
        """What becomes of it."""
        return row_of(self.key)


def changes(old: Config, new: Config) -> tuple[Change, ...]:
    """Every key whose value differs, in the order of the schema; defaults are values, too."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    keys = [
        key
        for key in dict.fromkeys((*before, *after))
        if before.get(key, _ABSENT) != after.get(key, _ABSENT)
    ]
    whole = tuple(f"{key}." for key in keys if _is_new_or_gone(key, before, after))
    return tuple(
        Change(key, _words(key, before.get(key, _ABSENT), after.get(key, _ABSENT)))
        for key in keys
        if not key.startswith(whole)
    )


class Split(NamedTuple):
    """Changes by what becomes of them.

    now: what is applied while it runs. waiting: what a restart applies. beside: the processes that
    are started again.
    """

    now: tuple[Change, ...]
    waiting: tuple[Change, ...]
    beside: frozenset[str]


def split(found: Iterable[Change]) -> Split:
    """What can be applied, and what waits.

    A process beside control reads the whole file. Where part of it waits for a restart, such a
    process would see what control does not: then what is its own waits, too.
    """
    found = tuple(found)
    stuck = any(not change.row.is_live for change in found)
    now = [c for c in found if c.row.control or (c.row.is_live and not stuck)]
    beside = frozenset() if stuck else frozenset(name for c in now for name in c.row.beside)
    return Split(tuple(now), tuple(c for c in found if c not in now), beside)


def taken(old: Config, new: Config, parts: Split) -> Config:
    """What runs once the parts of new are taken that need no restart."""
    values: dict[str, object] = {
        "site": old.site.model_copy(update={"log": new.site.log}),
        "version": new.version,
        "control": new.control,
        "production": new.production,
    }
    if old.prices is not None and new.prices is not None:
        values["prices"] = new.prices
    if not any(not change.row.is_live for change in parts.waiting):
        values |= {name: getattr(new, name) for name in _FACES}
        values["site"] = old.site.model_copy(update={"log": new.site.log, "name": new.site.name})
    return old.model_copy(update=values)


def are_harmless(keys: Iterable[str]) -> bool:
    """Whether none of these keys bears on any power."""
    return all(row_of(key).is_harmless for key in keys)


_ABSENT = object()


def _leaves(section: BaseModel, above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys with their values; an optional section is one, too: whether it is there."""
    for name, field in type(section).model_fields.items():
        key, value = f"{above}{name}", getattr(section, name)
        if isinstance(value, BaseModel):
            if field.default is None:
                yield key, True
            yield from _leaves(value, f"{key}.")
        elif isinstance(value, dict):
            yield from _entries(value, f"{key}.")
        else:
            yield key, value


def _entries(entries: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    """Of what is named by the person: links, devices, numbers of the profile."""
    for name, value in entries.items():
        key = f"{above}{name}"
        if isinstance(value, BaseModel):
            yield key, True
            yield from _leaves(value, f"{key}.")
        elif isinstance(value, dict):
            yield key, True
            yield from _entries(value, f"{key}.")
        else:
            yield key, value


def _words(key: str, before: object, after: object) -> str:
    """Numbers and truths are shown. Texts are not: any of them may have come by !secret."""
    if _is_plain(before) and _is_plain(after):
        return f"{key} ({_shown(before)} -> {_shown(after)})"
    if after is None or after is _ABSENT:
        return f"{key} (removed)"
    return f"{key} (added)" if before is None or before is _ABSENT else key


def _is_new_or_gone(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Then what is below it need not be told."""
    return before.get(key) is None or after.get(key) is None


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
