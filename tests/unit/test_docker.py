"""The files of docker/ against what the code offers and what docs/security.md says of them."""

from __future__ import annotations

import importlib.util
import re
import shlex
import stat
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from gridzero import __version__
from gridzero.cli import _parser
from gridzero.config.faces import DashboardConfig
from gridzero.domain.settings import ACTIONS, SETTINGS
from gridzero.links.alive_file import VARIABLE
from gridzero.runtime import watchdogs

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, one in SERVICES.items() if one["image"].startswith("gridzero:"))
CONTROL = [name for name in OURS if SERVICES[name]["command"][0] == "run"]
ADDON = DOCKER / "home-assistant-addon"
DOCKERFILES = [DOCKER / "Dockerfile", ADDON / "Dockerfile"]


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def instructions(file: Path) -> list[tuple[str, str]]:
    """The lines of a Dockerfile, joined where they go on."""
    text = re.sub(r"^\s*#.*\n", "", file.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return [(word, rest.strip()) for word, rest in pairs]


def of(file: Path, word: str) -> list[str]:
    return [rest for found, rest in instructions(file) if found == word]


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])


def test_what_is_looked_at_here_is_there() -> None:
    assert set(OURS) == {"gridzero", "gridzero-inside", "companion", "dashboard"}
    assert CONTROL == ["gridzero", "gridzero-inside"]


@pytest.mark.parametrize("name", OURS)
def test_each_command_and_health_check_is_one_that_gridzero_has(name: str) -> None:
    arguments = _parser().parse_args(SERVICES[name]["command"])
    assert callable(arguments.run)
    check = SERVICES[name].get("healthcheck")
    if check is not None:
        assert check["test"][:2] == ["CMD", "gridzero"]
        assert callable(_parser().parse_args(check["test"][2:]).run)


@pytest.mark.parametrize("name", CONTROL)
def test_control_runs_alone_and_has_the_time_to_stop(name: str) -> None:
    assert _parser().parse_args(SERVICES[name]["command"]).alone
    assert seconds(SERVICES[name]["stop_grace_period"]) >= watchdogs._STOP_S + 10
    assert "healthcheck" not in SERVICES[name], "that of the image: commands are sent"


