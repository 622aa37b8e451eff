"""Print what is installed beside this Python as CycloneDX 1.5 JSON (ECMA-424).

Run it with the Python whose packages are meant: /opt/gridzero/bin/python docker/sbom.py
"""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from typing import Any

ITSELF = "gridzero"


def sbom(installed: Iterable[Distribution]) -> dict[str, Any]:
    """The bill of materials; no serial number and no time, so that equal images are equal."""
    packages = sorted({_name(one): one for one in installed}.items())
    parts = [_component(name, one) for name, one in packages]
    itself = [part for part in parts if part["name"] == ITSELF]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**itself[0], "type": "application"}} if itself else {},
        "components": [_python(), *(part for part in parts if part["name"] != ITSELF)],
        "dependencies": list(_dependencies(dict(packages))),
    }


def _component(name: str, one: Distribution) -> dict[str, Any]:
    part: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(name, one.version),
        "name": name,
        "version": one.version,
        "purl": _purl(name, one.version),
    }
    if "License-Expression" in one.metadata:
        part["licenses"] = [{"expression": one.metadata["License-Expression"]}]
    return part


def _python() -> dict[str, Any]:
    version = platform.python_version()
    return {"type": "platform", "bom-ref": "python", "name": "python", "version": version}


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


if __name__ == "__main__":
    json.dump(sbom(distributions()), sys.stdout, indent=1)
    sys.stdout.write("\n")
