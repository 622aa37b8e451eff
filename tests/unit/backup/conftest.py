"""A house on the disk, with a bit of everything in it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gridzero.outputs.history.opening import close, connect

ROOT = Path(__file__).parents[3]
LATCHED = {"version": 1, "latched": [{"code": "a", "subject": "x", "text": "t"}]}
ENERGY = {"version": 1, "total": {"import_kwh": 10.0, "export_kwh": 2.0}}
HOUSE = (ROOT / "configs" / "minimal.yaml").read_text() + (
    "mqtt:\n  host: broker\n  username: me\n  password: !secret mqtt\n"
    "  tls: {ca_file: ca.crt, cert_file: my.crt, key_file: my.key}\n"
    "console: {ssh: {authorized_keys_file: keys}}\n"
)


def write_house(folder: Path) -> Path:
    """Everything that a backup can hold."""
    state = folder / "state"
    state.mkdir(parents=True)
    (folder / "house.yaml").write_text(HOUSE)
    (folder / "secrets.yaml").write_text("mqtt: swordfish\n")
    (folder / "secrets.yaml").chmod(0o600)
    for name in ("ca.crt", "my.crt", "my.key", "keys"):
        (folder / name).write_text(f"this is {name}\n")
    (state / "console_host_key").write_text("very private\n")
    for name in ("settings", "battery", "charge", "learned", "outlook", "home_assistant", "alerts"):
        (state / f"{name}.json").write_text(json.dumps({"version": 1, "of": name}))
    (state / "latched.json").write_text(json.dumps(LATCHED))
    (state / "energy.json").write_text(json.dumps(ENERGY))
    (state / "energy-days.json").write_text(json.dumps({"version": 1, "days": {}}))
    (state / "lock").touch()
    (state / "battery.damaged").write_text("garbage")
    close_history(folder)
    return folder / "house.yaml"


def close_history(folder: Path) -> None:
    with closing(connect(folder / "state" / "history.sqlite")) as connection:
        close(connection)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of a house, in the folder in which gridzero would start."""
    config = write_house(tmp_path / "here")
    monkeypatch.chdir(config.parent)
    return config


@pytest.fixture
def tables() -> Callable[[Path], int]:
    """How many tables a history has."""

    def count(file: Path) -> int:
        with closing(sqlite3.connect(file)) as connection:
            return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])

    return count
