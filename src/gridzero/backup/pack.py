"""Writing a backup, as a whole or not at all, also while gridzero runs.

Each file of the state folder is replaced as a whole by whoever writes it, so each is read whole;
the history is copied by SQLite's own online backup. They are read one after the other: not of one
instant, and no two of them need to be.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gridzero.backup.house import (
    HISTORY,
    NAMED,
    SECRET,
    STATE,
    House,
    house_of,
    most_bytes,
    paths_of,
)
from gridzero.backup.manifest import NAME, BackupRefused, Manifest, Part, config_name
from gridzero.backup.remembered import remembered
from gridzero.backup.unpack import BEGINNING, opened
from gridzero.config.files import read_text, real_path
from gridzero.errors import GridzeroError
from gridzero.outputs.history.backup import backup as copy_history
from gridzero.whole_files import may_replace, settle, telling

_CHUNK: Final = 1 << 20
_TRIES: Final = 5
_WORKSHOP: Final = ".gridzero-backup-"
_DAY_S: Final = 86_400.0
_SPARE_BYTES: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written. missing: what is not in it, and why."""

    file: Path
    manifest: Manifest
    missing: Mapping[str, str]


def pack(config: Path, output: Path, *, secrets: bool, history: bool, now: datetime) -> Packed:
    """Write a backup of the house of a configuration; now: in UTC.

    Raises GridzeroError where none could be made; an older one of that name is then left as it is.
    """
    house = house_of(read_text(config), config)
    if not Path(house.state_dir).is_dir():
        raise BackupRefused(
            "the state folder is not there",
            where=house.state_dir,
            remedy="It is relative to where gridzero starts: run this in the same folder",
        )
    paths = paths_of(house, config)
    target = _target(output, config, now)
    _refuse_own_files(target, paths)
    if history:
        _refuse_small_disk(target.parent, paths[HISTORY])
    with _workshop(target.parent) as folder:
        sources, missing = _sources(paths, folder, secrets=secrets, history=history)
        manifest = _manifest(config, house, sources, missing, now)
        _write(folder / "backup", manifest, sources)
        with telling(target):
            (folder / "backup").replace(target)
            settle(target.parent)
    return Packed(target, manifest, missing)


def _target(output: Path, config: Path, now: datetime) -> Path:
    name = f"{config.stem}-{now.strftime('%Y%m%dT%H%M%SZ')}.zip"
    return output / name if output.is_dir() else output


def _refuse_own_files(target: Path, paths: Mapping[str, Path]) -> None:
    """Raises BackupRefused: a slip of the keyboard must not cost what it should save."""
    what = ""
    if real_path(target) in {real_path(path) for path in paths.values()}:
        what = "that is a file of the house"
    elif not may_replace(target, BEGINNING):
        what = "that is there already, and is no backup"
    if what:
        raise BackupRefused(what, where=str(target), remedy="Give another")


def _refuse_small_disk(folder: Path, history: Path) -> None:
    """Raises BackupRefused: a disk filled by a backup is full for whoever must store a fault."""
    needed = 2 * history.stat().st_size + _SPARE_BYTES if history.is_file() else 0
    with telling(folder):
        is_enough = shutil.disk_usage(folder).free >= needed
    if not is_enough:
        what = f"there is no room for the history: {needed / 1e6:.0f} MB are needed for a while"
        raise BackupRefused(what, where=str(folder), remedy="Make room, or --without-history")


def _sweep(parent: Path) -> None:
    """Remove what backups have left that a power cut ended: each may hold a whole history."""
    before_s = time.time() - _DAY_S
    for left in parent.glob(f"{_WORKSHOP}*"):
        about = left.lstat()
        if about.st_uid == os.geteuid() and about.st_mtime < before_s:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _workshop(parent: Path) -> Iterator[Path]:
    """A folder beside the target, for its owner only, gone afterwards. Raises NotWritten."""
    with telling(parent):
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=_WORKSHOP, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sources(
    paths: Mapping[str, Path], folder: Path, *, secrets: bool, history: bool
) -> tuple[dict[str, bytes | Path], dict[str, str]]:
    """Contents by name, the history as a checked copy; and what is left out, and why."""
    sources: dict[str, bytes | Path] = {}
    missing: dict[str, str] = {}
    private = {real_path(paths[name]) for name in SECRET if name in paths}
    for name, path in paths.items():
        if real_path(path) in private and not secrets:
            if path.exists():
                missing[name] = f"{path}: only with --secrets"
        elif name == HISTORY:
            _take_history(path, folder, sources, missing, wanted=history)
        elif (content := _content(name, path)) is not None:
            sources[name] = content
        elif name in {named.name for named in NAMED}:
            missing[name] = f"{path}: it is not there"
    return sources, missing


def _content(name: str, path: Path) -> bytes | None:
    """None where there is none. Raises BackupRefused where it cannot be read."""
    content = _raw(name, path)
    if name not in STATE:
        return content
    for _ in range(_TRIES):  # a file that is replaced just now has its changes in it already
        whole, before = remembered(path, content), content
        content = _raw(name, path)
        if content == before:
            break
    return whole


def _raw(name: str, path: Path) -> bytes | None:
    """Raises BackupRefused where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes(name) + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"it cannot be read: {error.strerror or error}"
        remedy = "Run this as the user that gridzero runs as, or as root"
        raise BackupRefused(what, where=str(path), remedy=remedy) from None
    if len(content) > most_bytes(name):
        raise BackupRefused("it is too large", where=str(path), remedy="Look what has grown there")
    return content


def _take_history(
    path: Path,
    folder: Path,
    sources: dict[str, bytes | Path],
    missing: dict[str, str],
    *,
    wanted: bool,
) -> None:
    """A history that cannot be copied costs no one the rest."""
    if not path.exists():
        return
    if not wanted:
        missing[HISTORY] = f"{path}: left out as asked"
        return
    try:
        copy_history(path, folder / HISTORY)
    except GridzeroError as error:
        missing[HISTORY] = f"{path}: {error.what}"
    else:
        sources[HISTORY] = folder / HISTORY


def _manifest(
    config: Path,
    house: House,
    sources: Mapping[str, bytes | Path],
    missing: Mapping[str, str],
    now: datetime,
) -> Manifest:
    return Manifest(
        utc=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        config_name=config_name(config.name),
        config_version=house.version,
        parts={name: _part(source) for name, source in sources.items()},
        left_out=tuple(missing),
    )


def _part(source: bytes | Path) -> Part:
    sums, size = hashlib.sha256(), 0
    for chunk in _chunks(source):
        sums.update(chunk)
        size += len(chunk)
    return Part(size, sums.hexdigest())


def _chunks(source: bytes | Path) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _write(file: Path, manifest: Manifest, sources: Mapping[str, bytes | Path]) -> None:
    """On the medium, for its owner only, and read back. Raises NotWritten, BackupRefused."""
    with telling(file):
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as opened_file:
            with zipfile.ZipFile(opened_file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(NAME, manifest.to_json())
                for name, source in sources.items():
                    with archive.open(name, "w", force_zip64=True) as part:
                        for chunk in _chunks(source):
                            part.write(chunk)
            opened_file.flush()
            os.fsync(opened_file.fileno())
    with opened(file):
        pass  # every sum was compared
