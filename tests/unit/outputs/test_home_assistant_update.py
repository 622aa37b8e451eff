"""The update entity: what runs, what could, and the restart between them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from home_site import PREFIX, Ear, demo, running

from gridzero import __version__
from gridzero.config.faces import HomeAssistantConfig
from gridzero.domain.releases import release_of
from gridzero.links.memory import MemoryBroker
from gridzero.outputs.feed import Feed
from gridzero.outputs.home_assistant.face import HomeAssistantFace
from gridzero.outputs.home_assistant.update import OnDisk, installed_on_disk
from gridzero.ports.clock import LoopClock

MAIN = f"{PREFIX}/device/gridzero/config"
NEWER = "99.1.0"
FEW = (1, 2, 3, 4, 6)


def face_of(broker: MemoryBroker, folder: Path, on_disk: OnDisk | None) -> HomeAssistantFace:
    feed = Feed(broker.attach(), LoopClock(), "gridzero")
    config = HomeAssistantConfig(release_topic="releases/gridzero")
    return HomeAssistantFace(feed, LoopClock(), config, state_dir=folder, on_disk=on_disk)


def entity(ear: Ear) -> dict[str, Any]:
    return dict(ear.announced()[MAIN]["components"]["update"])


def state(ear: Ear) -> dict[str, Any]:
    return dict(ear.values("main/settings")["update"])


async def test_what_runs_is_what_is_installed(tmp_path: Path) -> None:
    site = demo(without=FEW)
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path, lambda: "0.0.9")):
        await asyncio.sleep(10)
    assert state(ear) == {
        "installed_version": __version__,
        "latest_version": __version__,
        "in_progress": False,
    }
    assert entity(ear)["value_template"] == "{{ value_json['update'] | tojson }}"
    assert "command_topic" not in entity(ear)


async def test_a_newer_one_on_the_disk_begins_with_the_ordered_restart(tmp_path: Path) -> None:
    site = demo(without=FEW)
    ear, disk = Ear(site.links.broker), ["0.1.0"]
    asked: list[str] = []
    site.app.orders.can("restart", lambda value: asked.append(value) or "stops")
    async with running(site, face_of(site.links.broker, tmp_path, lambda: disk[0])):
        await asyncio.sleep(10)
        disk[0] = NEWER
        await asyncio.sleep(65)
        assert state(ear)["latest_version"] == NEWER
        install = entity(ear)
        assert asked == []
        ear.link.publish(install["command_topic"], install["payload_install"])
        await asyncio.sleep(3)
        assert asked
        assert state(ear)["in_progress"] is True
        await asyncio.sleep(65)
        assert state(ear)["in_progress"] is False


async def test_what_the_owner_tells_is_shown_but_cannot_be_ordered(tmp_path: Path) -> None:
    site = demo(without=FEW)
    ear = Ear(site.links.broker)
    ear.link.publish("releases/gridzero", f"v{NEWER}\n", retain=True)
    async with running(site, face_of(site.links.broker, tmp_path, None)):
        await asyncio.sleep(10)
        assert state(ear)["latest_version"] == NEWER
        assert "command_topic" not in entity(ear)
        assert "pip or Docker" in entity(ear)["release_summary"]
        for garbage in ("banana", "", "9" * 5000, "9.9\x00", "{}"):
            ear.link.publish("releases/gridzero", garbage)
            await asyncio.sleep(5)
            assert state(ear)["latest_version"] == __version__


async def test_a_refused_restart_is_no_progress(tmp_path: Path) -> None:
    site = demo(without=FEW)  # where nothing can restart it
    ear = Ear(site.links.broker)
    async with running(site, face_of(site.links.broker, tmp_path, lambda: NEWER)):
        await asyncio.sleep(10)
        ear.link.publish("gridzero/restart/set", "yes")
        await asyncio.sleep(5)
        assert state(ear)["in_progress"] is False


def test_the_disk_is_read_afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip does it: the old folder goes, another one comes."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for version in ("77.0.0", "77.0.1"):
        info = tmp_path / f"gridzero-{version}.dist-info"
        for old in tmp_path.glob("*.dist-info"):
            (old / "METADATA").unlink()
            old.rmdir()
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: gridzero\nVersion: {version}\n"
        )
        assert installed_on_disk() == version
    monkeypatch.setattr(sys, "path", [])
    assert installed_on_disk() is None


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("0.1.0", (0, 1, 0, 0)),
        ("1", (1, 0, 0, 0)),
        ("1.2rc1", (1, 2, 0, 0)),
        ("x", None),
        ("", None),
    ],
)
def test_releases_compare_by_their_numbers(text: str, release: tuple[int, ...] | None) -> None:
    assert release_of(text) == release