@pytest.mark.parametrize("name", [*OURS, "mosquitto"])
def test_every_container_is_fenced_in(name: str) -> None:
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["restart"] == "unless-stopped"
    assert one["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert not {"privileged", "cap_add", "pid", "ipc"} & one.keys()


@pytest.mark.parametrize("name", OURS)
def test_only_the_state_can_be_written_and_the_configuration_is_read(name: str) -> None:
    assert SERVICES[name]["volumes"] == ["./house:/etc/gridzero:ro", "state:/var/lib/gridzero"]


def test_only_control_gets_devices_and_its_own_name_at_the_broker() -> None:
    assert [name for name in SERVICES if "devices" in SERVICES[name]] == CONTROL
    names = {name: SERVICES[name]["environment"]["MQTT_USER"] for name in OURS}
    assert {name for name, user in names.items() if user == "gridzero"} == set(CONTROL)
    assert set(names.values()) == {"gridzero", "faces"}


def test_the_dashboard_is_asked_where_it_listens() -> None:
    assert SERVICES["dashboard"]["healthcheck"]["test"][-1] == f"127.0.0.1:{DashboardConfig().port}"


def test_every_variable_that_must_be_set_is_in_the_example() -> None:
    example = dict(
        line.split("=", 1)
        for line in (DOCKER / "example.env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    needed = set(re.findall(r"\$\{(\w+):\?", (DOCKER / "compose.yaml").read_text()))
    assert needed
    assert needed <= example.keys()
    assert all(not value for name, value in example.items() if name.endswith("PASSWORD"))


def test_no_image_names_a_registry() -> None:
    names = [one["image"] for one in SERVICES.values()]
    names += [default.split("=")[1] for file in DOCKERFILES for default in of(file, "ARG")]
    assert not [name for name in names if "." in name.split("/")[0].split(":")[0]]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_dockerfiles_keep_the_usual_rules(file: Path) -> None:
    assert all(one.startswith("${") for one in of(file, "FROM")), "every base is an ARG"
    assert not of(file, "ADD")
    assert not re.search(r"curl|wget|sudo|:latest|apt-get upgrade", file.read_text())
    for word in ("CMD", "ENTRYPOINT"):
        assert all(one.startswith("[") for one in of(file, word)), "so that signals arrive"
    for copied in of(file, "WORKDIR"):
        assert copied.startswith("/")


def test_the_image_is_nobodys_and_asks_whether_commands_are_sent() -> None:
    file = DOCKERFILES[0]
    assert of(file, "USER") == ["10001:10001"]
    assert f"{VARIABLE}=/dev/shm/" in of(file, "ENV")[-1]
    (check,) = of(file, "HEALTHCHECK")
    assert shlex.split(check.split("CMD ")[1].strip("[]").replace(",", " "))[0] == "gridzero"
    assert callable(_parser().parse_args(["healthcheck"]).run)
    command = yaml.safe_load(of(file, "CMD")[0])
    assert _parser().parse_args(command).alone


def test_everything_installed_is_checked_against_a_hash() -> None:
    installs = re.split(r"&&|\n", "\n".join(of(DOCKERFILES[0], "RUN")))
    installs = [one for one in installs if " install " in one and "/bin/pip" in one]
    assert len(installs) == 3
    for one in installs:
        assert "--require-hashes" in one or "--no-deps /wheels/gridzero-" in one


def test_all_that_is_copied_gets_past_the_ignore_file() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = [words.split()[:-1] for words in of(DOCKERFILES[0], "COPY") if "--from" not in words]
    for source in (name for names in copied for name in names):
        assert source in allowed or source.startswith("requirements/")


def pins(lock: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{lock}.lock").read_text().splitlines()
    found = (re.match(r"([a-z0-9-]+)==([^ ;\\]+)", line) for line in lines)
    return {one[1]: one[2] for one in found if one}


@pytest.mark.parametrize("lock", ["base", "full", "build"])
def test_the_image_has_the_versions_that_are_tested(lock: str) -> None:
    assert pins(lock)
    assert pins(lock).items() <= pins("dev").items()


def rules() -> Iterator[tuple[str, str, str]]:
    """User, right and topic of each line of the broker's rules."""
    user = ""
    for line in (DOCKER / "mosquitto" / "acl").read_text().splitlines():
        words = line.split()
        if words[:1] == ["user"]:
            user = words[1]
        elif words[:1] == ["topic"]:
            yield user, words[1], words[2]


def may(user: str, right: str, topic: str) -> bool:
    def fits(pattern: str) -> bool:
        return bool(re.fullmatch(pattern.replace("+", "[^/]+").replace("#", ".*"), topic))

    return any(
        name == user and right in has.replace("readwrite", "read,write") and fits(pattern)
        for name, has, pattern in rules()
    )


USERS = ["gridzero", "faces", "meter", "homeassistant", "reader"]


def test_the_rules_are_for_these_names_only() -> None:
    assert list(dict.fromkeys(user for user, _, _ in rules())) == USERS


@pytest.mark.parametrize("topic", ["status", "state", "settings", "answer", "energy", "cells"])
def test_only_control_speaks_as_control(topic: str) -> None:
    assert [user for user in USERS if may(user, "write", f"gridzero/{topic}")] == ["gridzero"]
    assert may("reader", "read", f"gridzero/{topic}")


def test_only_faces_and_home_assistant_set_and_only_the_meter_measures() -> None:
    for key in [*(one.key for one in SETTINGS), *(one.key for one in ACTIONS)]:
        able = [user for user in USERS if may(user, "write", f"gridzero/{key}/set")]
        assert able == ["gridzero", "homeassistant"]
    assert [user for user in USERS if may(user, "write", "gridzero/ask")] == ["gridzero", "faces"]
    assert [user for user in USERS if may(user, "write", "meterbox/grid")] == ["meter"]
    assert may("gridzero", "read", "meterbox/grid")


def test_nobody_without_a_password_gets_in() -> None:
    text = (DOCKER / "mosquitto" / "mosquitto.conf").read_text()
    assert "\nallow_anonymous false\n" in text
    assert "\nacl_file /mosquitto/config/acl\n" in text


def test_scripts_can_be_run() -> None:
    for name in ("image.sh", "base.sh", "move-can.sh"):
        assert (DOCKER / name).stat().st_mode & stat.S_IXUSR


def test_the_addon_fits_together() -> None:
    config = yaml.safe_load((ADDON / "config.yaml").read_text())
    assert config["version"] == __version__
    assert config["options"].keys() == config["schema"].keys()
    assert config["timeout"] >= watchdogs._STOP_S + 10
    assert f"[PORT:{DashboardConfig().port}]" in config["webui"]
    assert not {"privileged", "full_access", "docker_api", "hassio_role"} & config.keys()
    for file in (ADDON / "translations").glob("*.yaml"):
        assert yaml.safe_load(file.read_text())["configuration"].keys() == config["schema"].keys()


def test_the_addon_is_built_on_what_its_page_says() -> None:
    config, build = (
        yaml.safe_load((ADDON / name).read_text()) for name in ("config.yaml", "build.yaml")
    )
    (base,) = set(build["build_from"].values())
    assert build["build_from"].keys() == set(config["arch"])
    assert "/" in base, "Supervisor silently takes a base of its own for a name without one"
    assert of(ADDON / "Dockerfile", "ARG") == [f"BUILD_FROM={base}"]
    assert f"-t {base} " in (ADDON / "DOCS.md").read_text()


def test_the_addon_takes_the_account_that_supervisor_has_made() -> None:
    run = module(ADDON / "run.py")
    data = {"host": "core-mosquitto", "port": 1883, "username": "addons", "password": "secret"}
    assert run.account(data) == {
        "MQTT_HOST": "core-mosquitto",
        "MQTT_PORT": "1883",
        "MQTT_USER": "addons",
        "MQTT_PASSWORD": "secret",
    }
    assert run.account({}) == {}
    assert run.passwords({"dashboard_password": ""}) == {}
    assert run.passwords({"dashboard_password": "x"}) == {"DASHBOARD_PASSWORD": "x"}


def test_the_bill_of_materials_names_what_is_installed() -> None:
    bill = module(DOCKER / "sbom.py").sbom(distributions())
    parts = {part["name"]: part for part in bill["components"]}
    assert bill["metadata"]["component"]["name"] == "gridzero"
    assert parts["pydantic"]["purl"] == f"pkg:pypi/pydantic@{parts['pydantic']['version']}"
    known = {part["bom-ref"] for part in bill["components"]}
    assert all(
        "licenses" in part for name, part in parts.items() if name in {"pydantic", "python-can"}
    )
    wanted = {ref for one in bill["dependencies"] for ref in one["dependsOn"]}
    assert wanted <= known | {bill["metadata"]["component"]["bom-ref"]}


def test_the_bill_of_materials_has_the_hash_of_the_very_file_that_was_installed() -> None:
    sbom = module(DOCKER / "sbom.py")
    info = {"url": "file:///x", "archive_info": {"hashes": {"sha256": "ab" * 32}}}
    report = {
        "install": [
            {"download_info": info, "metadata": {"name": "Pydantic_Core"}},
            {"download_info": {"url": "file:///y", "dir_info": {}}, "metadata": {"name": "own"}},
        ]
    }
    hashes = dict(sbom.hashes_of(report))
    assert hashes == {"pydantic-core": "ab" * 32}
    bill = sbom.sbom(distributions(), hashes)
    (part,) = [part for part in bill["components"] if part["name"] == "pydantic-core"]
    assert part["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert "file:///" not in str(bill)


def test_the_bill_of_materials_names_what_the_base_has() -> None:
    status = (
        "Package: libc6\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1:2.36-9+x\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: arm64\nVersion: 1\n\n"
    )
    (part,) = module(DOCKER / "sbom.py").debian(status)
    assert part["purl"] == "pkg:deb/debian/libc6@1%3A2.36-9%2Bx?arch=arm64"


def test_what_a_start_would_compile_is_found(tmp_path: Path) -> None:
    compiled = module(DOCKER / "compiled.py")
    (tmp_path / "fresh_one.py").write_text("ANSWER = 42\n")
    fresh = module(tmp_path / "fresh_one.py")
    assert fresh.__spec__ is not None
    cached = Path(str(fresh.__spec__.cached))
    cached.unlink(missing_ok=True)
    assert list(compiled.missing(iter([fresh, compiled.sys]))) == [
        (tmp_path / "fresh_one.py", cached)
    ]
    cached.parent.mkdir(exist_ok=True)
    cached.touch()
    assert not list(compiled.missing(iter([fresh])))
    for name in compiled.LOADED:
        if name.startswith("gridzero"):
            assert importlib.util.find_spec(name) is not None


def test_every_path_of_the_host_that_compose_names_comes_with_the_checkout() -> None:
    named = {volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", ())}
    files = {name for name in named if name.startswith("./")} - {"./house"}
    assert files
    for name in files:
        assert (DOCKER / name).exists()
    assert {name for name in named if name[0] not in "./"} == COMPOSE["volumes"].keys()
