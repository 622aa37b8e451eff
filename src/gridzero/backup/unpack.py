"""Reading a backup that may be damaged, foreign, or made by somebody who means harm.

It is a ZIP file of known names and bounded sizes. Nothing in it is believed before it was counted
and summed; no name in it becomes a path.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from gridzero.backup.house import NAMES
from gridzero.backup.manifest import MOST_BYTES, NAME, Manifest, damaged, foreign, read_manifest

BEGINNING: Final = b"PK\x03\x04"
_CHUNK: Final = 1 << 20
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 1
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # NotImplementedError and RecursionError, too
)


class Backup:
    """An opened backup whose every part was seen to be what the table of contents says."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest, where: str) -> None:
        self._archive, self._where, self.manifest = archive, where, manifest

    def read(self, name: str) -> bytes:
        """A small part. Raises BackupRefused where it is not what was summed."""
        return b"".join(self._chunks(name))

    def copy(self, name: str, to: IO[bytes]) -> None:
        """A large part. Raises BackupRefused, and OSError of the target."""
        for chunk in self._chunks(name):
            to.write(chunk)

    def check(self) -> None:
        """Read all of it. Raises BackupRefused."""
        for name in self.manifest.parts:
            for _ in self._chunks(name):
                pass

    def _chunks(self, name: str) -> Iterator[bytes]:
        part, total, sums = self.manifest.parts[name], 0, hashlib.sha256()
        for chunk in _chunks(self._archive, name, self._where):
            total += len(chunk)
            if total > part.size_bytes:
                raise damaged(self._where, f"{name} is longer than it was")
            sums.update(chunk)
            yield chunk
        if total != part.size_bytes or sums.hexdigest() != part.sha256:
            raise damaged(self._where, f"{name} is not what it was")


def _chunks(archive: zipfile.ZipFile, name: str, where: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK):
                yield chunk
    except (*_BROKEN, OSError) as error:  # spoilt numbers can lead to a place before the file
        raise damaged(where, f"{name} cannot be read ({type(error).__name__})") from None


@contextmanager
def opened(file: Path) -> Iterator[Backup]:
    """Open and check a backup. Raises BackupRefused."""
    where = str(file)
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise foreign(where)
        archive = zipfile.ZipFile(file)
    except OSError as error:
        raise damaged(where, f"it cannot be read: {error.strerror or error}") from None
    except _BROKEN:
        if _begins_like_one(file):
            raise damaged(where, "its end is missing or spoilt") from None
        raise foreign(where) from None
    with archive:
        _check_entries(archive, where)
        backup = Backup(archive, _manifest(archive, where), where)
        if set(archive.namelist()) != {NAME, *backup.manifest.parts}:
            raise damaged(where, "it does not hold what its table of contents says")
        backup.check()
        yield backup


def _begins_like_one(file: Path) -> bool:
    with file.open("rb") as opened_file:
        return opened_file.read(len(BEGINNING)) == BEGINNING


def _check_entries(archive: zipfile.ZipFile, where: str) -> None:
    """Raises BackupRefused for what gridzero backup never writes."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if NAME not in names:
        raise foreign(where)
    if len(set(names)) != len(names) or not {*names} <= {NAME, *NAMES}:
        raise damaged(where, "it holds files that no backup has")
    for entry in entries:
        is_plain = stat.S_IFMT(entry.external_attr >> 16) in {0, stat.S_IFREG}
        if not is_plain or entry.compress_type not in _METHODS or entry.flag_bits & _ENCRYPTED:
            raise damaged(where, f"{entry.filename} is packed in a way that no backup has")


def _manifest(archive: zipfile.ZipFile, where: str) -> Manifest:
    text = b""
    for chunk in _chunks(archive, NAME, where):
        text += chunk
        if len(text) > MOST_BYTES:
            raise damaged(where, "its table of contents is too long")
    return read_manifest(text, where)
