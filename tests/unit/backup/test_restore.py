"""What comes back from a backup, what stays, and what is refused."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gridzero.backup import unload as unloading
from gridzero.backup.pack import pack
from gridzero.cli import main
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.quick_file import QuickFile
from gridzero.runtime.state_lock import only_process
from gridzero.runtime.stores import FileStore

Capture = pytest.CaptureFixture[str]
NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def backup(house: Path, tmp_path: Path) -> Path:
    file = tmp_path / "backup.zip"
    pack(house, file, secrets=True, history=True, now=NOW)
    return file


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("lock", "damaged", "-wal", "-shm"))
    }


def restore(*words: object) -> int:
    return main(["restore", *map(str, words)])


def test_into_a_new_folder_everything_is_as_it_was(
    house: Path, backup: Path, tmp_path: Path, capsys: Capture, tables: Callable[[Path], int]
) -> None:
    there = tmp_path / "there"
    assert restore(backup, "--into", there) == 1
    assert "Nothing was written" in capsys.readouterr().out
    assert not there.exists()
    assert restore(backup, "--into", there, "--write") == 0
    assert f"{there}/house.yaml: good" in capsys.readouterr().out
    old, new = files(house.parent), files(there)
    assert tables(there / "state" / "history.sqlite") == tables(Path("state/history.sqlite"))
    for each in (old, new):
        del each["state/history.sqlite"]
    assert old == new
    assert stat.S_IMODE((there / "secrets.yaml").stat().st_mode) == 0o600
    assert stat.S_IMODE((there / "state").stat().st_mode) == 0o700


def test_over_the_house_it_keeps_what_it_replaces(
    house: Path, backup: Path, capsys: Capture
) -> None:
    house.write_text("site: {name: spoilt}\n")
    house.chmod(0o644)
    settings = Path("state/settings.json")
    settings.write_text('{"mode": "off"}')
    assert restore(backup, "--config", house, "--write") == 0
    assert "Minimal" in house.read_text()
    assert stat.S_IMODE(house.stat().st_mode) == 0o644
    assert json.loads(settings.read_text())["of"] == "settings"
    kept = [line.removeprefix("kept: ") for line in capsys.readouterr().out.splitlines()]
    asides = {Path(line).name: Path(line) for line in kept if ".before-restore-" in line}
    contents = {path.read_text() for name, path in asides.items() if "sqlite" not in name}
    assert contents == {"site: {name: spoilt}\n", '{"mode": "off"}'}
    assert all(path.name.endswith("Z") or "sqlite" in path.name for path in asides.values())
    assert not list(house.parent.rglob(".*.restored"))


def test_counters_that_have_counted_on_stay(house: Path, backup: Path, capsys: Capture) -> None:
    later = json.dumps({"version": 1, "total": {"import_kwh": 11.0, "export_kwh": 2.0}})
    Path("state/energy.json").write_text(later)
    Path("state/energy-days.json").write_text(json.dumps({"version": 1, "days": {"x": {}}}))
    assert restore(backup, "--config", house, "--write") == 0
    assert Path("state/energy.json").read_text() == later
    assert "x" in Path("state/energy-days.json").read_text()
    assert "Home Assistant would count that again" in capsys.readouterr().out


@pytest.mark.parametrize("spoilt", ["{", "[]", '{"version": 1, "total": {"import_kwh": 1.0}}'])
def test_counters_that_are_lost_or_behind_come_back(house: Path, backup: Path, spoilt: str) -> None:
    Path("state/energy.json").write_text(spoilt)
    assert restore(backup, "--config", house, "--write") == 0
    assert json.loads(Path("state/energy.json").read_text())["total"]["import_kwh"] == 10.0


def latched() -> list[str]:
    return [row["code"] for row in json.loads(Path("state/latched.json").read_text())["latched"]]


def test_no_restore_ends_a_fault_that_waits_for_a_person(house: Path, backup: Path) -> None:
    row = {"code": "b", "subject": "y", "text": "since"}
    Path("state/latched.json").write_text(json.dumps({"version": 1, "latched": [row]}))
    assert restore(backup, "--config", house, "--write") == 0
    assert latched() == ["b", "a"]
    assert restore(backup, "--config", house, "--write") == 0
    assert latched() == ["b", "a"]


def test_latches_that_nobody_can_read_stay_so(house: Path, backup: Path) -> None:
    Path("state/latched.json").write_text("half of")
    assert restore(backup, "--config", house, "--write") == 0
    assert Path("state/latched.json").read_text() == "half of"


def test_changes_since_the_old_file_was_written_do_not_come_back(house: Path, backup: Path) -> None:
    settings = Path("state/settings.json")
    quick = QuickFile(settings)
    quick.base(settings.read_bytes())
    assert quick.write({"mode": "off"})
    assert FileStore(settings).load() == {"mode": "off"}
    assert restore(backup, "--config", house, "--write") == 0
    assert FileStore(settings).load()["of"] == "settings"
    assert len(list(Path("state").glob("settings.quick.before-restore-*"))) == 1


def test_counters_are_compared_with_their_newest_changes(house: Path, backup: Path) -> None:
    energy = Path("state/energy.json")
    energy.write_text("{}")
    quick = QuickFile(energy)
    quick.base(energy.read_bytes())
    assert quick.write({"version": 1, "total": {"import_kwh": 12.0}})
    assert restore(backup, "--config", house, "--write") == 0
    assert FileStore(energy).load()["total"] == {"import_kwh": 12.0}


def test_a_running_house_is_left_alone(house: Path, backup: Path, capsys: Capture) -> None:
    house.write_text("site: {}\n")
    before = files(house.parent)
    with only_process(Path("state")):
        for words in ((), ("--write",)):
            assert restore(backup, "--config", house, *words) == ExitCode.HELD
            assert "another gridzero runs with this state folder" in capsys.readouterr().err
    assert files(house.parent) == before


def test_a_house_that_runs_with_another_state_folder_is_left_alone(
    house: Path, backup: Path, tmp_path: Path, capsys: Capture
) -> None:
    other = tmp_path / "var"
    house.write_text(f"site: {{state_dir: {other}}}\n")
    link = tmp_path / "link.yaml"
    link.symlink_to(house)
    before = files(house.parent)
    with only_process(other):
        for file in (house, link):
            assert restore(backup, "--config", file, "--write") == ExitCode.HELD
            assert "another gridzero runs" in capsys.readouterr().err
    assert files(house.parent) == before


def test_a_link_to_the_configuration_stays_one(house: Path, backup: Path, tmp_path: Path) -> None:
    wanted = house.read_text()
    kept_in_git = tmp_path / "git.yaml"
    kept_in_git.write_text("site: {name: spoilt}\n")
    house.unlink()
    house.symlink_to(kept_in_git)
    assert restore(backup, "--config", house, "--write") == 0
    assert house.is_symlink()
    assert kept_in_git.read_text() == wanted


def test_nothing_but_a_file_is_replaced(house: Path, backup: Path, capsys: Capture) -> None:
    Path("state/energy.json").unlink()
    Path("state/energy.json").mkdir()
    before = files(house.parent)
    for file in (house, "/dev/null"):
        assert restore(backup, "--config", file, "--write") == 2
        assert "no ordinary file" in capsys.readouterr().err
    assert files(house.parent) == before
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_without_history_the_present_one_goes_on(house: Path, backup: Path) -> None:
    history = Path("state/history.sqlite")
    history.write_bytes(b"mine")
    assert restore(backup, "--config", house, "--write", "--without-history") == 0
    assert history.read_bytes() == b"mine"


def test_a_full_disk_changes_nothing(
    house: Path, backup: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    house.write_text("site: {}\n")
    Path("state/settings.json").write_text("{}")
    before = files(house.parent)
    written: list[str] = []

    def write_new(fresh: Path, content: bytes) -> None:
        written.append(fresh.name)
        fresh.write_bytes(content)
        if "house" in fresh.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(unloading, "write_new", write_new)
    assert restore(backup, "--config", house, "--write") == 2
    assert "No space left" in capsys.readouterr().err
    assert ".settings.json.restored" in written
    assert files(house.parent) == before


def test_cut_off_at_any_step_each_file_is_old_or_new_and_a_second_try_completes_it(
    house: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = files(house.parent)
    for path in (house, *Path("state").glob("*.json")):
        path.write_text("{}")
    old, replace = files(house.parent), Path.replace
    for most in range(1, 12):
        done: list[Path] = []

        def cut(source: Path, target: Path, done: list[Path] = done, most: int = most) -> Path:
            if len(done) >= most:
                raise KeyboardInterrupt
            done.append(source)
            return replace(source, target)

        monkeypatch.setattr(Path, "replace", cut)
        restore(backup, "--config", house, "--write")
        monkeypatch.setattr(Path, "replace", replace)
        now = files(house.parent)
        assert all(
            now[name] in {old[name], new[name]} for name in old if name != "state/history.sqlite"
        )
    assert restore(backup, "--config", house, "--write") == 0
    now = files(house.parent)
    differs = {name for name in new if now[name] != new[name]}
    assert differs <= {"state/history.sqlite", "state/latched.json"}


def test_a_backup_decides_over_no_file_of_the_machine(
    house: Path, tmp_path: Path, capsys: Capture
) -> None:
    outside = tmp_path / "etc" / "passwd"
    outside.parent.mkdir()
    outside.write_text("root")
    text = house.read_text().replace(
        "authorized_keys_file: keys", f"authorized_keys_file: {outside}"
    )
    text = text.replace("ca_file: ca.crt", "ca_file: ../etc/passwd")
    house.write_text(text + f"history: {{path: {outside}}}\n")
    file = tmp_path / "b.zip"
    pack(house, file, secrets=True, history=True, now=NOW)
    house.unlink()
    outside.write_text("root, later")
    for where in (("--config", house), ("--into", tmp_path / "new")):
        assert restore(file, *where, "--write", "--without-history") == 0
        assert outside.read_text() == "root, later"
        assert "move it there yourself" in capsys.readouterr().out
    assert (tmp_path / "new" / "elsewhere" / "mqtt.tls.ca_file").read_text() == "root"


def test_state_of_an_absolute_folder_lands_inside_and_it_is_said(
    house: Path, tmp_path: Path, capsys: Capture
) -> None:
    state = (tmp_path / "var").resolve()
    Path("state").rename(state)
    text = house.read_text().replace("name: Minimal", f"name: Minimal\n  state_dir: {state}")
    house.write_text(text)
    file = tmp_path / "b.zip"
    pack(house, file, secrets=False, history=False, now=NOW)
    assert restore(file, "--into", tmp_path / "new", "--write") == 1
    out = capsys.readouterr().out
    assert f"looks for it at {state}/settings.json: move it there yourself" in out
    assert "made without secrets.yaml" in out
    assert "would not start" in out
    assert (tmp_path / "new" / "state" / "settings.json").exists()
    assert restore(file, "--config", house, "--write") == 0


def test_new_files_belong_to_whom_the_folder_does(house: Path, backup: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root may act for another user")
    for path in (Path("state"), *Path("state").iterdir()):
        os.chown(path, 10001, 10001)
    for name in ("settings.json", "battery.json", "lock", "history.sqlite"):
        Path("state", name).unlink()
    assert restore(backup, "--config", house, "--write") == 0
    owners: dict[str, Any] = {p.name: p.stat().st_uid for p in Path("state").iterdir()}
    assert set(owners.values()) == {10001}, owners
