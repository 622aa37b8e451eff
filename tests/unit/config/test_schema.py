"""The JSON Schema holds together and knows what the configurations use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from gridzero.battery.profile import OVERRIDES
from gridzero.config.problems import Notes
from gridzero.config.schema import DRAFT, schema, schema_text
from gridzero.config.yaml_lines import Tag, parse
from gridzero.plugins import find_plugins
from gridzero.ports.plugin import DriverPlugin

CONFIGS = Path(__file__).parents[3] / "configs"
WHOLE = schema(find_plugins().plugins)


def nodes(value: Any) -> Iterator[Any]:
    yield value
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in below:
        yield from nodes(child)


def follow(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = WHOLE["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node


def unknown(node: dict[str, Any], data: Any, path: str = "") -> list[str]:
    """Paths of data that the schema does not know; a small part of a validator."""
    node = follow(node)
    if "oneOf" in node or "anyOf" in node:
        members = node.get("oneOf") or node["anyOf"]
        return min((unknown(m, data, path) for m in members), key=len)
    if isinstance(data, list):
        return [u for item in data for u in unknown(node.get("items", {}), item, f"{path}[]")]
    if not isinstance(data, dict):
        wrong = "const" in node and node["const"] != data
        wrong |= "enum" in node and data not in node["enum"]
        wrong |= node.get("type") in {"object", "array"}
        return [path] if wrong else []
    missing = [f"{path}.{key} is missing" for key in node.get("required", ()) if key not in data]
    found = list(missing)
    for key, value in data.items():
        patterns = list(node.get("patternProperties", {}).values())
        known = node.get("properties", {}).get(key) or next(iter(patterns), None)
        known = known or node.get("additionalProperties")
        found += (
            unknown(known, value, f"{path}.{key}") if isinstance(known, dict) else [f"{path}.{key}"]
        )
    return found


def test_it_is_json_of_draft_2020_12() -> None:
    assert json.loads(schema_text(find_plugins().plugins)) == WHOLE
    assert WHOLE["$schema"] == DRAFT
    assert WHOLE["required"] == ["site", "devices"]


def test_every_reference_leads_somewhere() -> None:
    refs = [node["$ref"] for node in nodes(WHOLE) if isinstance(node, dict) and "$ref" in node]
    assert len(refs) > 10
    assert all(ref.removeprefix("#/$defs/") in WHOLE["$defs"] for ref in refs)


def test_every_driver_is_one_choice_and_fixed_by_its_name() -> None:
    (section,) = WHOLE["properties"]["devices"]["patternProperties"].values()
    choices = {follow(choice)["properties"]["driver"]["const"] for choice in section["oneOf"]}
    assert choices == find_plugins().plugins.keys()
    assert all("driver" in follow(choice)["required"] for choice in section["oneOf"])


def test_drivers_do_not_meet_in_the_definitions(fakes: Mapping[str, DriverPlugin]) -> None:
    defs = schema(fakes)["$defs"]
    assert {"cells", "cells.Bus", "cells.Module", "inverter", "charger"} <= defs.keys()


def test_every_own_setting_is_described() -> None:
    own = {name: d for name, d in WHOLE["$defs"].items() if name.endswith("Config")}
    assert len(own) >= 9
    bare = [
        f"{n}.{k}"
        for n, d in own.items()
        for k, p in d["properties"].items()
        if "description" not in p
    ]
    assert bare == []
    assert all("description" in p for p in WHOLE["properties"].values())


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda f: f.name)
def test_the_configurations_fit(file: Path) -> None:
    assert unknown(WHOLE, parse(file.read_text(), Notes(str(file))).value) == []


def test_what_does_not_fit_is_refused() -> None:
    wrong = {"site": {"nam": 1}, "links": {"a": {"type": "usb"}}, "devices": {"d": {"driver": "x"}}}
    told = " ".join(unknown(WHOLE, wrong))
    assert ".site.name is missing" in told
    assert ".links.a" in told
    assert ".devices.d" in told


DOCS = (CONFIGS.parent / "docs" / "configuration.md").read_text()


def test_the_documentation_names_every_setting() -> None:
    own = {name: d for name, d in WHOLE["$defs"].items() if name.endswith("Config")}
    settings = {key for definition in own.values() for key in definition["properties"]} | set(
        OVERRIDES
    )
    missing = {
        key
        for key in settings
        if f"{key}`" not in DOCS and f"`{key}" not in DOCS and f"{key}:" not in DOCS
    }
    assert missing == set()


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL))
def test_the_examples_in_the_documentation_are_yaml(block: str) -> None:
    notes = Notes("docs/configuration.md")
    given: dict[str, Tag] = {"!secret": lambda name, *_: name}
    parse(dedent(block), notes, given)
    assert notes.problems == []
