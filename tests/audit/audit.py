"""What stands in the locks and in this environment, and what is known about it.

    make audit            without network; make audit OSV=DIR with an export of osv.dev

Prints what was checked, what was not and why. The exit code is 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import known
import licences
import locks

ROOT = Path(__file__).parents[2]
SHIPPED = ("base.lock", "full.lock")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--osv", type=Path, metavar="DIR", help="export of osv.dev for PyPI")
    parser.add_argument("--requirements", type=Path, default=ROOT / "requirements")
    args = parser.parse_args(arguments)
    entries, problems = of_locks(args.requirements)
    problems += of_environment(entries)
    problems += of_what_is_known(args.requirements, args.osv, entries)
    for problem in problems:
        print(f"PROBLEM      {problem}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


def of_locks(folder: Path) -> tuple[list[locks.Entry], list[str]]:
    entries: list[locks.Entry] = []
    problems: list[str] = []
    for file in sorted(folder.glob("*.lock")):
        found, wrong = locks.read(file)
        entries += found
        problems += wrong
        print(
            f"checked      {file.name}: {len(found)} packages, each one version with sha256 hashes"
        )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    problems += [*locks.twice(entries), *locks.outside(entries, project)]
    print("checked      no package twice, one version in all locks, within pyproject.toml")
    return entries, problems


def of_environment(entries: list[locks.Entry]) -> list[str]:
    locked = {entry.name for entry in entries}
    here = [one for one in distributions() if locks.normal(one.metadata["Name"]) in locked]
    compiled = locks.compiled(here)
    print(f"checked      {len(compiled)} compiled packages: files enough for arm64 and amd64")
    print("not checked  that these files are for arm64: hashes do not say; make image tries it")
    found = licences.counted(here)
    print(f"checked      licences of {len(here)} installed packages:")
    for licence, count in found.most_common():
        print(f"             {count:3d} {licence}")
    missing = sorted(locked - {locks.normal(one.metadata["Name"]) for one in here})
    if missing:
        print(f"not checked  licences of what is not installed here: {', '.join(missing)}")
    return [*locks.too_few_hashes(entries, compiled), *licences.refused(here)]


def of_what_is_known(folder: Path, osv: Path | None, entries: list[locks.Entry]) -> list[str]:
    try:
        if osv is not None:
            found, count = known.by_osv(osv, entries)
            print(f"checked      known vulnerabilities: {count} OSV files about PyPI in {osv}")
        else:
            found = known.by_pip_audit([folder / name for name in SHIPPED])
            print(f"checked      known vulnerabilities of {', '.join(SHIPPED)}: pip-audit")
    except known.NotChecked as reason:
        print(f"not checked  known vulnerabilities: {reason}")
        return []
    return found


if __name__ == "__main__":
    sys.exit(main())
