"""Print what is in an image as CycloneDX 1.5 JSON (ECMA-424): Python's packages and Debian's.

Run it with the Python whose packages are meant; reports are those of `pip install --report`, which
know the hash of the very file that was installed:

    /opt/gridzero/bin/python docker/sbom.py [REPORT ...]
"""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

ITSELF = "gridzero"
DPKG = Path("/var/lib/dpkg/status")
PRESENT = ("install ok installed", "install ok unpacked")
_OSI = "License :: OSI Approved :: "
_LONGEST_NAME = 80  # some put the whole text where the name belongs


def sbom(
    installed: Iterable[Distribution],
    hashes: Mapping[str, str] | None = None,
    system: Iterable[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The bill of materials; no serial number and no time, so that equal images are equal.

    hashes: SHA-256 by name of what was installed. system: components of the base.
    """
    packages = sorted({_name(one): one for one in installed}.items())
    parts = [_component(name, one, (hashes or {}).get(name)) for name, one in packages]
    itself = [part for part in parts if part["name"] == ITSELF]
    others = [part for part in parts if part["name"] != ITSELF]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**itself[0], "type": "application"}} if itself else {},
        "components": [_python(), *others, *system],
        "dependencies": list(_dependencies(dict(packages))),
    }


def hashes_of(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of each file in a report of pip (its "Installation report", version 1)."""
    for one in report["install"]:
        sha256 = one["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if sha256:
            yield _normal(one["metadata"]["name"]), sha256


def debian(status: str) -> Iterator[dict[str, Any]]:
    """Each installed package of dpkg's status file (deb-control(5)), sorted by name."""
    for paragraph in sorted(status.split("\n\n")):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", paragraph, flags=re.MULTILINE))
        if fields.get("Status") not in PRESENT:
            continue
        name, version = fields["Package"], fields["Version"]
        purl = f"pkg:deb/debian/{name}@{quote(version)}?arch={fields['Architecture']}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _component(name: str, one: Distribution, sha256: str | None) -> dict[str, Any]:
    part: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(name, one.version),
        "name": name,
        "version": one.version,
        "purl": _purl(name, one.version),
    }
    if sha256 is not None:
        part["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    licenses = _licenses(one)
    return {**part, "licenses": licenses} if licenses else part


def _licenses(one: Distribution) -> list[dict[str, Any]]:
    """As an SPDX expression where the package has one; else in its own words."""
    if "License-Expression" in one.metadata:
        return [{"expression": one.metadata["License-Expression"]}]
    names = [
        word.removeprefix(_OSI)
        for word in one.metadata.get_all("Classifier", [])
        if word.startswith(_OSI)
    ]
    own = (one.metadata.get("License") or "").strip()
    if not names and own and "\n" not in own and len(own) <= _LONGEST_NAME:
        names = [own]
    return [{"license": {"name": name}} for name in names]


def _python() -> dict[str, Any]:
    version = platform.python_version()
    purl = f"pkg:generic/python@{version}"
    licence = {"license": {"id": "PSF-2.0"}}
    return {
        "type": "platform",
        "bom-ref": purl,
        "name": "python",
        "version": version,
        "purl": purl,
        "licenses": [licence],
    }


def _dependencies(packages: dict[str, Distribution]) -> Iterator[dict[str, Any]]:
    """Only what is there: extras that were not asked for are no part of it."""
    for name, one in packages.items():
        wanted = {_normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in one.requires or ()}
        found = sorted(_purl(need, packages[need].version) for need in wanted if need in packages)
        yield {"ref": _purl(name, one.version), "dependsOn": found}


def _name(one: Distribution) -> str:
    return _normal(one.metadata["Name"])


def _normal(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def main(reports: Iterable[str]) -> None:
    """Print the bill of this Python and the system below it. reports: files of pip."""
    hashes: dict[str, str] = {}
    for file in reports:
        hashes |= hashes_of(json.loads(Path(file).read_text()))
    system = debian(DPKG.read_text(errors="replace")) if DPKG.exists() else ()
    json.dump(sbom(distributions(), hashes, system), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
