"""What a restore would do, file by file, before it does anything.

Two things are not taken back to what they were: counters of energy, because Home Assistant would
count the difference again, and faults that wait for a person, because only a person ends them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from gridzero.backup.house import CONFIG, HISTORY, NAMED, SECRETS, STATE, House, house_of, paths_of
from gridzero.backup.manifest import BackupRefused, Part, damaged
from gridzero.backup.remembered import quick_file, remembered
from gridzero.backup.unpack import Backup
from gridzero.config.files import read_text, real_path
from gridzero.config.problems import ConfigErrors

ELSEWHERE: Final = "elsewhere"
_COUNTERS: Final = frozenset({"state/energy.json", "state/energy-days.json"})
_ENERGY: Final = "state/energy.json"
_LATCHED: Final = "state/latched.json"
_ORDER: Final = (HISTORY, *STATE, *(named.name for named in NAMED), SECRETS, CONFIG)
"""The configuration last: until then the old house stands."""


class Does(StrEnum):
    """What becomes of a file."""

    NEW = "new"
    REPLACED = "replaced; the old one is kept"
    SAME = "already the same"
    KEPT = "kept as it is"


@dataclass(frozen=True, slots=True)
class Move:
    """One file. content: what is written, None = nothing, or the history. why: in words."""

    name: str
    target: Path
    does: Does
    content: bytes | None = None
    why: str = ""

    @property
    def writes(self) -> bool:
        """Whether anything changes."""
        return self.does in {Does.NEW, Does.REPLACED}


@dataclass(frozen=True, slots=True)
class Plan:
    """In the order in which it is done.

    state_dir: where state goes. replaced: the state folder of the house whose configuration is
    replaced, which may be another. Nobody may run with either.
    """

    moves: tuple[Move, ...]
    config: Path
    state_dir: Path
    house: House
    replaced: Path | None = None

    @property
    def state_dirs(self) -> tuple[Path, ...]:
        """Whose locks must be held, each once."""
        wanted = [path for path in (self.state_dir, self.replaced) if path is not None]
        return tuple({real_path(path): path for path in wanted}.values())


def plan_into(backup: Backup, folder: Path, *, history: bool = True) -> Plan:
    """Everything below one folder, in which gridzero can then be started."""
    config = folder / backup.manifest.config_name
    house = _house(backup, config)
    targets = {
        name: folder / path if _is_inside(folder / path, folder) else folder / _spare(name)
        for name, path in paths_of(house, config).items()
        if name not in {CONFIG, SECRETS}
    }
    targets |= {CONFIG: config, SECRETS: folder / SECRETS}
    return _plan(backup, house, targets, history=history)


def plan_over(backup: Backup, config: Path, *, history: bool = True) -> Plan:
    """The house of a configuration: state where the restored one says, as gridzero looks for it.

    Other files only beside it or in the state folder: a backup must not say which file of the
    machine is replaced.
    """
    house = _house(backup, config)
    own = (config.parent, Path(house.state_dir))
    targets = paths_of(house, config)
    targets |= {name: real_path(targets[name]) for name in (CONFIG, SECRETS)}  # a link stays one
    for name in (HISTORY, *house.named):
        path = targets[name]
        if not any(_is_inside(path, folder) for folder in own):
            targets[name] = config.parent / _spare(name)
    plan = _plan(backup, house, targets, history=history)
    return replace(plan, config=config, replaced=_state_dir_of(config))


def _state_dir_of(config: Path) -> Path | None:
    """None where there is no configuration, or nobody can say."""
    try:
        return Path(house_of(read_text(config), config).state_dir)
    except ConfigErrors:
        return None


def _house(backup: Backup, config: Path) -> House:
    """Raises BackupRefused."""
    try:
        text = backup.read(CONFIG).decode()
        return house_of(text, config)
    except (KeyError, ValueError, ConfigErrors):
        raise damaged(str(config), "there is no configuration in it") from None


def _is_inside(path: Path, folder: Path) -> bool:
    """Of where they really are: neither .. nor a link leads out."""
    return real_path(folder) in real_path(path).parents


def _spare(name: str) -> Path:
    """Where a file goes that belongs outside of the folder."""
    return Path(name) if name in STATE else Path(ELSEWHERE) / Path(name).name


def _plan(backup: Backup, house: House, targets: Mapping[str, Path], *, history: bool) -> Plan:
    parts = backup.manifest.parts
    names = [name for name in _ORDER if name in parts and name in targets]
    if not history and HISTORY in names:
        names.remove(HISTORY)
    moves = [_move(backup, name, targets[name], house) for name in _places(names, targets, parts)]
    return Plan(tuple(_counters_stay(moves)), targets[CONFIG], targets[STATE[0]].parent, house)


def _places(
    names: Sequence[str], targets: Mapping[str, Path], parts: Mapping[str, Part]
) -> Iterator[str]:
    """Names of which each has a place of its own; a key and its certificate may be one file.

    Raises BackupRefused where unlike files want the same place.
    """
    taken: dict[Path, str] = {}
    for name in names:
        target = real_path(targets[name])
        first = taken.setdefault(target, name)
        if first == name:
            yield name
        elif parts[first] != parts[name]:
            raise damaged(str(targets[name]), f"{first} and {name} want the same place")


def _move(backup: Backup, name: str, target: Path, house: House) -> Move:
    if os.path.lexists(target) and not target.is_file():
        what = "that is no ordinary file, and would be replaced"
        raise BackupRefused(what, where=str(target), remedy="Name another place")
    there = target.exists() or (name in STATE and quick_file(target).exists())
    why = _belongs(name, target, house)
    if name == HISTORY:
        return Move(name, target, Does.REPLACED if there else Does.NEW, why=why)
    content, old = backup.read(name), _old(name, target)
    if name == _LATCHED and there:
        return _latched(target, content, old)
    if content == old:
        return Move(name, target, Does.SAME, why=why)
    return Move(name, target, Does.REPLACED if there else Does.NEW, content, why)


def _old(name: str, target: Path) -> bytes | None:
    """What is there, as gridzero would find it."""
    try:
        content = target.read_bytes()
    except OSError:
        content = None
    return remembered(target, content) if name in STATE else content


def _belongs(name: str, target: Path, house: House) -> str:
    """Said where a file lands elsewhere than the configuration looks for it."""
    said = {**house.named, HISTORY: house.history}.get(name)
    if name in STATE and target.parent.name == "state" and Path(house.state_dir).is_absolute():
        said = f"{house.state_dir}/{target.name}"
    if said is None or real_path(Path(said)) == real_path(target):
        return ""
    is_elsewhere = ELSEWHERE in target.parts or Path(said).is_absolute()
    return (
        f"the configuration looks for it at {said}: move it there yourself" if is_elsewhere else ""
    )


def _counters_stay(moves: Sequence[Move]) -> Iterator[Move]:
    """Both files of counters stay where those of the house have counted on."""
    ahead = any(move.name == _ENERGY and move.writes and _is_ahead(move) for move in moves)
    for move in moves:
        if ahead and move.name in _COUNTERS and move.target.exists():
            why = "the counters here have counted on; Home Assistant would count that again"
            yield Move(move.name, move.target, Does.KEPT, why=why)
        else:
            yield move


def _is_ahead(move: Move) -> bool:
    """Whether any counter in place is above that of the backup."""
    here, then = _totals(_old(move.name, move.target)), _totals(move.content)
    return any(value > then.get(key, 0.0) for key, value in here.items())


def _totals(content: bytes | None) -> Mapping[str, float]:
    total = _json(content).get("total")
    members = total.items() if isinstance(total, dict) else ()
    return {key: float(v) for key, v in members if isinstance(v, int | float)}


def _json(content: bytes | None) -> Mapping[str, Any]:
    try:
        values = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _latched(target: Path, content: bytes, old: bytes | None) -> Move:
    """What waits for a person now waits afterwards, too, beside what waited then."""
    here, then = _rows(old), _rows(content)
    if here is None or then is None:  # unreadable: gridzero gives no power until it is acknowledged
        return Move(_LATCHED, target, Does.KEPT, why="it cannot be joined with that of the backup")
    keys = {(row.get("code"), row.get("subject")) for row in here}
    more = [row for row in then if (row.get("code"), row.get("subject")) not in keys]
    if not more:
        return Move(_LATCHED, target, Does.KEPT, why="faults wait until a person acknowledges them")
    joined = json.dumps({**_json(old), "latched": [*here, *more]}).encode()
    return Move(_LATCHED, target, Does.REPLACED, joined, "joined with what waits here")


def _rows(content: bytes | None) -> list[dict[str, Any]] | None:
    values = _json(content)
    rows = values.get("latched")
    is_ours = values.get("version") == 1 and isinstance(rows, list)
    if not is_ours or not all(isinstance(row, dict) for row in rows or ()):
        return None
    return list(rows or ())
