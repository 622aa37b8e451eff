"""A house in which every secret is a word that stands nowhere else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Self

import yaml
from process_site import LOOPBACK, site_config

SECRETS = {
    name: f"zq{name.replace('_', '')}zq7301"
    for name in (
        "mqtt_password",
        "console_password",
        "page_password",
        "meter_password",
        "alert_url",
    )
}
TYPED = {name: f"zq{name}zq8402" for name in ("console", "page", "metrics")}
"""Wrong passwords that people type: often a right one of something else."""
FROM_ENVIRONMENT = "GRIDZERO_TEST_PAGE_PASSWORD"
WORDS = frozenset({*SECRETS.values(), *TYPED.values()})


def write_house(folder: Path, ports: dict[str, int], terminal: str) -> Path:
    """ports: broker, console, page, metrics and dead, where nobody listens."""
    site_config(
        folder,
        {
            "host": LOOPBACK,
            "port": ports["broker"],
            "username": "gz",
            "password": _Tagged("!secret", "mqtt_password"),
        },
        terminal,
        web={
            "type": "http",
            "url": f"http://{LOOPBACK}:{ports['dead']}",
            "username": "owner",
            "password": _Tagged("!secret", "meter_password"),
        },
    )
    file = folder / "house.yaml"
    values = yaml.load(file.read_text(), Loader=_Loader)
    values["site"]["log"]["level"] = "debug"
    values["devices"]["meter"] = {"driver": "http_meter", "link": "web", "profile": "homewizard_p1"}
    values |= {
        "console": {
            "port": ports["console"],
            "password": _Tagged("!secret", "console_password"),
        },
        "dashboard": {"port": ports["page"], "password": _Tagged("!env", FROM_ENVIRONMENT)},
        "metrics": {"port": ports["metrics"]},
        "history": {"batch_s": 5},
        "alerts": {"urls": [_Tagged("!secret", "alert_url")], "group_s": 5, "least": "warning"},
    }
    text = yaml.dump(values, Dumper=_Dumper)
    file.write_text(re.sub(r"(!secret|!env) '(\w+)'", r"\1 \2", text))
    secrets = SECRETS | {
        "alert_url": f"json://owner:{SECRETS['alert_url']}@{LOOPBACK}:{ports['dead']}/"
    }
    place = folder / "secrets.yaml"
    place.touch(mode=0o600)
    place.write_text(yaml.safe_dump(secrets))
    return file


HASTY = (
    "a secret as a number",
    "a password as a list",
    "a password as a mapping",
    "a password in plain words, too short",
    "a password in plain words in the wrong place",
    "secrets that are no YAML",
    "secrets that are a list",
    "a secret that is a mapping",
    "a secret under the wrong name",
    "a short password",
    "a tab in the secrets",
)


def spoiled(file: Path) -> dict[str, tuple[str, str]]:
    """The house and its secrets as somebody in a hurry would leave them, each of HASTY."""
    house, secrets = file.read_text(), file.with_name("secrets.yaml").read_text()
    word = SECRETS["mqtt_password"]
    plain = house.replace("!secret mqtt_password", word)
    return {
        "a secret as a number": (
            re.sub(r"(mqtt_password\n  port:) \d+", r"\1 !secret mqtt_password", house),
            secrets,
        ),
        "a password as a list": (plain.replace(word, f"[{word}]"), secrets),
        "a password as a mapping": (plain.replace(word, f"{{{word}: {word}}}"), secrets),
        "a password in plain words, too short": (
            house.replace("!secret console_password", "zq7"),
            secrets,
        ),
        "a password in plain words in the wrong place": (
            plain.replace("username: gz", f"user_name: {word}"),
            secrets,
        ),
        "secrets that are no YAML": (house, secrets.replace(": ", ": [", 1)),
        "secrets that are a list": (house, f"- {word}\n"),
        "a secret that is a mapping": (
            house,
            secrets.replace("mqtt_password: ", "mqtt_password:\n  inner: "),
        ),
        "a secret under the wrong name": (house, secrets.replace("mqtt_password", "mqtt_passwort")),
        "a short password": (
            house.replace("!secret console_password", "!secret short"),
            f"{secrets}short: zq7\n",
        ),
        "a tab in the secrets": (house, secrets.replace("\n", "\n\t", 1)),
    }


def found_in(places: dict[str, Any]) -> list[str]:
    """Where which word stands that should not."""
    return sorted(
        f"{word} in {place}"
        for place, content in places.items()
        for word in WORDS
        if word.encode() in (content.encode() if isinstance(content, str) else content)
    )


class _Tagged(str):
    """A value with a tag of gridzero's configuration."""

    __slots__ = ("tag",)
    tag: str

    def __new__(cls, tag: str, name: str) -> Self:
        made = super().__new__(cls, name)
        made.tag = tag
        return made


class _Dumper(yaml.SafeDumper):
    pass


class _Loader(yaml.SafeLoader):
    pass


def _represent(dumper: yaml.SafeDumper, value: _Tagged) -> yaml.Node:
    return dumper.represent_scalar(value.tag, str(value))


_Dumper.add_representer(_Tagged, _represent)
yaml.SafeDumper.add_representer(_Tagged, _represent)
for _tag in ("!secret", "!env"):
    _Loader.add_constructor(
        _tag, lambda loader, node, tag=_tag: _Tagged(tag, loader.construct_scalar(node))
    )
