"""The table of contents of a backup."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gridzero import __version__
from gridzero.backup.house import NAMES, most_bytes
from gridzero.config.version import VERSION
from gridzero.domain.releases import release_of
from gridzero.errors import GridzeroError

NAME: Final = "manifest.json"
FORMAT: Final = 1
MOST_BYTES: Final = 65_536
_KIND: Final = "gridzero backup"
_SUM: Final = re.compile(r"[0-9a-f]{64}")
_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_CONFIG_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")


class BackupRefused(GridzeroError):
    """A backup that is none, or not one for this gridzero; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. utc: when it was made. config_name: how the configuration was called."""

    utc: str
    config_name: str
    config_version: int
    parts: Mapping[str, Part]
    gridzero: str = __version__
    left_out: tuple[str, ...] = field(default=())

    def to_json(self) -> bytes:
        """As it stands in the file."""
        files = {n: {"bytes": p.size_bytes, "sha256": p.sha256} for n, p in self.parts.items()}
        values = {
            "kind": _KIND,
            "format": FORMAT,
            "gridzero": self.gridzero,
            "config_version": self.config_version,
            "utc": self.utc,
            "config_name": self.config_name,
            "left_out": list(self.left_out),
            "files": files,
        }
        return json.dumps(values, indent=1).encode()


def config_name(name: str) -> str:
    """As a configuration is called after it was restored; plain, whatever it was called before."""
    return name if _CONFIG_NAME.fullmatch(name) else "house.yaml"


def read_manifest(text: bytes, where: str) -> Manifest:
    """Raises BackupRefused for what is foreign, newer, or says what cannot be."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("kind") != _KIND:
        raise foreign(where)
    _refuse_newer(said, where)
    try:
        return _checked(said)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise damaged(where, f"its table of contents says {error}") from None


def _refuse_newer(said: Mapping[str, Any], where: str) -> None:
    """Raises BackupRefused."""
    for key, known in (("format", FORMAT), ("config_version", VERSION)):
        number = said.get(key)
        if isinstance(number, int) and number > known:
            raise _newer(f"{key.replace('_', ' ')} {number:.9g}, this one knows {known}", where)
    own, made_by = release_of(__version__), release_of(str(said.get("gridzero")))
    if own is not None and made_by is not None and made_by > own:
        raise _newer(f"{said['gridzero']}, this is {__version__}", where)


def _checked(said: Mapping[str, Any]) -> Manifest:
    """Raises ValueError and its like."""
    files, config_name, utc = said["files"], str(said["config_name"]), str(said["utc"])
    if not _CONFIG_NAME.fullmatch(config_name) or not _UTC.fullmatch(utc):
        raise ValueError("a name or time that cannot be")
    if said["format"] != FORMAT or not isinstance(said["config_version"], int):
        raise ValueError("a version that cannot be")
    if len(files) > len(NAMES):
        raise ValueError("too many files")
    parts = {str(name): _part(str(name), part) for name, part in files.items()}
    release = str(said["gridzero"]) if release_of(str(said["gridzero"])) else "unknown"
    left_out = tuple(str(name) for name in said["left_out"] if name in NAMES)
    return Manifest(utc, config_name, said["config_version"], parts, release, left_out)


def _part(name: str, said: Mapping[str, Any]) -> Part:
    size, sha256 = said["bytes"], str(said["sha256"])
    if name not in NAMES:
        raise ValueError(f"a file {name[:60]!r}, which no backup has")
    is_number = isinstance(size, int) and not isinstance(size, bool)
    if not is_number or not 0 <= size <= most_bytes(name) or not _SUM.fullmatch(sha256):
        raise ValueError(f"a size or sum of {name} that cannot be")
    return Part(size, sha256)


def foreign(where: str) -> BackupRefused:
    """Not made by gridzero backup."""
    return BackupRefused(
        "this is no backup of gridzero", where=where, remedy="Give what gridzero backup has written"
    )


def damaged(where: str, why: str) -> BackupRefused:
    """Not what gridzero backup had written."""
    return BackupRefused(
        f"the backup is damaged: {why}",
        where=where,
        remedy="Copy it again from where it was kept, or take another one",
    )


def _newer(what: str, where: str) -> BackupRefused:
    return BackupRefused(
        f"the backup was made by a newer gridzero ({what})",
        where=where,
        remedy="Install that gridzero, and restore with it",
    )
