"""Values from secrets.yaml and from the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gridzero.config.loader import Loaded
from gridzero.config.problems import Problem

LoadIt = Callable[..., Loaded]
Complaints = Callable[..., tuple[Problem, ...]]

BROKER = "mqtt: {host: h, username: u, password: !secret mqtt_password}\n"


@pytest.fixture
def secrets(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "secrets.yaml"
        file.write_text(text)
        file.chmod(0o600)
        return file

    return write


def test_a_secret_arrives_and_is_not_shown(
    load_it: LoadIt, house: str, secrets: Callable[[str], Path]
) -> None:
    secrets("mqtt_password: hunter2-xyz\n")
    loaded = load_it(house.replace("topic: m", "token: !secret mqtt_password, topic: m") + BROKER)
    password = loaded.config.mqtt.password
    assert password is not None
    assert password.get_secret_value() == "hunter2-xyz"
    assert "hunter2" not in repr(loaded.config) + str(loaded.warnings)


def test_secrets_are_taken_as_they_are_written(
    load_it: LoadIt, house: str, secrets: Callable[[str], Path]
) -> None:
    secrets("mqtt_password: 0012\nother: off\n")
    password = load_it(house + BROKER).config.mqtt.password
    assert password is not None
    assert password.get_secret_value() == "0012"


def test_the_environment_gives_numbers_too(load_it: LoadIt, house: str) -> None:
    text = house + "mqtt: {host: !env BROKER, port: !env PORT}"
    mqtt = load_it(text, environ={"BROKER": "broker.local", "PORT": "1884"}).config.mqtt
    assert (mqtt.host, mqtt.port) == ("broker.local", 1884)


def test_a_driver_may_come_from_the_environment(load_it: LoadIt, house: str) -> None:
    text = house.replace("driver: inverter", "driver: !env SUN")
    assert "sun" in load_it(text, environ={"SUN": "inverter"}).device_options


def test_a_missing_secret_names_line_and_file(
    complaints: Complaints, house: str, secrets: Callable[[str], Path]
) -> None:
    file = secrets("mqtt_pasword: x\n")
    (problem,) = complaints(house + BROKER)
    assert (problem.line, problem.where) == (12, "mqtt.password")
    assert problem.what == "there is no secret named 'mqtt_password'"
    assert "Did you mean 'mqtt_pasword'? " in problem.remedy
    assert str(file) in problem.remedy


def test_a_missing_variable_names_its_line(complaints: Complaints, house: str) -> None:
    (problem,) = complaints(house + "control: {target_w: !env TARGET}")
    assert (problem.line, problem.where) == (12, "control.target_w")
    assert problem.what == "the environment has no variable 'TARGET'"


def test_without_a_secrets_file_both_places_are_told(
    complaints: Complaints, house: str, tmp_path: Path
) -> None:
    in_file, in_secrets = sorted(complaints(house + BROKER), key=lambda p: p.line, reverse=True)
    assert in_secrets.file == str(tmp_path / "secrets.yaml")
    assert "cannot be read" in in_secrets.what
    assert in_file.line == 12


@pytest.mark.parametrize(
    "content", ["[a, b]", "a: [1, 2]\nmqtt_password: x", "a: {b", "", "a: *b\n"]
)
def test_a_wrong_secrets_file_is_told_with_its_own_lines(
    complaints: Complaints, house: str, secrets: Callable[[str], Path], content: str
) -> None:
    file = secrets(content)
    assert any(p.file == str(file) for p in complaints(house + BROKER))


def test_a_secrets_file_open_to_all_is_a_warning(
    load_it: LoadIt, house: str, secrets: Callable[[str], Path]
) -> None:
    file = secrets("mqtt_password: hunter2\n")
    assert all(w.file != str(file) for w in load_it(house + BROKER).warnings)
    file.chmod(0o644)
    warning = next(w for w in load_it(house + BROKER).warnings if w.file == str(file))
    assert "chmod 600" in warning.remedy


@pytest.mark.parametrize(
    "setting", ["control: {target_w: !env S}", "control: {mode: !env S}", "links2: !env S"]
)
def test_a_hidden_value_stays_hidden_when_it_is_wrong(
    complaints: Complaints, house: str, setting: str
) -> None:
    told = complaints(house + setting, environ={"S": "hunter2-xyz"})
    assert told
    assert "hunter2" not in "\n".join(map(str, told))


def test_a_password_in_the_file_is_not_repeated_in_its_error(
    complaints: Complaints, house: str
) -> None:
    told = complaints(house + "mqtt: {host: h, username: u, password: 112233}")
    assert "112233" not in "\n".join(map(str, told))


@pytest.mark.parametrize(
    "setting",
    [
        "alerts: {urls: 'tgram://112233/1'}",
        "alerts: {urls: 'https://hooks.example/112233'}",
        "alerts: {urls: {a: 'tgram://112233/1'}}",
        "alerts: 'tgram://112233/1'",
        "mqtt: 'mqtt://u:112233@h'",
        "mqtt: {host: h, port: 'mqtt://112233'}",
    ],
)
def test_an_address_in_the_wrong_place_is_not_repeated_in_its_error(
    complaints: Complaints, house: str, setting: str
) -> None:
    told = complaints(house + setting)
    assert told
    assert "112233" not in "\n".join(map(str, told))


def test_no_secrets_file_is_touched_without_need(
    load_it: LoadIt, house: str, tmp_path: Path
) -> None:
    (tmp_path / "secrets.yaml").write_bytes(b"\x00")
    assert load_it(house).config.site.name == "Test"
