"""Values out of what was heard: whatever has not the expected kind is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gridzero.outputs.values import at as dig
from gridzero.outputs.values import number_of

__all__ = ["Heard", "Tree", "branch", "dig", "items", "number", "numbers", "word"]

Tree = Mapping[str, Any]


class Heard(Protocol):
    """What a gridzero has said; outputs.feed.Feed is one."""

    @property
    def is_online(self) -> bool | None:
        """None = not heard yet."""
        ...

    def latest(self, topic: str) -> Tree | None:
        """The newest word on a topic, None = never."""
        ...

    def age_s(self, topic: str) -> float:
        """How old that is, s."""
        ...


def number(tree: Any, *path: str) -> float | None:
    """A finite number."""
    value = number_of(dig(tree, *path))
    return None if value is None else float(value)


def word(tree: Any, *path: str) -> str | None:
    """A text that says something."""
    value = dig(tree, *path)
    return value if isinstance(value, str) and value else None


def branch(tree: Any, *path: str) -> Tree:
    """An object; an empty one where there is none."""
    value = dig(tree, *path)
    return value if isinstance(value, Mapping) else {}


def items(tree: Any, *path: str) -> Sequence[Any]:
    """A list; an empty one where there is none."""
    value = dig(tree, *path)
    return value if isinstance(value, list | tuple) else ()


def numbers(tree: Any, *path: str) -> list[float | None]:
    """A list of numbers, None for each member that is none."""
    return [number_of(value) for value in items(tree, *path)]
