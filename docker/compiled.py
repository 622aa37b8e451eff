"""See that no start of this image compiles anything: its root is read-only, so nothing would stay.

Official Python images come without the compiled form of Python's own library, and compiling it
takes longer than all the rest of a start. Run it with the Python of the image:

    /opt/gridzero/bin/python compiled.py            as root: compiles what a start loads
    /opt/gridzero/bin/python compiled.py --check    names what is not compiled; 1 if anything is
"""

from __future__ import annotations

import importlib
import py_compile
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

# What the commands of compose.yaml and the health check load; the last are in full.lock only
LOADED = (
    "gridzero.cli",
    "gridzero.service",
    "gridzero.commands.healthcheck",
    "gridzero.companion",
    "gridzero.dashboard",
    "amqtt.broker",
    "amqtt.adapters",
    "asyncssh",
    "fastapi",
    "uvicorn",
)


def load() -> None:
    """Import what a start imports; what was not installed is no part of it."""
    for name in LOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    importlib.import_module("gridzero.plugins").find_plugins()


def missing(modules: Iterator[ModuleType]) -> Iterator[tuple[Path, Path]]:
    """Source and the file of its compiled form, where that is not there."""
    for module in modules:
        spec = getattr(module, "__spec__", None)
        if spec is None or not spec.cached or not (spec.origin or "").endswith(".py"):
            continue
        source, cached = Path(spec.origin), Path(spec.cached)
        if source.is_file() and not cached.is_file():
            yield source, cached


def main() -> int:
    """Compile, or with --check name what is not; returns the exit code."""
    load()
    found = sorted(missing(iter(tuple(sys.modules.values()))))
    if "--check" in sys.argv:
        for source, _ in found:
            sys.stdout.write(f"{source}\n")
        return 1 if found else 0
    for source, cached in found:
        # unchecked: whatever later happens to the times of files, it holds
        py_compile.compile(
            str(source),
            str(cached),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    sys.stdout.write(f"compiled {len(found)} files of {len(sys.modules)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
