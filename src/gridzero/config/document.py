"""A file's content, of which every value knows its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gridzero.config.problems import TOP, Path, Place


@dataclass(slots=True)
class Document:
    """A file's content.

    keys, values: places of the key and of the value of each path. spoilt: paths whose problem
    was told already and whose value only stands in. tagged: values that came from elsewhere,
    such as secrets.
    """

    value: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    spoilt: set[Path] = field(default_factory=set)
    tagged: dict[Path, str] = field(default_factory=dict)

    def get(self, path: Path) -> Any:
        """The value at path, None when there is none."""
        value = self.value
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def rename(self, path: Path, to: str) -> None:
        """Call a key otherwise; what is said of it later is said of the same line."""
        section, new = self.get(path[:-1]), (*path[:-1], to)
        section[to] = section.pop(path[-1])
        for places in (self.keys, self.values, self.tagged):
            _move_below(places, path, new)
        self.spoilt = {_moved(each, path, new) for each in self.spoilt}

    def place(self, path: Path) -> Place:
        """Where a person looks for path: at a short value, or at the key of a section."""
        if isinstance(self.get(path), (dict, list)):
            return self.keys.get(path) or self.values.get(path, TOP)
        return self.values.get(path) or self.keys.get(path, TOP)


def _move_below(places: dict[Path, Any], path: Path, new: Path) -> None:
    for each in [each for each in places if each[: len(path)] == path]:
        places[_moved(each, path, new)] = places.pop(each)


def _moved(each: Path, path: Path, new: Path) -> Path:
    return (*new, *each[len(path) :]) if each[: len(path)] == path else each
