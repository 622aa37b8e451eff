"""Every file of the state folder, cut off anywhere: a house is built, and rests where it must."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.app import App, build
from gridzero.config.loader import Loaded, load_text
from gridzero.demo.simulated import SimulatedSite
from gridzero.domain.modes import Mode
from gridzero.links.memory import MemoryLinks
from gridzero.plugins import load_plugins
from gridzero.runtime.stores import FileStore, MemoryStore, StoreDamaged
from gridzero.sim.loop import run_simulated

SMALL = Path(__file__).parents[2] / "harm" / "small.yaml"
NAMES = ("settings", "latched", "battery", "charge", "learned", "energy")


def _loaded(state_dir: str) -> Loaded:
    text = SMALL.read_text().replace("state/demo", state_dir)
    return load_text(text, SMALL, load_plugins())


@cache
def written() -> dict[str, bytes]:
    """What a house stores within a minute in which a person has changed something."""
    stores = {name: MemoryStore() for name in NAMES}

    async def live() -> None:
        site = SimulatedSite(
            _loaded("unused"),
            load_plugins(),
            settings=stores["settings"],
            latched=stores["latched"],
            memory=stores["battery"],
            charge=stores["charge"],
            learned=stores["learned"],
            energy=stores["energy"],
        )
        site.app.site.settings.change(mode="discharge", power_w=100.0)
        site.app.faults.set("cell_deep", "a3", "it was very empty", latches=True)
        await site.run(30.0)

    run_simulated(live())
    return {name: json.dumps(store.values).encode() for name, store in stores.items()}


def built(folder: Path) -> App:
    async def build_it() -> App:
        loaded = _loaded(str(folder))
        kinds = {name: link.type for name, link in loaded.config.links.items()}
        app = build(loaded, load_plugins(), MemoryLinks(kinds))
        await asyncio.sleep(0)
        return app

    return asyncio.run(build_it())  # files are written by threads, which simulated time lacks


@pytest.mark.parametrize("name", NAMES)
def test_cut_at_every_length_it_is_damaged_or_whole(name: str, tmp_path: Path) -> None:
    whole, path = written()[name], tmp_path / f"{name}.json"
    for length in {*range(min(len(whole), 400)), *range(0, len(whole), 37), len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(StoreDamaged, match="cannot be read"):
            FileStore(path).load()


@settings(max_examples=12)
@given(name=st.sampled_from(NAMES), part=st.floats(0.0, 0.999))
def test_a_house_with_half_a_file_is_built_and_rests_where_it_must(
    tmp_path_factory: pytest.TempPathFactory, name: str, part: float
) -> None:
    folder = tmp_path_factory.mktemp("state")
    for each, whole in written().items():
        cut = int(part * len(whole)) if each == name else len(whole)
        (folder / f"{each}.json").write_bytes(whole[:cut])
    app = built(folder)
    mode = app.site.settings.wanted.mode
    assert mode is (Mode.HOLD if name == "settings" else Mode.DISCHARGE)
    assert app.faults.stands("latches_lost") is (name == "latched")
    assert app.faults.stands("cell_deep") is (name != "latched")
    assert app.faults.stands("battery_memory_lost") is (name == "battery")
