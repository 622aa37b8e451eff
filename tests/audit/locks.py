"""What can be known of the locks without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

LEAST_HASHES = 4  # of what is compiled: a wheel for each of two machines and two kinds of Python
_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[\w, .-]+\])?==([^\s;*]+)\s*(?:;\s*(.*?))?\s*$")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One package of a lock. marker: for which Pythons and systems, "" = for all."""

    lock: str
    name: str
    version: str
    marker: str
    hashes: int


def normal(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(file: Path) -> tuple[list[Entry], list[str]]:
    """The entries of a lock, and what is wrong with those that are none."""
    entries, problems = [], []
    for line in _logical_lines(file.read_text()):
        first, *rest = (part.strip() for part in re.split(r"\s(?=--hash)", line))
        pinned = _PINNED.match(first)
        if pinned is None:
            problems.append(f"{file.name}: not pinned to one version: {first[:60]}")
            continue
        if not rest or not all(map(_HASH.match, rest)):
            problems.append(f"{file.name}: {pinned[1]} has no good sha256")
        name, version, marker = pinned.groups()
        entries.append(Entry(file.name, normal(name), version, marker or "", len(rest)))
    return entries, problems


def _logical_lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        kept = re.sub(r"(^|\s)#.*", "", line).strip()
        if kept:
            yield kept


def twice(entries: Iterable[Entry]) -> Iterator[str]:
    """Packages that stand in one lock twice for the same machine, or differ between locks."""
    versions: dict[tuple[str, str], set[str]] = {}
    seen: set[tuple[str, str, str]] = set()
    for entry in entries:
        key = entry.lock, entry.name, entry.marker
        if key in seen:
            yield f"{entry.lock}: {entry.name} stands there twice"
        seen.add(key)
        versions.setdefault((entry.name, entry.marker), set()).add(entry.version)
    for (name, _), found in versions.items():
        if len(found) > 1:
            yield f"{name} is {' and '.join(sorted(found))} in different locks"


def outside(entries: Iterable[Entry], project: Mapping[str, Any]) -> Iterator[str]:
    """Locked versions that pyproject.toml does not allow, and needs that no lock has."""
    locked = {entry.name: entry.version for entry in entries}
    extras = project.get("optional-dependencies", {}).values()
    for line in (*project["dependencies"], *(line for extra in extras for line in extra)):
        wanted = Requirement(line)
        version = locked.get(normal(wanted.name))
        if version is None and normal(wanted.name) not in _NOT_LOCKED:
            yield f"{wanted.name} is in pyproject.toml and in no lock"
        elif version is not None and version not in wanted.specifier:
            yield f"{wanted.name} {version} is locked, pyproject.toml says {wanted.specifier}"


_NOT_LOCKED = frozenset({"matplotlib"})  # only for a person who wants pictures of measurements


def compiled(installed: Iterable[Distribution]) -> frozenset[str]:
    """Names of packages whose wheel here is for one kind of machine."""
    return frozenset(
        normal(one.metadata["Name"])
        for one in installed
        if "Root-Is-Purelib: false" in (one.read_text("WHEEL") or "")
    )


def too_few_hashes(entries: Iterable[Entry], names: frozenset[str]) -> Iterator[str]:
    """Compiled packages that cannot have a wheel for arm64 and amd64: there are too few hashes."""
    for entry in entries:
        if entry.name in names and entry.hashes < LEAST_HASHES:
            yield f"{entry.lock}: {entry.name} is compiled and has only {entry.hashes} files"
