"""Files that fit, and files in which everything is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from gridzero.config.loader import Loaded, load
from gridzero.config.problems import ConfigErrors, Problem
from gridzero.domain.modes import Mode
from gridzero.ports.plugin import DriverPlugin

LoadIt = Callable[..., Loaded]
Complaints = Callable[..., tuple[Problem, ...]]


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def test_a_small_house_needs_little(load_it: LoadIt, house: str) -> None:
    loaded = load_it(house)
    assert loaded.config.site.name == "Test"
    assert loaded.config.site.state_dir == "state"
    assert loaded.config.mqtt.is_embedded
    assert loaded.config.mqtt.embedded.port == 1883
    assert loaded.config.control.mode is Mode.AUTO
    assert loaded.config.battery.max_module_a == 12.5
    assert list(loaded.device_options) == ["grid", "battery", "sun"]
    assert loaded.config.devices["sun"]["driver"] == "inverter"


def test_it_is_read_from_a_file(
    tmp_path: Path, fakes: Mapping[str, DriverPlugin], house: str
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(f"\ufeff{house}", encoding="utf-8")
    assert load(file, fakes).config.site.name == "Test"


def test_sections_whose_lines_are_all_comments_count_as_absent(load_it: LoadIt, house: str) -> None:
    loaded = load_it(house + "mqtt:\n  # host: x\ncontrol:\nbattery:\n")
    assert loaded.config.mqtt.is_embedded
    assert loaded.config.control.target_w == 0.0


def test_the_mode_off_is_a_word_and_not_a_truth(load_it: LoadIt, house: str) -> None:
    assert load_it(house + "control: {mode: off}").config.control.mode is Mode.OFF


def test_a_configuration_does_not_change(load_it: LoadIt, house: str) -> None:
    config: Any = load_it(house).config
    with pytest.raises(ValueError, match="frozen"):
        config.control.target_w = 5.0


EVERYTHING_WRONG = """\
site:
  name: [a]                         # 2 site.name
  state_dir: ""                     # 3 site.state_dir
  color: red                        # 4 site.color
  log:
    level: loud                     # 6 site.log.level
    format: xml                     # 7 site.log.format
mqtt:
  host: 17                          # 9 mqtt.host
  port: 70000                       # 10 mqtt.port
  username: {}                      # 11 mqtt.username
  password: [x]                     # 12 mqtt.password
  tls:
    ca_file: 1                      # 14 mqtt.tls.ca_file
    ca_flie: x                      # 15 mqtt.tls.ca_flie
  topic_prefix: "a/#"               # 16 mqtt.topic_prefix
  client_id: ""                     # 17 mqtt.client_id
  embedded:
    port: zero                      # 19 mqtt.embedded.port
links:
  Bad Name:                         # 21 links.Bad Name
    type: can
    channel: can1
  one:                              # 24 links.one.channel
    type: can
    interface: ""                   # 26 links.one.interface
    bitrate: fast                   # 27 links.one.bitrate
    options: 7                      # 28 links.one.options
  two:
    type: serial
    port: 5                         # 31 links.two.port
    baud: 4800.5                    # 32 links.two.baud
    rs485: maybe                    # 33 links.two.rs485
  three:
    type: i2c
    bus_number: -1                  # 36 links.three.bus_number
  four:
    type: usb                       # 38 links.four.type
  five: {}                          # 39 links.five
  six: 6                            # 40 links.six
devices:
  grid:
    driver: meter
    topic: ""                       # 44 devices.grid.topic
    tokem: x                        # 45 devices.grid.tokem
  battery:
    driver: cells
    buses:
      a:
        link: nowhere               # 50 devices.battery.buses.a.link
        modules:
          - 1.5                     # 52 devices.battery.buses.a.modules.0
          - number: 99              # 53 devices.battery.buses.a.modules.1.number
            cells: 11               # 54 devices.battery.buses.a.modules.1.cells
          - cells: 12               # 55 devices.battery.buses.a.modules.2.number
  sun:                              # 56 devices.sun.link
    driver: inverter
    max_w: 3000                     # 58 devices.sun.max_w
  moon:
    driver: inverer                 # 60 devices.moon.driver
  mars:                             # 61 devices.mars.driver
    link: two
  pluto: 9                          # 63 devices.pluto
