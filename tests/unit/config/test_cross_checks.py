"""What must fit between the sections of a file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gridzero.config.loader import Loaded
from gridzero.config.problems import Problem

LoadIt = Callable[..., Loaded]
Complaints = Callable[..., tuple[Problem, ...]]


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("  grid: {driver: meter, topic: meterbox/grid}\n", "there is no grid meter"),
        ("  sun: {driver: inverter, link: rs485}\n", "there is no charger or inverter"),
    ],
)
def test_a_site_needs_a_meter_and_something_that_moves_power(
    complaints: Complaints, house: str, line: str, what: str
) -> None:
    problem = only(complaints(house.replace(line, "")))
    assert (problem.what, problem.line, problem.where) == (what, 5, "devices")


def test_a_site_needs_cells(complaints: Complaints) -> None:
    text = """\
    site: {name: x}
    links: {rs485: {type: serial, port: p}}
    devices:
      grid: {driver: meter, topic: t}
      sun: {driver: inverter, link: rs485}
    """
    assert only(complaints(text)).what == "there is no cell monitor"


def test_a_charger_alone_moves_power_too(load_it: LoadIt, house: str) -> None:
    text = house.replace(
        "sun: {driver: inverter, link: rs485}", "psu: {driver: charger, link: bms}"
    )
    assert "psu" in load_it(text).device_options


def test_a_misspelt_driver_is_not_also_a_missing_meter(complaints: Complaints, house: str) -> None:
    assert only(complaints(house.replace("driver: meter", "driver: metre"))).line == 6


@pytest.mark.parametrize(
    ("device", "what"),
    [
        ("grid2: {driver: meter, topic: t}", "a second meter, the first is 'grid'"),
        ("more: {driver: cells, buses: {a: {link: bms, modules: [1]}}}", "a second cell monitor"),
    ],
)
def test_what_a_site_has_once(complaints: Complaints, house: str, device: str, what: str) -> None:
    problem = only(complaints(f"{house}  {device}\n"))
    assert what in problem.what
    assert problem.line == 12


def test_a_second_shunt_would_not_be_read(complaints: Complaints, house: str) -> None:
    shunts = "  s1: {driver: shunt, link: i2c}\n  s2: {driver: shunt, link: i2c}\n"
    text = house.replace("links:\n", "links:\n  i2c: {type: i2c, bus_number: 1}\n") + shunts
    assert "a second current sensor" in only(complaints(text)).what


def test_a_link_that_is_not_there(complaints: Complaints, house: str) -> None:
    problem = only(complaints(house.replace("link: bms", "link: bsm")))
    assert (problem.where, problem.line) == ("devices.battery.buses.a.link", 10)
    assert problem.what == "there is no link named 'bsm'"
    assert "Did you mean 'bms'? " in problem.remedy


def test_no_links_at_all(complaints: Complaints, house: str) -> None:
    text = house.replace(
        "  bms: {type: can, channel: canbms1}\n  rs485: {type: serial, port: /dev/ttyUSB0}\n", ""
    )
    assert [p.line for p in complaints(text)] == [8, 9]


def test_a_link_of_another_kind(complaints: Complaints, house: str) -> None:
    problem = only(complaints(house.replace("link: rs485", "link: bms")))
    assert (problem.where, problem.line) == ("devices.sun.link", 11)
    assert problem.what == "the link 'bms' is of type can, but this needs serial"
    assert problem.remedy == "Name a link of type serial: rs485"


def test_two_devices_on_one_serial_port(complaints: Complaints, house: str) -> None:
    problem = only(complaints(house + "  sun2: {driver: inverter, link: rs485}\n"))
    assert (problem.where, problem.line) == ("devices.sun2.link", 12)
    assert "already used by 'sun'" in problem.what


def test_two_devices_may_share_a_can_bus(load_it: LoadIt, house: str) -> None:
    assert "psu" in load_it(house + "  psu: {driver: charger, link: bms}\n").device_options


@pytest.mark.parametrize(
    "link",
    [
        "{type: serial, port: /dev/ttyUSB0, baud: 9600}",
        "{type: can, interface: socketcan, channel: canbms1}",
    ],
)
def test_a_bus_or_port_has_one_name(complaints: Complaints, house: str, link: str) -> None:
    text = house.replace("devices:", f"  again: {link}\ndevices:")
    problem = only(complaints(text))
    assert (problem.where, problem.line) == ("links.again", 5)
    assert "the same bus or port" in problem.what


def test_the_same_channel_on_two_servers_is_two_buses(load_it: LoadIt, house: str) -> None:
    two = "".join(
        f"  {n}: {{type: can, interface: socketcand, channel: can0, options: {{host: {n}, port: 29536}}}}\n"
        for n in ("pi1", "pi2")
    )
    loaded = load_it(house.replace("devices:", f"{two}devices:"))
    assert {"pi1", "pi2"} < loaded.config.links.keys()


def test_overrides_are_numbers_of_the_profile(
    load_it: LoadIt, complaints: Complaints, house: str
) -> None:
    good = load_it(house + "battery: {overrides: {full_cell_v: 4.02}}").config.battery
    assert good.overrides == {"full_cell_v": 4.02}
    problem = only(complaints(house + "battery: {overrides: {fulcell_v: 4.02}}"))
    assert problem.where == "battery.overrides.fulcell_v"
    assert "Did you mean 'full_cell_v'" in problem.remedy


def test_thresholds_of_protections_may_be_tightened(
    load_it: LoadIt, complaints: Complaints, house: str
) -> None:
    battery = "battery: {{overrides: {{cell_spread.warn: {}}}}}"
    good = load_it(house + battery.format(0.05)).config.battery
    assert good.overrides == {"cell_spread.warn": 0.05}
    problem = only(complaints(house + battery.format(0.2)))
    assert problem.where == "battery.overrides.cell_spread.warn"
    assert "not from 0.01 to 0.1" in problem.what


def test_a_generic_profile_needs_the_number_of_cells(
    load_it: LoadIt, complaints: Complaints, house: str
) -> None:
    good = load_it(house + "battery: {profile: lfp, series_cells: 16}").config.battery
    assert (good.profile, good.series_cells) == ("lfp", 16)
    missing = only(complaints(house + "battery: {profile: nmc}"))
    assert (missing.where, missing.what) == ("battery.series_cells", "the profile nmc needs it")
    wrong = only(complaints(house + "battery: {series_cells: 13}"))
    assert (wrong.where, "12 cells" in wrong.what) == ("battery.series_cells", True)


def test_overrides_are_checked_against_the_chosen_profile(
    load_it: LoadIt, complaints: Complaints, house: str
) -> None:
    battery = "battery: {{profile: {}, series_cells: 14, overrides: {{full_cell_v: {}}}}}"
    good = load_it(house + battery.format("lfp", 3.5)).config.battery
    assert good.overrides == {"full_cell_v": 3.5}
    assert "not from 3.4 to 3.6" in only(complaints(house + battery.format("lfp", 4.0))).what


@pytest.mark.parametrize(
    ("addition", "where", "what"),
    [
        ("", "devices", "no current sensor: discharging above"),
        ("  psu: {driver: charger, link: bms}\n", "devices", "no current sensor: charging above"),
        ("links2", "links.spare", "no device uses this link"),
        ("control: {mode: charge}", "control.mode", "without power_w moves no power"),
        ("mqtt: {host: h, username: u, password: plain}", "mqtt.password", "stands in the"),
        ("mqtt: {host: h, tls: {}}", "mqtt.tls", "port 1883 usually has no encryption"),
    ],
)
def test_warnings(load_it: LoadIt, house: str, addition: str, where: str, what: str) -> None:
    if addition == "links2":
        text = house.replace("devices:", "  spare: {type: i2c, bus_number: 1}\ndevices:")
    else:
        text = house + addition
    assert any(w.where == where and what in w.what for w in load_it(text).warnings)


def test_a_full_house_has_no_warnings(load_it: LoadIt, house: str) -> None:
    text = house.replace("devices:", "  i2c: {type: i2c, bus_number: 1}\ndevices:")
    text += "  shunt: {driver: shunt, link: i2c}\ncontrol: {mode: charge, power_w: 500}\n"
    assert load_it(text).warnings == ()
