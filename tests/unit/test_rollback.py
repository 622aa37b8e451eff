"""Which configuration a process starts with, after whatever happened to the last ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridzero.commands.reload import what_runs
from gridzero.config.files import MOST_BYTES, read_text
from gridzero.configured.checked import check_file
from gridzero.configured.rollback import MOST_STARTS, choose
from gridzero.errors import ConfigError
from gridzero.outputs.console.say_state import config_lines
from gridzero.plugins import find_plugins
from gridzero.runtime.config_keep import ConfigKeep, Probation, shown_fingerprint
from gridzero.runtime.exit_codes import ExitCode

FOUND = find_plugins()
TEXT = """\
site:
  name: Test
  state_dir: {state}
links:
  wire: {{type: serial, port: /dev/none}}
  bus: {{type: can, interface: virtual, channel: x}}
devices:
  meter: {{driver: mqtt_meter, topic: a/b}}
  battery: {{driver: vw_gte, buses: {{a: {{link: bus, modules: [1]}}}}}}
  inverter: {{driver: soyosource, link: wire}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration that has proved itself."""
    file = tmp_path / "house.yaml"
    file.write_text(TEXT.format(state=tmp_path / "state"))
    assert ConfigKeep(tmp_path / "state", file).save_good(file.read_text())
    return file


def keep_of(file: Path) -> ConfigKeep:
    return ConfigKeep(file.parent / "state", file)


def add(file: Path, text: str) -> str:
    file.write_text(file.read_text() + text)
    return file.read_text()


def test_the_good_file_itself_is_on_no_trial(file: Path) -> None:
    chosen = choose(file, FOUND)
    assert (chosen.on_trial, chosen.rolled_back) == (False, None)
    chosen.begin()
    assert keep_of(file).probation(chosen.text) == Probation()


def test_the_first_file_of_a_house_has_nothing_to_go_back_to(tmp_path: Path) -> None:
    file = tmp_path / "house.yaml"
    file.write_text(TEXT.format(state=tmp_path / "state"))
    assert not choose(file, FOUND).on_trial
    file.write_text("site: [")
    with pytest.raises(ConfigError):
        choose(file, FOUND)


def test_three_starts_without_an_end_are_enough_and_the_count_survives(file: Path) -> None:
    add(file, "control: {target_w: 10}\n")
    for _ in range(MOST_STARTS):
        chosen = choose(file, FOUND)
        assert chosen.on_trial
        chosen.begin()  # then kill -9, a crash, a power cut
    back = choose(file, FOUND)
    assert back.rolled_back is not None
    assert back.loaded.config.control.target_w == 0.0
    assert back.rolled_back.differs == ("control", "control.target_w")
    assert back.rolled_back.rests
    assert choose(file, FOUND, may_roll_back=False).loaded.config.control.target_w == 10.0


@pytest.mark.parametrize("code", [ExitCode.ASKED, ExitCode.AGAIN])
def test_an_orderly_end_is_no_failure(file: Path, code: ExitCode) -> None:
    add(file, "control: {target_w: 10}\n")
    for _ in range(3 * MOST_STARTS):
        chosen = choose(file, FOUND)
        assert chosen.rolled_back is None
        chosen.begin()
        chosen.ended(code)


def test_a_crash_is_counted_and_another_edit_begins_anew(file: Path) -> None:
    add(file, "control: {target_w: 10}\n")
    for _ in range(MOST_STARTS):
        chosen = choose(file, FOUND)
        chosen.begin()
        chosen.ended(ExitCode.CRASHED)
    assert choose(file, FOUND).rolled_back is not None
    add(file, "# mended\n")
    assert choose(file, FOUND).on_trial


def test_a_restart_that_a_person_asked_for_tries_the_file_again(file: Path) -> None:
    text = add(file, "control: {target_w: 10}\n")
    keep_of(file).note(text, Probation(MOST_STARTS))
    back = choose(file, FOUND)
    assert back.rolled_back is not None
    back.ended(ExitCode.ASKED)
    assert choose(file, FOUND).rolled_back is not None, "a reboot is no wish"
    back.ended(ExitCode.AGAIN)
    assert choose(file, FOUND).on_trial


def test_what_only_building_finds_goes_back_too(file: Path) -> None:
    add(file, "battery: {overrides: {no_such_number: 1.0}}\n")
    back = choose(file, FOUND).rolled_back
    assert back is not None
    assert "no_such_number" in back.why
    assert back.rests


@pytest.mark.parametrize(
    ("text", "rests"),
    [
        ("alerts: {leest: 1}\n", False),
        ("dashboard: {port: 99999}\n", False),
        ("control: {mode: of}\n", True),
        ("battry: {max_charge_a: 5}\n", True),
        ("watchdog: {timeout_s: 1}\n", True),
        ("devices: {}\n", True),
        ("\t{{", True),
    ],
)
def test_only_what_bears_on_no_power_goes_on_without_a_person(
    file: Path, text: str, rests: bool
) -> None:
    add(file, text)
    back = choose(file, FOUND).rolled_back
    assert back is not None
    assert back.rests is rests


def test_a_person_agrees_to_one_file_and_not_to_the_next(file: Path) -> None:
    add(file, "battery: {max_charge_a: -5}\n")
    choose(file, FOUND).accept()
    back = choose(file, FOUND).rolled_back
    assert back is not None
    assert not back.rests
    add(file, "# still wrong\n")
    back = choose(file, FOUND).rolled_back
    assert back is not None
    assert back.rests


def test_the_agreement_outlives_every_end(file: Path) -> None:
    add(file, "battery: {max_charge_a: -5}\n")
    choose(file, FOUND).accept()
    for code in (ExitCode.ASKED, ExitCode.AGAIN, ExitCode.CRASHED):
        chosen = choose(file, FOUND)
        assert chosen.rolled_back is not None
        assert not chosen.rolled_back.rests, code
        chosen.begin()
        chosen.ended(code)


def test_secrets_stay_where_they_are(file: Path) -> None:
    secrets = file.parent / "secrets.yaml"
    secrets.write_text("word: do-not-copy-me\n")
    secrets.chmod(0o600)
    add(file, "mqtt: {host: h, username: u, password: !secret word}\n")
    keep = keep_of(file)
    keep.save_good(file.read_text())
    kept = "".join(p.read_text() for p in (file.parent / "state").rglob("*") if p.is_file())
    assert "!secret word" in kept
    assert "do-not-copy-me" not in kept
    assert (file.parent / "state" / "config" / "last-good.yaml").stat().st_mode & 0o077 == 0
    add(file, "nonsense: 1\n")
    assert choose(file, FOUND).loaded.config.mqtt.password is not None
    secrets.unlink()
    with pytest.raises(ConfigError, match="nonsense"):
        choose(file, FOUND)


def test_the_copy_of_another_file_is_not_taken(file: Path) -> None:
    other = file.with_name("other.yaml")
    other.write_text(read_text(file) + "nonsense: 1\n")
    with pytest.raises(ConfigError, match="nonsense"):
        choose(other, FOUND)


def test_nothing_can_be_kept_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    keep = ConfigKeep(tmp_path / "state", tmp_path / "house.yaml")
    assert not keep.save_good("site: {}")
    assert "cannot be written" in keep.trouble
    keep.note("x", Probation(1))
    keep.say_running({})
    assert keep.good() is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=60), name=st.sampled_from(["last-good.yaml", "probation.json"]))
def test_half_written_copies_are_none(file: Path, junk: bytes, name: str) -> None:
    path = file.parent / "state" / "config" / name
    before = path.read_bytes() if path.exists() else b""
    path.write_bytes(junk)
    chosen = choose(file, FOUND)
    assert chosen.rolled_back is None
    path.write_bytes(before[: len(before) // 2] + junk)
    assert choose(file, FOUND).rolled_back is None
    path.write_bytes(before)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("", True),
        ("\0", True),
        ("site: {{name: x, state_dir: {state}}}\nsite: [", False),
        ('"site": {{"state_dir": "{state}"', False),
        ("site:\n  state_dir: '{state}' # where\n\t", False),
        ("# state_dir: /nowhere\nsite:\n  state_dir: {state}\n\t", False),
        ("site:\n  state_dir: !env STATE\n\t", True),
    ],
)
def test_the_copy_is_found_whatever_is_left_of_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, text: str, given: bool
) -> None:
    state = file.parent / "state"
    file.write_text(text.format(state=state))
    if given:
        monkeypatch.setenv("STATE_DIRECTORY", f"{state}:/elsewhere")
    back = choose(file, FOUND).rolled_back
    assert back is not None
    assert back.rests


@pytest.mark.parametrize("instead", [Path.mkdir, os.mkfifo, lambda _: None])
def test_a_file_that_is_no_more_goes_back_and_rests(
    file: Path, monkeypatch: pytest.MonkeyPatch, instead: Callable[[Path], None]
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(file.parent / "state"))
    file.unlink()
    instead(file)
    back = choose(file, FOUND).rolled_back
    assert back is not None
    assert back.rests


def test_the_last_good_one_never_leads_to_another_state_folder(file: Path) -> None:
    (file.parent / "state").rename(file.parent / "moved")
    file.write_text(TEXT.format(state=file.parent / "moved") + "nonsense: 1\n")
    with pytest.raises(ConfigError, match="nonsense"):
        choose(file, FOUND)


def test_a_last_good_one_that_cannot_be_built_is_none(file: Path) -> None:
    keep_of(file).save_good(add(file, "battery: {overrides: {no_such_number: 1.0}}\n"))
    add(file, "nonsense: 1\n")
    with pytest.raises(ConfigError, match="nonsense"):
        choose(file, FOUND)


def test_the_largest_file_is_kept_whole(file: Path) -> None:
    text = read_text(file)
    text += "#" * (MOST_BYTES - len(text))
    keep = keep_of(file)
    assert keep.save_good(text)
    good = keep.good()
    assert good is not None
    assert good.text == text


def test_the_same_word_is_written_once(file: Path) -> None:
    keep, path = keep_of(file), file.parent / "state" / "config" / "running.json"
    keep.say_running({"waits": []})
    first = path.stat().st_ino
    keep.say_running({"waits": []})
    assert path.stat().st_ino == first
    keep.say_running({"waits": ["mqtt.host"]})
    assert keep.running()["waits"] == ["mqtt.host"]


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    keep = ConfigKeep(tmp_path / "state", tmp_path / "house.yaml")
    keep.say_running({"waits": []})
    assert keep.running() == {}
    (tmp_path / "state").unlink()
    keep.say_running({"waits": []})
    assert keep.running()["waits"] == []


class PowerCut(BaseException):
    """Nothing after this moment happens."""


def cut_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End everything at the step-th thing that is done to the disk."""
    left = [step]

    def cutting(do: Callable[..., Any]) -> Callable[..., Any]:
        def maybe(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise PowerCut
            return do(*arguments, **named)

        return maybe

    for of, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "chmod")):
        monkeypatch.setattr(of, name, cutting(getattr(of, name)))


