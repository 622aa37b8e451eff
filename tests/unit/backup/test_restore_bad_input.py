"""Backups that are damaged, foreign, newer, or made to do harm."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.backup.manifest import BackupRefused, read_manifest
from gridzero.backup.pack import pack
from gridzero.backup.unpack import opened
from gridzero.cli import main

NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def backup(house: Path, tmp_path: Path) -> Path:
    return pack(house, tmp_path, secrets=False, history=False, now=NOW).file


def refusal(file: Path) -> str:
    with pytest.raises(BackupRefused) as caught, opened(file):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def parts_of(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(file: Path, parts: dict[str, bytes], **manifest: Any) -> Path:
    said = {**json.loads(parts["manifest.json"]), **manifest}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts, "manifest.json": json.dumps(said).encode()}.items():
            archive.writestr(name, content)
    return file


def test_every_cut_is_noticed(backup: Path, tmp_path: Path) -> None:
    whole, cut = backup.read_bytes(), tmp_path / "cut"
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        cut.write_bytes(whole[:length])
        assert "is no backup" in refusal(cut) if length < 4 else "end is missing" in refusal(cut)


def test_what_is_something_else_is_no_backup(backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("holiday.jpg", "x")
    for file in (other, Path("house.yaml"), Path("/dev/zero"), tmp_path):
        assert "is no backup of gridzero" in refusal(file)
    assert "No such file" in refusal(tmp_path / "none")


@pytest.mark.parametrize(
    ("newer", "said"),
    [
        ({"format": 2}, "format 2, this one knows 1"),
        ({"format": 10**30}, "format 1e"),
        ({"config_version": 2}, "config version 2"),
        ({"gridzero": "7.0.0"}, "7.0.0, this is"),
    ],
)
def test_a_newer_one_is_refused(
    backup: Path, tmp_path: Path, newer: dict[str, Any], said: str
) -> None:
    file = write(tmp_path / "newer.zip", parts_of(backup), **newer)
    text = refusal(file)
    assert "newer gridzero" in text
    assert said in text


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "state/../../x", "state/other.json", "C:\\x", "state/"]
)
def test_no_name_leads_anywhere(backup: Path, tmp_path: Path, name: str) -> None:
    parts = parts_of(backup)
    said = json.loads(parts["manifest.json"])["files"]
    row = {"bytes": 0, "sha256": "0" * 64}
    assert "damaged" in refusal(write(tmp_path / "a.zip", {**parts, name: b""}))
    assert "damaged" in refusal(write(tmp_path / "b.zip", parts, files={**said, name: row}))


@pytest.mark.parametrize("config_name", ["../h.yaml", "/h", ".bashrc", "a\0b", "x" * 200, ""])
def test_nor_does_the_name_of_the_configuration(
    backup: Path, tmp_path: Path, config_name: str
) -> None:
    file = write(tmp_path / "a.zip", parts_of(backup), config_name=config_name)
    assert "damaged" in refusal(file)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFBLK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(backup: Path, tmp_path: Path, kind: int) -> None:
    parts, file = parts_of(backup), tmp_path / "link.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name)
            if name == "state/settings.json":
                entry.external_attr = (kind | 0o777) << 16
            archive.writestr(entry, content)
    assert "packed in a way" in refusal(file)


def test_a_bomb_is_not_unpacked(backup: Path, tmp_path: Path) -> None:
    parts, zeros = parts_of(backup), bytes(17_000_000)
    said = json.loads(parts["manifest.json"])["files"]
    file = write(tmp_path / "a.zip", {**parts, "state/settings.json": zeros})
    assert "longer than it was" in refusal(file)
    row = {"bytes": len(zeros), "sha256": "0" * 64}
    files = {**said, "state/settings.json": row}
    file = write(tmp_path / "b.zip", {**parts, "state/settings.json": zeros}, files=files)
    assert "size or sum" in refusal(file)
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", zeros)
    assert "too long" in refusal(tmp_path / "c.zip")


def test_each_part_is_compared_with_its_sum(backup: Path, tmp_path: Path) -> None:
    parts = parts_of(backup)
    for name in set(parts) - {"manifest.json"}:
        changed = {**parts, name: parts[name][:-1] + b"~"}
        assert f"{name} is not what it was" in refusal(write(tmp_path / "a.zip", changed))
        left = {key: value for key, value in parts.items() if key != name}
        assert "table of contents" in refusal(write(tmp_path / "b.zip", left))


def test_a_backup_without_a_configuration_is_damaged(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {name: part for name, part in parts_of(backup).items() if name != "config.yaml"}
    said = json.loads(parts["manifest.json"])["files"]
    file = write(tmp_path / "a.zip", parts, files={k: v for k, v in said.items() if k in parts})
    assert main(["restore", str(file), "--into", str(tmp_path / "new"), "--write"]) == 2
    assert "no configuration in it" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text", ["mqtt: {tls: {ca_file: house.yaml}}", "mqtt: {tls: {ca_file: state/settings.json}}"]
)
def test_two_files_at_one_place_are_refused(
    backup: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {**parts_of(backup), "config.yaml": text.encode()}
    said = json.loads(parts["manifest.json"])["files"]
    said["config.yaml"] = {"bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    file = write(tmp_path / "a.zip", parts, files=said)
    assert main(["restore", str(file), "--into", str(tmp_path / "new"), "--write"]) == 2
    assert "want the same place" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_twice_the_same_name_is_refused(backup: Path, tmp_path: Path) -> None:
    file = tmp_path / "twice.zip"
    parts = parts_of(backup)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("config.yaml", b"")
    assert "damaged" in refusal(file)


@settings(max_examples=60)
@given(data=st.data())
def test_spoilt_bytes_are_noticed_or_change_nothing(backup: Path, data: st.DataObject) -> None:
    whole = bytearray(backup.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file = backup.with_name("spoilt")
    file.write_bytes(whole)
    good = parts_of(backup)
    with suppress(BackupRefused), opened(file) as found:
        assert {name: found.read(name) for name in found.manifest.parts} == {
            name: part for name, part in good.items() if name in found.manifest.parts
        }


@settings(max_examples=50)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_refused_with_a_sentence(
    tmp_path: Path, content: bytes, has_directory: bool
) -> None:
    if has_directory:  # an end of central directory that points anywhere
        content += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(content) // 2, 0, 0)
    file = tmp_path / "any"
    file.write_bytes(content)
    assert refusal(file)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {"kind": st.just("gridzero backup")},
        optional=dict.fromkeys(
            ("format", "gridzero", "config_version", "utc", "config_name", "left_out", "files"),
            JSON,
        ),
    )
)
def test_any_table_of_contents_is_read_or_refused(said: dict[str, Any]) -> None:
    with suppress(BackupRefused):
        read_manifest(json.dumps(said).encode(), "x")


def test_a_compressed_stream_that_is_broken_is_no_traceback(backup: Path) -> None:
    whole = backup.read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        begin = archive.getinfo("config.yaml").header_offset + 60
    backup.write_bytes(whole[:begin] + b"\xff" * 40 + whole[begin + 40 :])
    assert "config.yaml" in refusal(backup)