battery:
  profile: vw_gte_13s               # 65 battery.profile
  overrides:
    full_cel_v: 4.0                 # 67 battery.overrides.full_cel_v
    full_cell_v: high               # 68 battery.overrides.full_cell_v
  max_charge_a: -5                  # 69 battery.max_charge_a
  max_discharge_a: 5,5              # 70 battery.max_discharge_a
  max_module_a: 0                   # 71 battery.max_module_a
  balancing: perhaps                # 72 battery.balancing
control:
  target_w: 2001                    # 74 control.target_w
  mode: automatic                   # 75 control.mode
  power_w: true                     # 76 control.power_w
  filter: 0.5                       # 77 control.filter
  meter_hold_s: long                # 78 control.meter_hold_s
  meter_lost_s: .inf                # 79 control.meter_lost_s
  zero_cross_hold_s: 6              # 80 control.zero_cross_hold_s
  lease_s: 60                       # 81 control.lease_s
  protect_period_s: 5               # 82 control.protect_period_s
  min_charge_w: [150]               # 83 control.min_charge_w
  min_discharge_w: {w: 30}          # 84 control.min_discharge_w
  target_topic: a/+/b               # 85 control.target_topic
  target_timeout_s: 1e999           # 86 control.target_timeout_s
  lease_s: 3                        # 87 control.lease_s
