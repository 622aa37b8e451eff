from __future__ import annotations

from pathlib import Path

import pytest

from gridzero.app import check_cells
from gridzero.config.loader import load_text
from gridzero.config.problems import ConfigErrors
from gridzero.errors import ConfigError
from gridzero.links.memory import MemoryLinks
from gridzero.plugins import load_plugins
from gridzero.ports.clock import LoopClock
from gridzero.ports.plugin import DriverContext

DEMO = (Path(__file__).parents[3] / "configs" / "demo.yaml").read_text()


def problems(text: str) -> str:
    with pytest.raises(ConfigErrors) as told:
        load_text(text, Path("house.yaml"), load_plugins())
    return str(told.value)


def test_two_rectifiers_cannot_have_one_address() -> None:
    second = "  second:\n    driver: vertiv_r48\n    link: charger\n  inverter:\n"
    text = DEMO.replace("  inverter:\n    driver", second + "    driver")
    assert "rectifier 0 is used by 'rectifier' already" in problems(text)
    other = text.replace(
        "    link: charger\n  inverter", "    link: charger\n    module: 1\n  inverter"
    )
    assert load_text(other, Path("house.yaml"), load_plugins()).config.devices["second"]


def test_a_rectifier_does_not_belong_on_the_modules_bus() -> None:
    text = DEMO.replace("    link: charger\n    model", "    link: battery_a\n    model")
    assert "link 'battery_a' is used by 'battery' already" in problems(text)


async def test_modules_of_another_cell_count_than_the_profile_are_refused() -> None:

    plugins = load_plugins()
    text = DEMO.replace(
        "    driver: vw_gte\n", "    driver: vw_gte\n    series_cells: 10\n    variant: standard\n"
    )
    loaded = load_text(text, Path("house.yaml"), plugins)
    context = DriverContext("battery", LoopClock(), MemoryLinks(), lambda *_a, **_k: None)
    cells = plugins["vw_gte"].build(loaded.device_options["battery"], context)
    with pytest.raises(ConfigError, match="10 cells in series"):
        check_cells(loaded.config, [cells])
