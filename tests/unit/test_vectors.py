"""Files of test vectors are found, read and counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gridzero.errors import ConfigError
from gridzero.plugins import find_plugins
from gridzero.vectors import check_file, driver_of

REAL = find_plugins().plugins


def check_good(vector: Any) -> str:
    """A codec for vectors that say themselves whether they are good."""
    return "" if vector["good"] else "it is bad"


PLUGINS = {"acme_x1": replace(REAL["mqtt_meter"], name="acme_x1", check_vector=check_good)}


@pytest.mark.parametrize(
    ("file", "driver"),
    [
        ("vw-gte.json", "vw_gte"),
        ("somewhere/vertiv_r48.yaml", "vertiv_r48"),
        ("drivers/soyosource/frames.yaml", "soyosource"),
        ("acme-x1/frames.json", "acme_x1"),
    ],
)
def test_the_driver_is_known_by_the_file(file: str, driver: str) -> None:
    assert driver_of(Path(file)) == driver


def test_frames_in_the_present_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "acme-x1"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert driver_of(Path("frames.yaml")) == "acme_x1"


def test_mismatches_are_counted_and_named(tmp_path: Path) -> None:
    vectors = [{"name": "a", "good": 1}, {"id": "b", "good": 0}, {"good": 0}, {"name": "d"}, 5]
    file = tmp_path / "acme-x1.json"
    file.write_text(json.dumps(vectors))
    report = check_file(file, PLUGINS)
    assert (report.driver, report.passed, report.failed) == ("acme_x1", 1, 4)
    assert report.mismatches[0] == ("b", "it is bad")
    assert report.mismatches[1] == ("number 3", "it is bad")
    assert report.mismatches[2] == ("d", "the codec raised KeyError: 'good'")
    assert report.mismatches[3] == ("number 5", "this is no mapping but a int")


@pytest.mark.parametrize("text", ["- {name: a, good: 1}\n", "about: x\nvectors:\n  - {good: 1}\n"])
def test_yaml_and_a_wrapping_are_read_too(tmp_path: Path, text: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(text)
    assert check_file(file, PLUGINS, "acme_x1").passed == 1


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "cannot be read: Expecting value"),
        (b"[]", "there are no vectors"),
        (b"{}", "there are no vectors"),
        (b"7", "there are no vectors"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 200_000, "nested too deep"),
    ],
)
def test_files_without_vectors(tmp_path: Path, content: bytes, what: str) -> None:
    file = tmp_path / "acme_x1.json"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=what):
        check_file(file, PLUGINS)


@pytest.mark.parametrize("content", [b"a: [", b"!!python/object:os.system x", b"\x00"])
def test_yaml_files_without_vectors(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "acme_x1.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        check_file(file, PLUGINS)


def test_a_missing_file_and_a_missing_driver(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        check_file(tmp_path / "acme_x1.json", PLUGINS)
    with pytest.raises(ConfigError, match=r"there is no driver 'acme_x2'.*installed are: acme_x1"):
        check_file(tmp_path / "acme_x2.json", PLUGINS)


DRIVERS = Path(__file__).parents[2] / "drivers" / "gridzero_drivers"


@pytest.mark.parametrize("file", sorted(DRIVERS.glob("*/frames.yaml")), ids=lambda f: f.parent.name)
def test_the_frames_of_each_driver_pass(file: Path) -> None:
    report = check_file(file, REAL)
    assert report.mismatches == ()
    assert report.passed > 0
