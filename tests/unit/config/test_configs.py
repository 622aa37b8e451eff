"""The shipped configurations with the real drivers, and mutations of one of them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.config.loader import Loaded, load, load_text
from gridzero.config.problems import ConfigErrors
from gridzero.errors import ConfigError
from gridzero.plugins import find_plugins
from gridzero.ports.devices import Role

CONFIGS = Path(__file__).parents[3] / "configs"
FILES = sorted(CONFIGS.glob("*.yaml"))
PLUGINS = find_plugins().plugins
DEMO = (CONFIGS / "demo.yaml").read_text()


def loaded(name: str) -> Loaded:
    return load(CONFIGS / name, PLUGINS, environ={})


def roles(site: Loaded) -> list[Role]:
    return sorted(PLUGINS[d["driver"]].role for d in site.config.devices.values())


def modules(site: Loaded) -> dict[str, list[int]]:
    battery: Any = site.device_options["battery"]
    return {bus: list(options.modules) for bus, options in battery.buses.items()}


def test_there_is_one_for_the_demo_one_for_the_owner_and_a_small_one() -> None:
    assert {"demo.yaml", "minimal.yaml", "reference-house.yaml"} <= {f.name for f in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_each_loads_with_the_real_drivers(file: Path) -> None:
    assert load(file, PLUGINS, environ={}).device_options


@pytest.mark.parametrize("name", ["demo.yaml", "reference-house.yaml"])
def test_the_house_is_complete(name: str) -> None:
    site = loaded(name)
    assert roles(site) == sorted([Role.METER, Role.CELLS, Role.SHUNT, Role.CHARGER, Role.INVERTER])
    assert modules(site) == {"a": [3, 7, 8], "b": [1, 2, 3, 4, 6, 7]}
    assert site.warnings == ()
    assert site.config.control.target_topic == "meterbox/chargeTarget"


def test_an_inverter_that_leaves_a_part_of_the_battery_is_told() -> None:
    """Unless another one covers that part, or nobody wants it."""
    text = (CONFIGS / "minimal.yaml").read_text()
    (kind,) = (line for line in text.splitlines() if "system_v: 36" in line)

    def told(inverter: str, control: str = "") -> list[str]:
        site = load_text(text.replace(kind, inverter) + control, CONFIGS / "m.yaml", PLUGINS)
        return [w.what for w in site.warnings if w.where == "devices.inverter"]

    assert told(kind) == []
    (low,) = told("    system_v: 48")
    assert low == "it stops by itself at 43 V: about 30 % of the charge stays in the battery"
    assert told("    system_v: 48", "control: {min_soc_pct: 35}") == []
    assert told("    system_v: 36\n    stop_v: 38") == []
    (high,) = told("    system_v: 24")
    assert high == "it must not be used above 45 V, a full battery has 48.7 V"
    assert loaded("two-inverters.yaml").warnings == (), "the small one covers what the tall leaves"


def test_the_reference_house_keeps_charger_and_batteries_apart() -> None:
    links: Any = loaded("reference-house.yaml").config.links
    rates = {link.channel: link.bitrate for link in links.values() if link.type == "can"}
    assert rates == {"canbms1": 500_000, "canbms2": 500_000, "canpsu": 125_000}


def test_the_shunt_of_the_reference_house_is_100_a_at_75_mv() -> None:
    shunt: Any = loaded("reference-house.yaml").device_options["shunt"]
    assert (shunt.rated_a, shunt.rated_mv, shunt.gain_v, shunt.address) == (100, 75, 0.256, 0x48)


def test_the_demo_needs_no_hardware() -> None:
    links: Any = loaded("demo.yaml").config.links
    assert {link.interface for link in links.values() if link.type == "can"} == {"virtual"}
    assert links["inverter"].port == "pty"


def test_the_minimal_house_is_minimal() -> None:
    site = loaded("minimal.yaml")
    assert roles(site) == sorted([Role.METER, Role.CELLS, Role.INVERTER])
    assert sum(map(len, modules(site).values())) == 1


def outcome(text: str) -> Loaded | ConfigErrors:
    """What comes of a text; anything else that is raised fails the test."""
    try:
        return load_text(text, CONFIGS / "demo.yaml", PLUGINS, environ={})
    except ConfigErrors as errors:
        return errors


def survives(text: str) -> None:
    """Loading gives a whole configuration, or problems that say something, each once."""
    got = outcome(text)
    if isinstance(got, Loaded):
        assert got.device_options.keys() == got.config.devices.keys()
        return
    assert got.problems
    assert all(1 <= p.line <= len(text) + 1 and p.what and p.remedy for p in got.problems)
    assert len(set(got.problems)) == len(got.problems)


@given(st.text())
def test_any_text_is_loaded_or_refused(text: str) -> None:
    survives(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_loaded_or_refused(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(raw)
    with pytest.raises(ConfigError):
        load(file, PLUGINS, environ={})


@given(st.integers(), st.integers(1, 6))
def test_mutations_of_characters_are_loaded_or_refused(seed: int, edits: int) -> None:
    chance, text = random.Random(seed), DEMO
    for _ in range(edits):
        at, length = chance.randrange(len(text)), chance.randrange(4)
        new = "".join(chance.choices(" \n\t:-[]{}&*!#'\"0129abz.,é\u2028", k=chance.randrange(4)))
        text = text[:at] + new + text[at + length :]
    survives(text)


odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.lists(st.integers() | st.text(max_size=3), max_size=3)
    | st.dictionaries(st.text(max_size=5), st.integers(), max_size=2)
)


@given(st.data())
def test_any_value_at_any_place_is_loaded_or_refused(data: st.DataObject) -> None:
    lines = DEMO.splitlines()
    places = [i for i, line in enumerate(lines) if ":" in line and "#" not in line]
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.sampled_from(places))
        key = lines[at].partition(":")[0]
        value = data.draw(odd)
        text = f"{value!r}" if isinstance(value, str) else str(value).replace("'", '"')
        lines[at] = f"{key}: {text.replace('None', '~')}"
    survives("\n".join(lines))
