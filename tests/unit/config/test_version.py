"""Files of older and newer versions, and the text of an old one made new."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.cli import main
from gridzero.config.loader import Loaded, load_text
from gridzero.config.migrate import migrate
from gridzero.config.problems import Notes, Problem
from gridzero.config.version import STEPS, VERSION, Gone, Renamed, Steps, modernise
from gridzero.config.yaml_lines import parse
from gridzero.errors import ConfigError
from gridzero.ports.plugin import DriverPlugin

LoadIt = Callable[..., Loaded]
Complaints = Callable[..., tuple[Problem, ...]]
FILE = Path("house.yaml")
OLD = """\
# my house
site: {name: x}   # the shed

control:
  # how quick
  filter: 0.5     # from the forum
  target_w: 30
  zero_cross_hold_s: 6

devices: {}
"""
NEW = """\
# my house
version: 1
site: {name: x}   # the shed

control:
  # how quick
  target_w: 30

devices: {}
"""


def test_a_newer_file_is_refused_with_one_sentence_and_nothing_else(
    complaints: Complaints,
) -> None:
    [told] = complaints("site: {nam: !secret no}\nwhat: !ever 1\nversion: 7\n")
    assert (told.line, told.where) == (3, "version")
    assert "of version 7, this gridzero knows 1" in told.what
    assert "Install" in told.remedy


@pytest.mark.parametrize("version", ["0", "-1", "true", "1.0", "banana", "[1]", "'1'"])
def test_a_version_that_is_none_is_a_mistake(
    complaints: Complaints, house: str, version: str
) -> None:
    told = complaints(f"version: {version}\n{house}")
    assert [(problem.line, problem.where) for problem in told] == [(1, "version")]


def test_a_file_for_todays_keys_is_good_with_and_without_a_version(
    load_it: LoadIt, house: str
) -> None:
    without, having = load_it(house), load_it(f"version: 1\n{house}")
    assert without.config == having.config
    assert [warning.what for warning in without.warnings] == [w.what for w in having.warnings]


def test_what_is_gone_counts_for_nothing_and_is_told_with_its_line(
    load_it: LoadIt, house: str
) -> None:
    before = load_it(house)
    after = load_it(f"control:\n  filter: 0.5\n  zero_cross_hold_s: 6\n{house}")
    assert after.config == before.config
    told = [(w.line, w.where) for w in after.warnings if "gone" in w.what]
    assert told == [(2, "control.filter"), (3, "control.zero_cross_hold_s")]
    assert all("migrate" in w.remedy for w in after.warnings if "gone" in w.what)


def test_in_a_file_of_this_version_it_is_a_mistake(complaints: Complaints, house: str) -> None:
    [told] = complaints(f"version: 1\ncontrol: {{filter: 0.5}}\n{house}")
    assert (told.line, told.what) == (2, "this setting is gone")


def test_only_the_lines_that_must_change_do() -> None:
    done = migrate(OLD, FILE)
    assert done.text == NEW
    assert done.version == 0
    assert len(done.changes) == 3
    assert migrate(NEW, FILE).changes == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("control: {filter: 1}\n", "version: 1\ncontrol: {}\n"),
        ("control: {filter: 1, target_w: 2}\n", "version: 1\ncontrol: {target_w: 2}\n"),
        ("control: {target_w: 2, filter: 1,}\n", "version: 1\ncontrol: {target_w: 2,}\n"),
        ("control: {a: 2, filter: 1, b: 3}", "version: 1\ncontrol: {a: 2, b: 3}"),
        ("control:\n  filter: 1\n", "version: 1\ncontrol:\n"),
        ("control:\r\n  filter: 1\r\n  a: 1\r\n", "version: 1\r\ncontrol:\r\n  a: 1\r\n"),
        ("{control: {filter: [1, {a: 2}]}}", "{version: 1, control: {}}"),
        (
            "control:\n  filter:\n    a: 1\n    b: [2,\n  3]\n\n  # kept\n  c: 1\n",
            "version: 1\ncontrol:\n\n  # kept\n  c: 1\n",
        ),
        ("---\na: !secret b\n", "---\nversion: 1\na: !secret b\n"),
        ("site: ü\ncontrol:\n  'filter': 1 # x", "version: 1\nsite: ü\ncontrol:\n"),
    ],
)
def test_each_way_to_write_it(before: str, after: str) -> None:
    assert migrate(before, FILE).text == after


RENAMING: Steps = (
    *STEPS,
    (Renamed(("control", "target_w"), "aim_w"), Renamed(("devices",), "units")),
    (Gone(("control", "aim_w"), "nobody aims"), Renamed(("units", "a b"), "c")),
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# x\nversion: 1\ncontrol:\n  'target_w': 3 # why\n",
            "# x\nversion: 2\ncontrol:\n  aim_w: 3 # why\n",
        ),
        (
            "control: {filter: 1, target_w: {a: [1]}}\ndevices: {}",
            "version: 2\ncontrol: {aim_w: {a: [1]}}\nunits: {}",
        ),
        ("a: 1\r\ndevices: !secret b\r\n", "version: 2\r\na: 1\r\nunits: !secret b\r\n"),
    ],
)
def test_a_setting_that_is_called_otherwise_keeps_its_value(before: str, after: str) -> None:
    done = migrate(before, FILE, RENAMING[:2])
    assert done.text == after
    assert migrate(after, FILE, RENAMING[:2]).changes == ()


def test_steps_build_on_each_other() -> None:
    done = migrate("control:\n  target_w: 3\n  k: 1\ndevices: {a b: 2}\n", FILE, RENAMING)
    assert done.text == "version: 3\ncontrol:\n  k: 1\nunits: {c: 2}\n"
    assert done.changes == (
        "control.target_w is called aim_w now",
        "devices is called units now",
        "control.aim_w is gone: nobody aims",
        "units.a b is called c now",
        "version: 3",
    )


def test_two_names_for_one_setting_are_left_to_a_person() -> None:
    text = "control:\n  target_w: 1\n  aim_w: 2\n"
    with pytest.raises(ConfigError, match=r"target_w is called aim_w now.*by hand"):
        migrate(text, FILE, RENAMING[:2])
    notes = Notes("house.yaml")
    document = parse(text, notes)
    modernise(document, notes, RENAMING[:2])
    assert [(one.line, one.where) for one in notes.problems] == [(2, "control.target_w")]


def test_in_memory_the_value_moves_with_its_line() -> None:
    notes = Notes("house.yaml")
    document = parse("a: 1\ndevices:\n  x: {y: *no}\ncontrol: {target_w: 3}\n", notes)
    modernise(document, notes, RENAMING[:2])
    assert document.value == {"a": 1, "units": {"x": {"y": None}}, "control": {"aim_w": 3}}
    assert document.place(("units", "x", "y")).line == 3
    assert document.place(("control", "aim_w")).line == 4
    assert document.spoilt == {("units", "x", "y")}
    assert ("devices",) not in document.keys
    assert [(one.line, one.what) for one in notes.warnings] == [
        (4, "this setting is called aim_w now"),
        (2, "this setting is called units now"),
    ]


def test_what_nobody_writes_is_left_to_a_person() -> None:
    with pytest.raises(ConfigError, match=r"control\.filter.*by hand"):
        migrate("!!map\ncontrol:\n  filter: 1\n", FILE)


def test_nothing_of_a_newer_or_broken_file_is_migrated() -> None:
    for text in ("version: 2\n", "a: [\n", "a: 1\na: 2\n"):
        with pytest.raises(ConfigError):
            migrate(text, FILE)


KEYS = st.sampled_from(["filter", "zero_cross_hold_s", "target_w", "a b", "ö"])
LEAVES = st.one_of(st.integers(-9, 9), st.sampled_from(["on", "x # y", "a: b", "", "lines\nof it"]))
SECTIONS = st.dictionaries(KEYS, st.one_of(LEAVES, st.lists(LEAVES, max_size=2)), max_size=4)


@settings(max_examples=60)
@given(
    control=SECTIONS,
    site=SECTIONS,
    flow=st.sampled_from([None, True, False]),
    indent=st.integers(2, 5),
    width=st.sampled_from([12, 80]),
)
def test_a_migrated_file_means_what_it_meant(
    control: dict[str, Any], site: dict[str, Any], flow: bool | None, indent: int, width: int
) -> None:
    value = {"site": site, "control": control}
    text = yaml.dump(value, default_flow_style=flow, indent=indent, width=width, allow_unicode=True)
    try:
        done = yaml.safe_load(migrate(text, FILE).text)
    except ConfigError:
        return  # a person is asked, and nothing was changed
    rest = {k: v for k, v in control.items() if k not in {"filter", "zero_cross_hold_s"}}
    assert done == {"version": VERSION, "site": site, "control": rest or done["control"]}
    assert not done["control"] or rest


@settings(max_examples=100)
@given(st.text(alphabet="ab:-{}[]?!&*#'\" \n\tfilterco", max_size=60))
def test_any_text_is_migrated_or_refused_with_a_sentence(text: str) -> None:
    for whole in (text, f"control:\n{text}"):
        with suppress(ConfigError):
            done = migrate(whole, FILE)
            assert ("version: 1" in done.text) == bool(done.changes)


def test_migrate_shows_first_then_writes_and_keeps_the_old_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "house.yaml"
    file.write_text(OLD)
    file.chmod(0o640)
    assert main(["migrate", str(file)]) == 1
    shown = capsys.readouterr().out
    assert "-  filter: 0.5" in shown
    assert "target_w" not in shown, "only the lines that change: others may hold a password"
    assert file.read_text() == OLD
    assert main(["migrate", str(file), "--write"]) == 0
    assert file.read_text() == NEW
    assert (tmp_path / "house.yaml.v0").read_text() == OLD
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert main(["migrate", str(file), "--write"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["house.yaml", "house.yaml.v0"]


def test_a_link_to_the_file_stays_one_and_no_older_copy_is_lost(tmp_path: Path) -> None:
    file, link = tmp_path / "house.yaml", tmp_path / "link.yaml"
    file.write_text(OLD)
    (tmp_path / "house.yaml.v0").write_text("older still")
    link.symlink_to(file)
    assert main(["migrate", str(link), "--write"]) == 0
    assert link.is_symlink()
    assert file.read_text() == NEW
    assert (tmp_path / "house.yaml.v0").read_text() == "older still"
    assert (tmp_path / "house.yaml.v0-2").read_text() == OLD


def test_the_text_made_new_loads_without_a_warning(
    tmp_path: Path, house: str, fakes: Mapping[str, DriverPlugin]
) -> None:
    text = migrate(f"control:\n  filter: 0.5\n{house}", tmp_path / "x.yaml").text
    loaded = load_text(text, tmp_path / "x.yaml", fakes, environ={})
    assert [w for w in loaded.warnings if "gone" in w.what] == []


def test_a_new_file_is_refused_by_every_command_with_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "house.yaml"
    file.write_text("version: 2\nsite: {colour: red}\n")
    for command in ("check", "run", "companion", "migrate"):
        assert main([command, str(file)]) == 2
        out = "".join(capsys.readouterr())
        assert out.count("\n") == 1, out
        assert "of version 2" in out
