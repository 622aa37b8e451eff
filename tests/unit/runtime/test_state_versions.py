"""What a newer gridzero has written is put aside whole, told, and never half read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gridzero.app import build
from gridzero.config.loader import load_text
from gridzero.demo.command import demo_config
from gridzero.domain.events import Event
from gridzero.links.memory import MemoryLinks
from gridzero.outputs.alerts.kept import Kept
from gridzero.outputs.home_assistant.published import Memory
from gridzero.plugins import find_plugins
from gridzero.ports.clock import LoopClock
from gridzero.runtime.charge_memory import ChargeMemory
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.stores import FileStore

pytestmark = pytest.mark.real_time

NEWER: dict[str, Any] = {
    "settings": {"version": 2, "mode": {"value": "charge", "default": "auto"}},
    "latched": {"version": 2, "latched": [{"code": "unit_silent", "subject": "", "text": ""}]},
    "battery": {"version": 2, "utc_s": 1.8e9, "battery": {"soc": 0.5}},
    "learned": {"version": 2, "inverter": {}},
    "energy": {"version": 2, "total": {"import_kwh": 5.0}},
    "energy-days": {"version": 2, "days": {"2026-01-01": {"import_kwh": 5.0}}},
    "outlook": {"version": 2, "told": "empty"},
}


TOLD = {
    "settings": "settings_lost",
    "latched": "latches_lost",
    "battery": "battery_memory_lost",
    "learned": "learned_lost",
    "energy": "energy_lost",
    "energy-days": "energy_lost",
    "outlook": "learned_lost",
}


@pytest.mark.parametrize("name", NEWER)
async def test_each_file_of_control(tmp_path: Path, name: str) -> None:
    file, text = tmp_path / f"{name}.json", json.dumps(NEWER[name])
    file.write_text(text)
    plugins = find_plugins().plugins
    house = demo_config().read_text().replace("state/demo", str(tmp_path))
    house += "prices: {import_ct: 30, export_ct: 8}\n"
    loaded = load_text(house, demo_config(), plugins)
    faults = FaultBook(LoopClock())
    events: list[Event] = []
    faults.on_event(events.append)
    links = MemoryLinks({name: link.type for name, link in loaded.config.links.items()})
    build(loaded, plugins, links, faults=faults)
    told = {e.code: e.text for e in events} | {f.code: f.text for f in faults.active}
    assert "2" in told[TOLD[name]], told
    assert (tmp_path / f"{name}.damaged").read_text() == text


async def test_what_was_told_to_people(tmp_path: Path) -> None:
    file = tmp_path / "alerts.json"
    file.write_text('{"version": 2, "standing": {}}')
    kept = Kept(file)
    assert kept.load() == {}
    await kept.save({"standing": {}})
    assert json.loads((tmp_path / "alerts.damaged").read_text())["version"] == 2


def test_what_home_assistant_was_told(tmp_path: Path) -> None:
    file = tmp_path / "home_assistant.json"
    file.write_text('{"version": 2, "published": {"topic": {}}, "subsystems": []}')
    memory = Memory(file)
    memory.load()
    assert memory.published == {}
    memory.keep({"other": {}}, frozenset())
    assert json.loads((tmp_path / "home_assistant.damaged").read_text())["version"] == 2


async def test_the_charge_that_is_written_often(tmp_path: Path) -> None:
    text = json.dumps({"version": 2, "utc_s": 1, "saves": 1, "charge": {}})
    (tmp_path / "charge.json").write_text(text)
    memory = ChargeMemory(Nobody(), FileStore(tmp_path / "charge.json"), LoopClock())
    with capture_logs() as logs:
        assert memory.load() is None
    assert "of version 2, this is 1" in logs[0]["why"]
    assert (tmp_path / "charge.damaged").read_text() == text


class Nobody:
    def charge_to_dict(self) -> dict[str, Any]:
        return {}