def test_a_power_cut_at_any_write_leaves_the_old_or_the_new(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = read_text(file)
    for step in range(40):
        keep = keep_of(file)
        keep.save_good(good)
        text = f"{good}control: {{target_w: {step + 1}}}\n"
        keep.note(text, Probation(2, is_accepted=True))
        is_cut = True
        with monkeypatch.context() as during, suppress(PowerCut):
            cut_at(step, during)
            keep.note(text, Probation(3, is_accepted=True))
            keep.save_good(text)
            is_cut = False
        now = keep_of(file)
        kept, on = now.good(), now.probation(text)
        assert kept is not None
        assert kept.text in {good, text}
        assert on.starts in {2, 3} or (kept.text == text and on == Probation())
        if not is_cut:
            assert step >= 5
            return
    pytest.fail("it never came to its end")


def test_what_runs_is_said_only_while_it_runs(file: Path) -> None:
    keep = keep_of(file)
    keep.say_running({"fingerprint": "abc"})
    assert keep.running()["fingerprint"] == "abc"
    path = file.parent / "state" / "config" / "running.json"
    values = json.loads(path.read_text())
    assert values["pid"] == os.getpid()
    for pid in (2**22 + 1, -1, "x", 10**30):
        path.write_text(json.dumps({**values, "pid": pid}))
        assert keep.running() == {}
    for begun in (values["begun"] - 1, None, "x"):  # another process has this number now
        path.write_text(json.dumps({**values, "begun": begun}))
        assert keep.running() == {}


def test_what_runs_is_written_only_when_it_changes(file: Path) -> None:
    keep, path = keep_of(file), file.parent / "state" / "config" / "running.json"
    keep.say_running({"fingerprint": "abc"})
    written = path.stat().st_ino
    keep.say_running({"fingerprint": "abc"})
    assert path.stat().st_ino == written  # whoever replaces a file gives it another number
    keep.say_running({"fingerprint": "abd"})
    assert path.stat().st_ino != written


def test_check_says_when_something_else_runs(file: Path) -> None:
    keep, good = keep_of(file), check_file(file, FOUND)
    assert list(what_runs(file, good)) == []
    told = {"fingerprint": shown_fingerprint(good.text), "loaded_utc": "2026-07-01T12:00:00Z"}
    keep.say_running(told)
    assert list(what_runs(file, good)) == []
    keep.say_running({**told, "waits": ["links.bus.channel"]})
    assert "links.bus.channel" in next(what_runs(file, good))
    keep.say_running({**told, "fingerprint": "another"})
    assert "2026-07-01T12:00:00Z" in next(what_runs(file, good))
    keep.say_running({**told, "rolled_back": "the last good one runs"})
    assert next(what_runs(file, good)) == "note: the last good one runs"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (None, ""),
        ({}, ""),
        ({"waits": [], "file_differs": False, "rolled_back": None}, ""),
        ({"waits": ["mqtt.host", 3], "file_differs": True}, "wait for a restart: mqtt.host"),
        ({"waits": "junk", "file_differs": True}, "the file has changed: reload takes it"),
        ({"waits": ["mqtt.host"], "rolled_back": "a fault says it"}, ""),
    ],
)
def test_the_console_says_it_too(told: dict[str, Any] | None, said: str) -> None:
    text = "".join(str(part) for one in config_lines(told) for part in one)
    assert said in text
    assert bool(text) is bool(said)
