"""What is wrong with a file, and in which line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gridzero.errors import ConfigError

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists, () = the whole file."""

MOST_PROBLEMS = 200
"""Nobody reads on after so many; and a file of nothing else must not be worked off for minutes."""

_LONGEST_SHOWN = 60
_SHORTEST_SECRET = 4  # shorter ones would blot out half of each sentence


class Place(NamedTuple):
    """Where something stands; both count from 1."""

    line: int
    column: int


TOP = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. where: such as ``devices.battery.buses.a.link``."""

    file: str
    line: int
    column: int
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.where}: {self.what}. {self.remedy}"


class ConfigErrors(ConfigError):
    """Everything that is wrong with a configuration; nothing was started.

    problems: at least one, sorted by line.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column)))
        first = self.problems[0]
        super().__init__(first.what, where=f"{first.file}:{first.line}", remedy=first.remedy)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class Notes:
    """Collects problems and warnings while a file is read.

    hidden: texts that must not be shown, such as the values of secrets.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.hidden: set[str] = set()

    def tell(self, place: Place, path: Path, what: str, remedy: str) -> None:
        """Note something that must be mended. Raises ConfigErrors once there is too much of it."""
        self.problems.append(self._problem(place, path, what, remedy))
        if len(self.problems) >= MOST_PROBLEMS:
            self.raise_if_any()

    def warn(self, place: Place, path: Path, what: str, remedy: str) -> None:
        """Note something that a person should know."""
        self.warnings.append(self._problem(place, path, what, remedy))

    def raise_if_any(self) -> None:
        """Raises ConfigErrors with all problems, if there is one."""
        if self.problems:
            raise ConfigErrors(self.problems)

    def _problem(self, place: Place, path: Path, what: str, remedy: str) -> Problem:
        what, remedy = self._blot(what), self._blot(remedy)
        return Problem(self.file, place.line, place.column, dotted(path), what, remedy)

    def _blot(self, text: str) -> str:
        for hidden in self.hidden:
            if len(hidden) >= _SHORTEST_SECRET:
                text = text.replace(hidden, "***")
        return text


def dotted(path: Path) -> str:
    """A path as people read it; ``file`` for the whole file."""
    return ".".join(map(_step, path)) or "file"


def shown(value: object) -> str:
    """A value of the file, short and on one line, whatever is in it."""
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ascii(value) if not str(value).isprintable() else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _step(part: str | int) -> str:
    plain = isinstance(part, int) or (part.isprintable() and 0 < len(part) <= _LONGEST_SHOWN)
    return str(part) if plain else shown(part)
