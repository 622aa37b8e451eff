"""Known vulnerabilities of the locked packages: by pip-audit, or from a folder of OSV files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from locks import Entry, normal
from packaging.version import InvalidVersion, Version

LIMIT_S = 120


class NotChecked(Exception):
    """Why nothing can be said."""


def by_pip_audit(locks: Sequence[Path]) -> list[str]:
    """What pip-audit finds. Raises NotChecked without it, or where it has not looked at each.

    An index that knows no vulnerabilities makes it say that there are none, and exit with 0: only
    the reason why it skipped a package tells (pip-audit 2, --format json).
    """
    beside = Path(sys.executable).with_name("pip-audit")
    tool = str(beside) if beside.exists() else shutil.which("pip-audit")
    if tool is None:
        raise NotChecked("pip-audit is not installed (pipx install pip-audit)")
    files = [word for lock in locks for word in ("-r", str(lock))]
    command = [tool, "--require-hashes", "--disable-pip", "--format", "json", *files]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        found = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        raise NotChecked(f"pip-audit had no answer within {LIMIT_S} s") from None
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotChecked(f"pip-audit: {last[:160]}") from None
    return vulnerable(found)


def vulnerable(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """From pip-audit's list of dependencies. Raises NotChecked when it skipped one."""
    found = list(found)
    skipped = [one for one in found if "skip_reason" in one]
    if skipped or not found:
        why = skipped[0]["skip_reason"] if skipped else "nothing to look at"
        raise NotChecked(f"pip-audit skipped {len(skipped)} of {len(found)} packages: {why}")
    return sorted(
        {
            f"{one['name']} {one['version']}: {each['id']}"
            for one in found
            for each in one.get("vulns", ())
        }
    )


def by_osv(folder: Path, entries: Iterable[Entry]) -> tuple[list[str], int]:
    """What the folder's files say about these, and how many of them were read.

    The folder holds what osv.dev exports for an ecosystem: all.zip, or its JSON files. Raises
    NotChecked when it holds none for PyPI.
    """
    locked = {entry.name: entry.version for entry in entries}
    found: set[str] = set()
    count = 0
    for record in _records(folder):
        if record.get("withdrawn"):
            continue
        about = [one for one in record.get("affected", ()) if _is_pypi(one)]
        count += bool(about)
        for one in about:
            name = normal(one["package"]["name"])
            if name in locked and is_affected(one, locked[name]):
                found.add(f"{name} {locked[name]}: {record.get('id', '?')}")
    if not count:
        raise NotChecked(f"{folder} holds no OSV file about PyPI")
    return sorted(found), count


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.rglob("*.json")):
        yield json.loads(file.read_text())
    for file in sorted(folder.rglob("*.zip")):
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield json.loads(archive.read(name))


def _is_pypi(affected: Mapping[str, Any]) -> bool:
    package = affected.get("package", {})
    return package.get("ecosystem") == "PyPI" and "name" in package


def is_affected(affected: Mapping[str, Any], version: str) -> bool:
    """By the list of versions or by any range (OSV schema 1.6, affected[].ranges)."""
    if version in affected.get("versions", ()):
        return True
    ranges = (one for one in affected.get("ranges", ()) if one.get("type") == "ECOSYSTEM")
    return any(_is_within(one.get("events", ()), Version(version)) for one in ranges)


def _is_within(events: Iterable[Mapping[str, str]], version: Version) -> bool:
    """Events in the order of their versions; the last one not above the version decides."""
    inside = False
    for kind, at in sorted(
        ((kind, _version(text)) for event in events for kind, text in event.items()),
        key=lambda pair: pair[1],
    ):
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")  # as "introduced" it means from the beginning: rather too often told
