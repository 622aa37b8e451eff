"""From the JSON of a topic to samples. What is not there, or is no number, has no sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from gridzero.outputs.values import at as values_at
from gridzero.outputs.values import number_of

PREFIX = "gridzero_"

MOST_SAMPLES = 2000
"""Of one metric: what names its own modules or cells must not fill Prometheus."""

_LONGEST_LABEL = 80


class Sample(NamedTuple):
    """One value. labels: their values, in the order of the metric's label names."""

    labels: tuple[str, ...]
    value: float


Read = Callable[[Mapping[str, Any]], Iterator[Sample]]
Row = tuple[str, str, Read] | tuple[str, str, Read, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: a name as Prometheus sees it, and where its values stand.

    A name that ends with _total is a counter, everything else a gauge.
    topic: below the prefix. labels: names of the labels of each sample.
    """

    name: str
    text: str
    topic: str
    read: Read
    labels: tuple[str, ...] = ()

    @property
    def is_counter(self) -> bool:
        """Whether it only grows, until its source starts anew."""
        return self.name.endswith("_total")

    def samples(self, values: Mapping[str, Any]) -> Mapping[tuple[str, ...], float]:
        """Each set of labels once: a repeated one would spoil the whole scrape."""
        found: dict[tuple[str, ...], float] = {}
        for labels, value in self.read(values):
            if len(found) >= MOST_SAMPLES:
                break
            found[tuple(map(_label, labels))] = value
        return found


def _label(text: str) -> str:
    """What no UTF-8 can hold (half a surrogate pair, from JSON) would spoil the whole scrape."""
    return text[:_LONGEST_LABEL].encode(errors="replace").decode()


def rows(topic: str, *cells: Row) -> Iterator[Metric]:
    """Metrics of one topic. cells: name without the prefix, help, reader and, if any, labels."""
    for name, text, read, *labels in cells:
        yield Metric(f"{PREFIX}{name}", text, topic, read, *labels)


def number(value: Any, scale: float = 1.0) -> float | None:
    """A finite number, a truth as 1 or 0; None for everything else."""
    plain = number_of(int(value) if isinstance(value, bool) else value)
    scaled = None if plain is None else plain * scale
    return None if scaled is None or not isfinite(scaled) else float(scaled)


def at(values: Any, path: str) -> Any:
    """What stands at a path such as ``battery.soc_pct``; None where it leads nowhere."""
    return values_at(values, *path.split("."))


def named(values: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The members of the object at a path, by name; path "" is the whole."""
    found = at(values, path) if path else values
    if isinstance(found, Mapping):
        yield from ((str(name), inner) for name, inner in found.items())


def listed(values: Any, path: str) -> Sequence[Any]:
    """The list at a path, () where there is none."""
    found = at(values, path)
    return found if isinstance(found, list) else ()


def one(path: str, scale: float = 1.0) -> Read:
    """A single number."""

    def read(values: Mapping[str, Any]) -> Iterator[Sample]:
        yield from _sample((), at(values, path), scale)

    return read


def by_name(group: str, path: str, scale: float = 1.0) -> Read:
    """A number of each member of a group, with its name as the label; path "" is the member."""

    def read(values: Mapping[str, Any]) -> Iterator[Sample]:
        for name, inner in named(values, group):
            yield from _sample((name,), at(inner, path) if path else inner, scale)

    return read


def by_place(group: str, path: str, scale: float = 1.0, inner: str = "") -> Read:
    """A number of each place in a list of each member, with name and place from 1 as labels."""

    def read(values: Mapping[str, Any]) -> Iterator[Sample]:
        for name, member in named(values, group):
            for place, entry in enumerate(listed(member, path), start=1):
                yield from _sample((name, str(place)), at(entry, inner) if inner else entry, scale)

    return read


def count(path: str) -> Read:
    """How many entries a list has; nothing where there is no list."""

    def read(values: Mapping[str, Any]) -> Iterator[Sample]:
        if isinstance(found := at(values, path), list):
            yield Sample((), float(len(found)))

    return read


def text_of(path: str, options: Sequence[str] = ()) -> Read:
    """1 for the text at a path as the label, 0 for each other of the options."""

    def read(values: Mapping[str, Any]) -> Iterator[Sample]:
        found = at(values, path)
        if isinstance(found, str):
            others = (each for each in options if each != found)
            yield from (Sample((each,), 0.0) for each in others)
            yield Sample((found,), 1.0)

    return read


def _sample(labels: tuple[str, ...], value: Any, scale: float) -> Iterator[Sample]:
    figure = number(value, scale)
    if figure is not None:
        yield Sample(labels, figure)
