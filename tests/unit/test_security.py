"""What docs/security.md and docs/docker.md say, against the code."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from gridzero.battery.profile import Profile
from gridzero.config.faces import ConsoleSshConfig
from gridzero.config.loader import load
from gridzero.config.models import BatteryConfig, Config
from gridzero.domain.settings import ACTIONS, SETTINGS
from gridzero.plugins import find_plugins

ROOT = Path(__file__).parents[2]
KEYS = {one.key for one in (*SETTINGS, *ACTIONS)}


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    files = (ROOT / "tests").rglob("test_*.py")
    there = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    assert len(named) > 30
    assert sorted(named - there) == []


def test_no_setting_is_a_limit_of_the_battery() -> None:
    limits = {one.name for one in fields(Profile)} | BatteryConfig.model_fields.keys()
    assert len(limits) > 10
    assert KEYS & limits == set()
    assert not [key for key in KEYS if re.search(r"cell|module|temp|_v$|_a$|profile|file", key)]


def sections(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Every section of the configuration, from what its fields are annotated with."""
    found = [model]
    for field in model.model_fields.values():
        text = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for kind in text:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found += sections(kind)
    return found


def test_every_listener_is_loopback_by_default() -> None:
    found = [one for one in sections(Config) if {"host", "port"} <= one.model_fields.keys()]
    hosts = {one.__name__: one.model_fields["host"].default for one in found}
    assert {"ConsoleConfig", "DashboardConfig", "MetricsConfig", "ConsoleSshConfig"} <= hosts.keys()
    assert hosts.pop("MqttConfig") is None, "a broker of somebody else, or the embedded one"
    assert all(ipaddress.ip_address(host).is_loopback for host in hosts.values())
    assert ConsoleSshConfig.model_fields["authorized_keys_file"].is_required()


def test_the_house_of_the_docker_page_is_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "docker.md").read_text()
    changes = page.split("<!-- house -->\n```yaml\n")[1].split("```")[0]
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    for name in compose["services"]["gridzero"]["environment"]:
        monkeypatch.setenv(name, "a-password-of-the-test")
    house = (ROOT / "configs" / "reference-house.yaml").read_text()
    house = re.sub(
        r"^  state_dir: .*$", "  state_dir: /var/lib/gridzero", house, flags=re.MULTILINE
    )
    house = re.sub(r"port: /dev/serial\S+", "port: /dev/rs485", house)
    broker = re.search(r"^mqtt:\n(  .*\n)+", changes, re.MULTILINE)
    dashboard = re.search(r"^dashboard:.*\n", changes, re.MULTILINE)
    assert broker is not None
    assert dashboard is not None
    assert "port: /dev/rs485" in changes
    assert "state_dir: /var/lib/gridzero" in changes
    file = tmp_path / "house.yaml"
    file.write_text(house + broker[0] + dashboard[0])
    config = load(file, find_plugins().plugins).config
    assert config.mqtt.host == "mosquitto"
    assert config.mqtt.username == "a-password-of-the-test"
    assert config.dashboard is not None
