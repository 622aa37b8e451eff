"""Which files make up a house, and where they are.

The configuration is read leniently here: a backup of a house is wanted most when something is wrong
with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from gridzero.config.document import Document
from gridzero.config.faces import ConsoleSshConfig, HistoryConfig
from gridzero.config.models import SiteConfig
from gridzero.config.problems import Notes
from gridzero.config.secret_values import SECRETS_FILE
from gridzero.config.version import version_of
from gridzero.config.yaml_lines import Tag, parse

CONFIG: Final = "config.yaml"
SECRETS: Final = "secrets.yaml"
HISTORY: Final = "history.sqlite"

STATE: Final = tuple(
    f"state/{name}.json"
    for name in (
        "settings",
        "latched",
        "battery",
        "charge",
        "learned",
        "energy",
        "energy-days",
        "outlook",
        "home_assistant",
        "alerts",
    )
)


class Named(NamedTuple):
    """A file that a setting names. is_secret: whoever has it can come in."""

    setting: tuple[str, ...]
    is_secret: bool

    @property
    def name(self) -> str:
        """Inside a backup."""
        return f"named/{'.'.join(self.setting)}"


_HOST_KEY: Final = Named(("console", "ssh", "host_key_file"), is_secret=True)
NAMED: Final = (
    Named(("mqtt", "tls", "ca_file"), is_secret=False),
    Named(("mqtt", "tls", "cert_file"), is_secret=False),
    Named(("mqtt", "tls", "key_file"), is_secret=True),
    Named(("console", "ssh", "authorized_keys_file"), is_secret=False),
    _HOST_KEY,
)
SECRET: Final = frozenset({SECRETS, *(named.name for named in NAMED if named.is_secret)})
NAMES: Final = frozenset({CONFIG, SECRETS, HISTORY, *STATE, *(named.name for named in NAMED)})
"""Everything that may be in a backup: no name in a file ever becomes a path."""

_MB: Final = 1_000_000
_MOST_BYTES: Final = {CONFIG: _MB, SECRETS: _MB}
_MOST_STATE_BYTES: Final = 16 * _MB
_MOST_HISTORY_BYTES: Final = 200_000 * _MB


def most_bytes(name: str) -> int:
    """How large a part can be; more is no part of a house."""
    if name == HISTORY:
        return _MOST_HISTORY_BYTES  # twice the most that history.max_mb takes
    return _MOST_BYTES.get(name, _MOST_STATE_BYTES)


@dataclass(frozen=True, slots=True)
class House:
    """What a configuration says of its files, as it says it.

    state_dir, history: relative to where gridzero starts. named: by name inside a backup.
    """

    version: int
    state_dir: str
    history: str
    named: Mapping[str, str]


def house_of(text: str, file: Path, environ: Mapping[str, str] = os.environ) -> House:
    """Read what a configuration says. Raises ConfigErrors for what is no YAML at all."""
    tags: dict[str, Tag] = {
        "!secret": lambda _name, _place, _path: "",
        "!env": lambda name, _place, _path: environ.get(name, ""),
    }
    document = parse(text, Notes(str(file)), tags)
    state_dir = _text(document, "site", "state_dir") or _default(SiteConfig, "state_dir")
    history = _text(document, "history", "path")
    return House(
        version_of(document),
        state_dir,
        history or str(HistoryConfig().file(state_dir)),
        dict(_named(document, state_dir)),
    )


def _named(document: Document, state_dir: str) -> Iterator[tuple[str, str]]:
    for named in NAMED:
        said = _text(document, *named.setting)
        if named is _HOST_KEY and isinstance(document.get(("console", "ssh")), dict):
            said = str(Path(state_dir) / (said or _default(ConsoleSshConfig, "host_key_file")))
        if said:
            yield named.name, said


def _text(document: Document, *path: str) -> str:
    value = document.get(path)
    return value if isinstance(value, str) and "\0" not in value else ""


def _default(model: Any, field: str) -> str:
    return str(model.model_fields[field].default)


def paths_of(house: House, config: Path) -> dict[str, Path]:
    """Where every part of a house is, whether there or not: by name inside a backup."""
    state_dir = Path(house.state_dir)
    return {
        CONFIG: config,
        SECRETS: config.parent / SECRETS_FILE,
        **{name: state_dir / Path(name).name for name in STATE},
        **{name: Path(path) for name, path in house.named.items()},
        HISTORY: Path(house.history),
    }
