"""Runs files of test vectors through the codec of their driver.

A file is a JSON or YAML list of vectors, or a mapping with that list under ``vectors``. What a
vector looks like is the driver's matter; its ``name`` (or ``id``) is what people are told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gridzero.config.files import real_path
from gridzero.errors import ConfigError
from gridzero.ports.plugin import DriverPlugin

MOST_BYTES = 32 * 1024 * 1024
_FRAMES = "frames"  # a driver's own file is called after its folder


@dataclass(frozen=True, slots=True)
class VectorReport:
    """What one file gave. mismatches: (name of the vector, what differs)."""

    file: Path
    driver: str
    passed: int
    mismatches: tuple[tuple[str, str], ...]

    @property
    def failed(self) -> int:
        """How many vectors differ."""
        return len(self.mismatches)


def driver_of(file: Path) -> str:
    """The driver that a file is for, by its name: vw-gte.json or vw_gte/frames.yaml."""
    stem = real_path(file).parent.name if file.stem == _FRAMES else file.stem
    return stem.replace("-", "_")


def check_file(
    file: Path, plugins: Mapping[str, DriverPlugin], driver: str | None = None
) -> VectorReport:
    """Run all vectors of a file.

    driver: by default the one that the file is named after.
    Raises ConfigError when there is no such driver, or no vectors in the file.
    """
    name = driver or driver_of(file)
    plugin = plugins.get(name)
    if plugin is None:
        known = ", ".join(sorted(plugins)) or "none"
        remedy = f"Name one with --driver; installed are: {known}"
        raise ConfigError(f"there is no driver {name!r}", where=str(file), remedy=remedy)
    vectors = read_vectors(file)
    results = ((_name(v, i), _check(plugin.check_vector, v)) for i, v in enumerate(vectors, 1))
    mismatches = tuple((vector, differs) for vector, differs in results if differs)
    return VectorReport(file, name, len(vectors) - len(mismatches), mismatches)


def read_vectors(file: Path) -> list[Any]:
    """The vectors of a file. Raises ConfigError when there are none."""
    content = _content(file)
    vectors = content.get("vectors") if isinstance(content, dict) else content
    if isinstance(vectors, list) and vectors:
        return vectors
    remedy = "A file of vectors is a list, or a mapping with a list under 'vectors'"
    raise ConfigError("there are no vectors in the file", where=str(file), remedy=remedy)


def _content(file: Path) -> Any:
    try:
        if file.stat().st_size <= MOST_BYTES:
            text = file.read_text(encoding="utf-8-sig")
            return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
        what = f"it is larger than {MOST_BYTES >> 20} MiB"
    except OSError as error:
        what = error.strerror or str(error)
    except RecursionError:
        what = "it is nested too deep"
    except (ValueError, yaml.YAMLError) as error:
        what = " ".join(str(error).split())
    remedy = "Give a file of vectors, JSON or YAML"
    raise ConfigError(f"the file cannot be read: {what}", where=str(file), remedy=remedy)


def _check(check_vector: Callable[[Mapping[str, Any]], str], vector: object) -> str:
    if not isinstance(vector, Mapping):
        return f"this is no mapping but a {type(vector).__name__}"
    try:
        return check_vector(vector)
    except Exception as error:  # noqa: BLE001  # a codec that raises has failed the vector
        return f"the codec raised {type(error).__name__}: {error}"


def _name(vector: object, number: int) -> str:
    named = vector if isinstance(vector, Mapping) else {}
    return str(named.get("name") or named.get("id") or f"number {number}")
