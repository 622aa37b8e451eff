"""Links to devices in the network: what their sections may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gridzero.config.loader import Loaded, load_text
from gridzero.config.problems import ConfigErrors
from gridzero.plugins import find_plugins

CONFIGS = Path(__file__).parents[3] / "configs"
PLUGINS = find_plugins().plugins
HTTP = {"type": "http", "url": "http://192.168.1.40"}
UDP = {"type": "udp", "group": "239.12.255.254"}


def loaded(file: str, link: str, section: dict[str, Any], meter: str = "{}") -> Loaded:
    house = yaml.safe_load((CONFIGS / file).read_text())
    house["links"][link] = section
    house["devices"]["meter"] |= yaml.safe_load(meter)
    return load_text(yaml.safe_dump(house), Path("house.yaml"), PLUGINS, environ={})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": "192.168.1.40"}, "links.meter.url"),
        ({"url": "http://a/b"}, "links.meter.url"),
        ({"url": "http://me:secret@a"}, "links.meter.url"),
        ({"username": "me"}, "give both or neither"),
        ({"timeout_s": 0.01}, "at least 0.2"),
        ({"auth": "ntlm"}, "basic, digest"),
    ],
)
def test_what_no_web_server_is_like(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigErrors) as told:
        loaded("http-meter.yaml", "meter", HTTP | change)
    assert says in str(told.value)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"group": "192.168.1.5"}, "no multicast group"),
        ({"port": 0}, "at least 1"),
        ({"interface": "eth0"}, "links.meters.interface"),
    ],
)
def test_what_no_port_is_like(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigErrors) as told:
        loaded("sma-meter.yaml", "meters", UDP | change)
    assert says in str(told.value)


def test_a_password_that_stands_in_the_file_is_warned_of_and_not_shown() -> None:
    account = {"username": "me", "password": "swordfish"}
    warned = "\n".join(map(str, loaded("http-meter.yaml", "meter", HTTP | account).warnings))
    assert "links.meter.password" in warned
    assert "!secret meter_password" in warned
    assert "swordfish" not in warned


def test_a_link_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigErrors, match="of type udp, but this needs http"):
        loaded("http-meter.yaml", "meter", UDP)


def test_a_slow_meter_is_warned_of_where_it_is_slow() -> None:
    meter = "{profile: tasmota_sml_http, expected_interval_s: 30}"
    (warned,) = [
        warning
        for warning in loaded("http-meter.yaml", "meter", HTTP, meter).warnings
        if "too slow" in warning.what
    ]
    assert warned.where == "devices.meter.profile"
