"""What goes into a backup, and that there is never half of one."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import stat
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gridzero import __version__, app
from gridzero.backup import pack as packing
from gridzero.backup.house import NAMES, SECRET, STATE, house_of, paths_of
from gridzero.backup.manifest import BackupRefused
from gridzero.backup.pack import pack
from gridzero.cli import main
from gridzero.config.loader import load_text
from gridzero.demo.command import demo_config
from gridzero.errors import GridzeroError
from gridzero.links.memory import MemoryLinks
from gridzero.outputs.alerts.face import FILE as ALERTS
from gridzero.outputs.history.opening import connect, only_recorder
from gridzero.plugins import find_plugins
from gridzero.runtime.quick_file import QuickFile
from gridzero.runtime.stores import FileStore

Capture = pytest.CaptureFixture[str]
HOME_ASSISTANT = "home_assistant.json"
NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)


def packed(house: Path, output: Path, **asked: Any) -> dict[str, bytes]:
    options = {"secrets": False, "history": True, "now": NOW, **asked}
    file = pack(house, output, **options).file
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_the_whole_house_but_no_secrets(house: Path, capsys: Capture) -> None:
    assert main(["backup", str(house), "-o", "b.zip"]) == 0
    out = capsys.readouterr().out
    assert "15 files" in out
    assert "read back and good" in out
    for secret in ("secrets.yaml", "my.key", "console_host_key"):
        assert f"{secret}: only with --secrets" in out
    with zipfile.ZipFile("b.zip") as archive:
        assert set(archive.namelist()) == {"manifest.json", *(NAMES - SECRET)}
        assert archive.read("config.yaml") == house.read_bytes()
    everything = Path("b.zip").read_bytes()
    assert b"swordfish" not in everything
    assert b"very private" not in everything
    assert stat.S_IMODE(Path("b.zip").stat().st_mode) == 0o600


def test_secrets_come_along_when_asked_for(house: Path) -> None:
    parts = packed(house, Path("b.zip"), secrets=True)
    assert set(parts) == {"manifest.json", *NAMES}
    assert parts["secrets.yaml"] == b"mqtt: swordfish\n"
    assert parts["named/console.ssh.host_key_file"] == b"very private\n"


def test_the_table_of_contents_says_by_whom_and_when(house: Path) -> None:
    said = json.loads(packed(house, Path("b.zip"))["manifest.json"])
    assert said["gridzero"] == __version__
    assert said["utc"] == "2026-07-01T12:00:00Z"
    assert said["config_version"] == 0
    assert said["config_name"] == "house.yaml"
    assert said["files"]["state/settings.json"]["bytes"] == 32
    assert len(said["files"]["history.sqlite"]["sha256"]) == 64


def test_the_history_is_copied_while_it_is_written(
    house: Path, tables: Callable[[Path], int], tmp_path: Path
) -> None:
    file = house.parent / "state" / "history.sqlite"
    with only_recorder(file), closing(connect(file)) as recorder:
        recorder.execute("CREATE TABLE fresh (x)")
        recorder.execute("BEGIN IMMEDIATE")
        recorder.execute("CREATE TABLE half (x)")
        content = packed(house, tmp_path)["history.sqlite"]
        recorder.execute("ROLLBACK")
    (tmp_path / "copy").write_bytes(content)
    assert tables(tmp_path / "copy") == tables(file)
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        names = [row[0] for row in copy.execute("SELECT name FROM sqlite_master")]
    assert "fresh" in names
    assert "half" not in names


def test_without_history_it_is_said(house: Path, capsys: Capture) -> None:
    assert main(["backup", str(house), "--without-history", "-o", "b.zip"]) == 0
    assert "history.sqlite: left out as asked" in capsys.readouterr().out


def test_a_history_that_cannot_be_copied_costs_no_one_the_rest(
    house: Path, capsys: Capture
) -> None:
    (house.parent / "state" / "history.sqlite").write_bytes(b"no database" * 1000)
    assert main(["backup", str(house), "-o", "b.zip"]) == 1
    assert "not in it: history.sqlite" in capsys.readouterr().out
    with zipfile.ZipFile("b.zip") as archive:
        assert "state/battery.json" in archive.namelist()


def test_a_house_with_a_bad_configuration_is_saved_all_the_same(house: Path) -> None:
    house.write_text("site: {state_dir: state, colour: red}\ndevices: 5\n")
    assert "state/latched.json" in packed(house, Path("b.zip"))


def test_from_the_wrong_folder_it_is_refused(
    house: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BackupRefused, match="where gridzero starts"):
        pack(house, Path(), secrets=False, history=True, now=NOW)


@pytest.mark.parametrize("name", ["house.yaml", "state/energy.json", "secrets.yaml"])
def test_no_slip_replaces_what_it_should_save(house: Path, name: str) -> None:
    before = Path(name).read_bytes()
    with pytest.raises(BackupRefused, match="a file of the house"):
        pack(house, Path(name), secrets=False, history=True, now=NOW)
    assert Path(name).read_bytes() == before


def test_only_a_backup_is_replaced_and_never_a_device(house: Path) -> None:
    Path("photos.zip").write_bytes(b"PK but not ours"[:3])
    os.mkfifo("pipe")
    Path("link").symlink_to("/dev/null")
    for name in ("photos.zip", "pipe", "link", "/dev/null", "state/lock", "state/lock/x"):
        with pytest.raises(GridzeroError, match=r"is no backup|was not written"):
            pack(house, Path(name), secrets=False, history=True, now=NOW)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert Path("photos.zip").read_bytes() == b"PK "
    assert "config.yaml" in packed(house, Path("b.zip"))
    assert "config.yaml" in packed(house, Path("b.zip"))


def test_a_backup_never_fills_the_disk_of_a_running_house(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(house.parent.rglob("*"))
    usage = shutil.disk_usage(house.parent)._replace(free=16_000_000)
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(BackupRefused, match="no room for the history"):
        pack(house, Path("b.zip"), secrets=False, history=True, now=NOW)
    assert sorted(house.parent.rglob("*")) == before
    pack(house, Path("b.zip"), secrets=False, history=False, now=NOW)


def test_what_a_power_cut_left_is_swept_the_next_day(house: Path) -> None:
    old, fresh = Path(".gridzero-backup-old"), Path(".gridzero-backup-fresh")
    for left in (old, fresh):
        left.mkdir()
        (left / "backup").write_text("half")
    yesterday_s = time.time() - 90_000.0
    os.utime(old, (yesterday_s, yesterday_s))
    packed(house, Path("b.zip"))
    assert not old.exists()
    assert fresh.exists(), "another backup may work there just now"


def test_a_full_disk_leaves_the_older_backup_and_nothing_else(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(house, Path("b.zip"), secrets=False, history=False, now=NOW)
    older = Path("b.zip").read_bytes()
    before = sorted(Path().iterdir())
    monkeypatch.setattr(packing.os, "fsync", no_room)
    with pytest.raises(GridzeroError, match="No space left"):
        pack(house, Path("b.zip"), secrets=False, history=True, now=NOW)
    assert Path("b.zip").read_bytes() == older
    assert sorted(Path().iterdir()) == before


def no_room(_handle: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_cannot_be_read_is_named(house: Path) -> None:
    (house.parent / "state" / "settings.json").unlink()
    (house.parent / "state" / "settings.json").mkdir()
    with pytest.raises(BackupRefused, match=r"settings.json.*cannot be read"):
        pack(house, Path("b.zip"), secrets=False, history=True, now=NOW)


def test_a_certificate_in_one_file_with_its_key_is_as_secret(house: Path) -> None:
    house.write_text(house.read_text().replace("cert_file: my.crt", "cert_file: my.key"))
    assert "named/mqtt.tls.cert_file" not in packed(house, Path("b.zip"))
    assert "named/mqtt.tls.cert_file" in packed(house, Path("b.zip"), secrets=True)
    assert main(["restore", "b.zip", "--into", "new", "--write"]) == 0
    assert Path("new/my.key").read_text() == "this is my.key\n"


def test_changes_since_a_file_was_written_come_along(house: Path) -> None:
    settings = house.parent / "state" / "settings.json"
    quick = QuickFile(settings)
    quick.base(settings.read_bytes())
    assert quick.write({"mode": "off"})
    assert json.loads(packed(house, Path("b.zip"))["state/settings.json"]) == {"mode": "off"}


def test_paths_are_those_that_gridzero_takes(tmp_path: Path) -> None:
    text = (
        "site: {state_dir: !env WHERE}\nhistory: {path: /mnt/h.sqlite}\n"
        "mqtt: {tls: {ca_file: !secret x}}\nconsole: {ssh: {}}\n"
    )
    house = house_of(text, tmp_path / "h.yaml", {"WHERE": "/var/lib/gridzero"})
    paths = paths_of(house, tmp_path / "h.yaml")
    assert paths[STATE[0]] == Path("/var/lib/gridzero/settings.json")
    assert paths["history.sqlite"] == Path("/mnt/h.sqlite")
    assert paths["named/console.ssh.host_key_file"] == Path("/var/lib/gridzero/console_host_key")
    assert "named/mqtt.tls.ca_file" not in paths


async def test_no_file_of_the_state_folder_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: set[str] = {HOME_ASSISTANT, ALERTS}

    class Noted(FileStore):
        def __init__(self, path: Path, *more: Any, **options: Any) -> None:
            made.add(path.name)
            super().__init__(path, *more, **options)

    monkeypatch.setattr(app, "FileStore", Noted)
    plugins = find_plugins().plugins
    house = demo_config().read_text().replace("state/demo", str(tmp_path))
    loaded = load_text(f"{house}prices: {{import_ct: 30, export_ct: 8}}\n", demo_config(), plugins)
    links = {name: link.type for name, link in loaded.config.links.items()}
    app.build(loaded, plugins, MemoryLinks(links))
    assert {f"state/{name}" for name in made} == set(STATE)
