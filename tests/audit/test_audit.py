"""The audit finds what it says it looks for, and passes what the project really has."""

from __future__ import annotations

import json
import zipfile
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import audit
import known
import licences
import locks
import pytest

HASH = f"--hash=sha256:{'a' * 64}"
GOOD = f"one==1.2 \\\n    {HASH} \\\n    {HASH}\n    # via two\n"


def lock(folder: Path, text: str, name: str = "x.lock") -> tuple[list[locks.Entry], list[str]]:
    file = folder / name
    file.write_text(text)
    return locks.read(file)


def test_a_good_entry_is_read(tmp_path: Path) -> None:
    entries, problems = lock(tmp_path, "# made\n" + GOOD)
    assert entries == [locks.Entry("x.lock", "one", "1.2", "", 2)]
    assert problems == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one==1.2\n", "no good sha256"),
        ("one==1.2 \\\n    --hash=md5:abc\n", "no good sha256"),
        (f"one==1.2 \\\n    {HASH} \\\n    --hash=sha256:abc\n", "no good sha256"),
        (f"one>=1.2 \\\n    {HASH}\n", "not pinned"),
        (f"one==1.* \\\n    {HASH}\n", "not pinned"),
        (f"one @ https://example.org/one.whl {HASH}\n", "not pinned"),
        ("--extra-index-url https://example.org/\n", "not pinned"),
        ("-e .\n", "not pinned"),
    ],
)
def test_what_is_not_pinned_and_hashed_is_found(tmp_path: Path, text: str, expected: str) -> None:
    _, problems = lock(tmp_path, GOOD + text)
    assert len(problems) == 1
    assert expected in problems[0]


def test_a_package_twice_or_in_two_versions_is_found(tmp_path: Path) -> None:
    doubled, _ = lock(tmp_path, GOOD + GOOD.replace("one", "One"))
    assert [*locks.twice(doubled)] == ["x.lock: one stands there twice"]
    other, _ = lock(tmp_path, GOOD.replace("1.2", "1.3"), "y.lock")
    assert [*locks.twice([*doubled[:1], *other])] == ["one is 1.2 and 1.3 in different locks"]
    by_system = f"one==1.2 ; sys_platform == 'linux' \\\n {HASH}\n"
    forked, _ = lock(tmp_path, by_system + by_system.replace("linux", "win32"))
    assert [*locks.twice(forked)] == []


def test_a_version_that_pyproject_does_not_allow_is_found(tmp_path: Path) -> None:
    entries, _ = lock(tmp_path, GOOD)
    project: dict[str, Any] = {"dependencies": ["One>=2"], "optional-dependencies": {"x": ["two"]}}
    found = [*locks.outside(entries, project)]
    assert found == [
        "One 1.2 is locked, pyproject.toml says >=2",
        "two is in pyproject.toml and in no lock",
    ]


def test_compiled_packages_need_files_for_more_than_one_machine(tmp_path: Path) -> None:
    entries, _ = lock(tmp_path, GOOD)
    assert [*locks.too_few_hashes(entries, frozenset({"one"}))]
    assert not [*locks.too_few_hashes(entries, frozenset({"two"}))]


class Installed(Distribution):
    """A package that says this about itself."""

    def __init__(self, *headers: tuple[str, str], wheel: str = "") -> None:
        self._message = Message()
        self._wheel = wheel
        for name, value in (("Name", "Some.Package"), ("Version", "1"), *headers):
            self._message[name] = value

    @property
    def metadata(self) -> Any:
        return self._message

    def read_text(self, filename: str) -> str | None:
        return self._wheel if filename == "WHEEL" else None

    def locate_file(self, path: Any) -> Any:
        raise NotImplementedError(path)


def test_a_compiled_wheel_is_known_as_such() -> None:
    assert locks.compiled([Installed(wheel="Root-Is-Purelib: false\n")]) == {"some-package"}
    assert locks.compiled([Installed(wheel="Root-Is-Purelib: true\n")]) == frozenset()