contorl: {}                         # 88 contorl
version: 1
"""


def test_every_wrong_field_is_told_with_its_line(complaints: Complaints) -> None:
    expected = [
        line.partition("# ")[2].split(" ", 1)
        for line in EVERYTHING_WRONG.splitlines()
        if "# " in line
    ]
    told = complaints(EVERYTHING_WRONG)
    assert [(p.line, p.where) for p in told] == [(int(line), where) for line, where in expected]
    assert all(p.what and p.remedy and "\n" not in str(p) for p in told)


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        (15, "Did you mean 'ca_file'"),
        (24, "Add 'channel: ...'"),
        (36, "at least 0"),
        (38, "can, serial, i2c"),
        (45, "Did you mean 'token'"),
        (50, "one, two, three, four"),
        (53, "at most 16 (number of the module, 1..16)"),
        (54, "Use one of: 12, 13"),
        (58, "at most 2500 (largest power, W)"),
        (60, "Did you mean 'inverter'"),
        (65, "Did you mean 'vw_gte_12s'"),
        (67, "Did you mean 'full_cell_v'"),
        (70, "with a point and not a comma"),
        (72, "true or false"),
        (75, "Did you mean 'auto'"),
        (77, "nothing replaces it"),
        (80, "nothing replaces it"),
        (88, "Did you mean 'control'"),
    ],
)
def test_the_remedy_helps(complaints: Complaints, line: int, remedy: str) -> None:
    assert remedy in next(p for p in complaints(EVERYTHING_WRONG) if p.line == line).remedy


@pytest.mark.parametrize(
    ("section", "what"),
    [
        ("mqtt: {port: 1884}", "port without host"),
        ("mqtt: {host: h, embedded: {port: 1}}", "exclude each other"),
        ("mqtt: {host: h, password: xyz}", "password without username"),
        ("mqtt: {host: h, tls: {cert_file: a}}", "belong together"),
        ("control: {meter_hold_s: 5, meter_lost_s: 5}", "meter_hold_s must be shorter"),
        ("control: {min_soc_pct: 50, max_soc_pct: 50}", "must be below max_soc_pct"),
        ("control: {reserve_soc_pct: 100}", "must be below max_soc_pct"),
        ("control: {strategy: tariff}", "tariff needs prices"),
    ],
)
def test_settings_of_a_section_fit_together(
    complaints: Complaints, house: str, section: str, what: str
) -> None:
    assert what in only(complaints(house + section)).what


@pytest.mark.parametrize(
    ("link", "what"),
    [
        ("{type: can, channel: a-name-of-16-char}", "no network interface"),
        ("{type: can, channel: /dev/ttyACM0}", "no network interface"),
        ("{type: can, channel: canbms1, options: {channel: x}}", "channel cannot be an option"),
        ("{type: can, channel: canbms1, options: {name: x, report: 1}}", "name, report cannot"),
    ],
)
def test_can_links_are_checked(complaints: Complaints, house: str, link: str, what: str) -> None:
    text = house.replace("{type: can, channel: canbms1}", link)
    problem = only(complaints(text))
    assert (problem.line, what in problem.what) == (3, True)


def test_other_adapters_take_any_channel_and_options(load_it: LoadIt, house: str) -> None:
    link = "{type: can, interface: slcan, channel: /dev/serial/by-id/long-name, options: {ttyBaudrate: 115200}}"
    config = load_it(house.replace("{type: can, channel: canbms1}", link)).config
    can: Any = config.links["bms"]
    assert can.options == {"ttyBaudrate": 115200}


def test_a_validator_of_the_driver_is_told_at_its_device(
    complaints: Complaints, house: str
) -> None:
    buses = "\n".join(f"      {b}: {{link: bms, modules: [1]}}" for b in "bcd")
    text = house.replace("modules: [1, 2]}", f"modules: [1, 2]}}\n{buses}")
    problem = only(complaints(text))
    assert (problem.where, problem.what, problem.line) == (
        "devices.battery",
        "at most two buses",
        7,
    )


def test_a_broken_driver_is_told_as_such(complaints: Complaints, house: str) -> None:
    text = house + "  extra: {driver: acme}\n"
    problem = only(complaints(text, broken={"acme": "no module named serial"}))
    assert problem.line == 12
    assert "cannot be loaded: no module named serial" in problem.what


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"", 1, "empty"),
        (b"# only a comment\n", 1, "empty"),
        (b"null", 1, "empty"),
        (b"- a\n- b\n", 1, "only a list"),
        (b"hello", 1, "only 'hello'"),
        (b"site:\n\x00\x01\x02", 2, "binary"),
        (b"site: x\nname: \xff\xfe", 2, "not UTF-8"),
        (b"site:\n\tname: x\n", 2, "a tab"),
        (b"site:\n  name: a\n   log: b\n", 3, "a colon stands where"),
        (b"site:\n  name: a\n state_dir: b\n", 3, "does not fit"),
        (b"site: {name: a\n", 2, "YAML"),
        (b'site: "\\UFFFFFFFF"\n', 1, "character"),
        (b"a: 1\n---\nb: 2\n", 2, "second document"),
        (b"? [a]\n: b\n", 1, "key must be plain"),
        (b"a: {{ x }}\n", 1, "key must be plain"),
        (b"a: \x07\n", 1, "must not stand"),
        (b"x" * 5_000_000, 1, "larger than"),
        (b"[" * 50_000, 1, "nested more than"),
        (b"a: &a 1\n*a : 2\n", 2, "alias"),
    ],
)
def test_files_that_are_no_configuration(
    tmp_path: Path, fakes: Mapping[str, DriverPlugin], content: bytes, line: int, what: str
) -> None:
    file = tmp_path / "site.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigErrors) as caught:
        load(file, fakes)
    problem = only(caught.value.problems)
    assert what in problem.what
    assert problem.line == line
    assert str(caught.value).startswith(f"{file}:{line}: file: ")


@pytest.mark.parametrize("path", ["missing.yaml", ".", "no\0name"])
def test_files_that_are_not_there(
    fakes: Mapping[str, DriverPlugin], tmp_path: Path, path: str
) -> None:
    with pytest.raises(ConfigErrors, match="cannot be read"):
        load(tmp_path / path, fakes)


def test_a_bomb_of_aliases_is_refused_at_once(complaints: Complaints) -> None:
    bomb = "a: &a [x, x]\n" + "\n".join(
        f"{new}: &{new} [*{old}, *{old}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    told = [p for p in complaints(bomb) if "alias" in p.what]
    assert len(told) == 16
    assert told[0].line == 2


def test_what_stands_in_for_a_spoilt_value_is_not_told_again(
    complaints: Complaints, house: str
) -> None:
    problem = only(
        complaints(house + "control: {target_w: !gone x, mode: !!python/name:os.system ''}\n")[:1]
    )
    assert "the tag '!gone' is not known" in problem.what
    assert len(complaints(house + "control: {target_w: !gone x}")) == 1


def test_a_key_that_stands_twice_names_both_lines(complaints: Complaints, house: str) -> None:
    problem = only(complaints(house + "site: {name: other}\n"))
    assert (problem.line, problem.where) == (12, "site")
    assert "the first is in line 1" in problem.what


def test_strange_characters_do_not_reach_the_terminal(complaints: Complaints, house: str) -> None:
    told = complaints(dedent(house) + 'control: {"\\e[31m": 1, mode: "\\e]0;x\\a", "\\uD800": 2}\n')
    assert len(told) == 3
    assert all(str(p).isprintable() for p in told)