@pytest.mark.parametrize(
    ("header", "is_fine"),
    [
        (("License-Expression", "MIT"), True),
        (("License-Expression", "MPL-2.0 AND (Apache-2.0 OR MIT)"), True),
        (("License-Expression", "GPL-3.0-only OR MIT"), True),
        (("License-Expression", "GPL-3.0-only AND MIT"), False),
        (("License-Expression", "MIT AND (GPL-2.0-only OR AGPL-3.0-only)"), False),
        (("License", "BSD License"), True),
        (("License", "GPL"), False),
        (("License", "Free for friends"), False),
        (("Classifier", "License :: OSI Approved :: MIT License"), True),
        (("Classifier", "License :: Other/Proprietary License"), False),
        (("Classifier", "Programming Language :: Python"), False),
    ],
)
def test_a_licence_is_on_the_list_or_found(header: tuple[str, str], is_fine: bool) -> None:
    assert [*licences.refused([Installed(header)])] == [] or not is_fine
    assert bool([*licences.refused([Installed(header)])]) is not is_fine


def record(**affected: Any) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": "One"}
    return {"id": "PYSEC-1", "affected": [{"package": package, **affected}]}


def events(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": [{kind: at} for kind, at in pairs]}]}


@pytest.mark.parametrize(
    ("affected", "is_told"),
    [
        ({"versions": ["1.1", "1.2"]}, True),
        ({"versions": ["1.1"]}, False),
        (events(("introduced", "0")), True),
        (events(("introduced", "0"), ("fixed", "1.2")), False),
        (events(("introduced", "0"), ("fixed", "1.10")), True),
        (events(("introduced", "1.3")), False),
        (events(("introduced", "0"), ("last_affected", "1.2")), True),
        (events(("introduced", "0"), ("last_affected", "1.1")), False),
        (events(("introduced", "0"), ("fixed", "1.0"), ("introduced", "1.2")), True),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_known_vulnerability_is_found_in_a_folder_of_osv_files(
    tmp_path: Path, affected: dict[str, Any], is_told: bool, packed: bool
) -> None:
    entries, _ = lock(tmp_path, GOOD)
    text = json.dumps(record(**affected))
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("PYSEC-1.json", text)
    else:
        (tmp_path / "PYSEC-1.json").write_text(text)
    found, count = known.by_osv(tmp_path, entries)
    assert (found, count) == (["one 1.2: PYSEC-1"] if is_told else [], 1)


def test_a_folder_without_osv_files_is_no_all_clear(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"affected": [{"package": {"ecosystem": "Go"}}]}')
    with pytest.raises(known.NotChecked, match="no OSV file"):
        known.by_osv(tmp_path, [])


def test_what_pip_audit_skipped_is_no_all_clear() -> None:
    fine = {"name": "one", "version": "1.2", "vulns": []}
    skipped = {"name": "two", "skip_reason": "not found there"}
    assert known.vulnerable([fine]) == []
    assert known.vulnerable([fine | {"vulns": [{"id": "PYSEC-1"}]}]) == ["one 1.2: PYSEC-1"]
    with pytest.raises(known.NotChecked, match="skipped 1 of 2"):
        known.vulnerable([fine, skipped])
    with pytest.raises(known.NotChecked):
        known.vulnerable([])


def test_the_projects_own_locks_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "PYSEC-1.json").write_text(json.dumps(record(versions=["0"])))
    assert audit.main(["--osv", str(tmp_path)]) == 0
    assert "1 OSV files" in capsys.readouterr().out


def test_a_problem_is_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "base.lock").write_text("one==1.2\n")
    (tmp_path / "PYSEC-1.json").write_text(json.dumps(record(versions=["1.2"])))
    arguments = ["--osv", str(tmp_path), "--requirements", str(tmp_path)]
    assert audit.main(arguments) == 1
    said = capsys.readouterr().out
    assert "one has no good sha256" in said
    assert "one 1.2: PYSEC-1" in said
