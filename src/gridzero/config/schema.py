"""The JSON Schema of the configuration file, and looking things up in one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from gridzero.config.models import Config
from gridzero.config.problems import Path
from gridzero.ports.plugin import DriverPlugin

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_UNIONS = ("anyOf", "oneOf", "allOf")


def schema(plugins: Mapping[str, DriverPlugin]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the whole file, with the options of all drivers."""
    whole = Config.model_json_schema()
    defs = whole.setdefault("$defs", {})
    for name, plugin in plugins.items():
        defs.update(_driver_definitions(name, plugin.options))
    refs = {name: f"#/$defs/{name}" for name in plugins}
    section: dict[str, Any] = {
        "oneOf": [{"$ref": ref} for ref in refs.values()],
        "discriminator": {"propertyName": "driver", "mapping": refs},
    }
    devices = whole["properties"]["devices"]
    devices["patternProperties"] = dict.fromkeys(devices["patternProperties"], section)
    devices["additionalProperties"] = False
    return {"$schema": DRAFT, **whole}


def _driver_definitions(name: str, options: type[BaseModel]) -> dict[str, Any]:
    """A driver's definitions, prefixed with its name so that drivers do not meet."""
    own = options.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    definitions = {f"{name}.{key}": value for key, value in own.pop("$defs", {}).items()}
    driver = {"const": name, "description": "selects this driver", "type": "string"}
    own["properties"] = {**own.get("properties", {}), "driver": driver}
    own["required"] = sorted({*own.get("required", ()), "driver"})
    return {name: own, **definitions}


class SchemaGuide:
    """Tells which settings a model knows at a path, for the data that a person wrote."""

    def __init__(self, model: type[BaseModel], data: Any) -> None:
        self._root = model.model_json_schema()
        self._data = data

    def known_keys(self, path: Path) -> list[str]:
        """Names of the settings in the section at path, in the model's order."""
        nodes = self._at(path)
        return list(dict.fromkeys(key for node in nodes for key in node.get("properties", ())))

    def description(self, path: Path) -> str:
        """What a setting means, "" when the model does not say."""
        if not path or not isinstance(path[-1], str):
            return ""
        for node in self._at(path[:-1]):
            found = node.get("properties", {}).get(path[-1], {}).get("description")
            if isinstance(found, str):
                return found
        return ""

    def _at(self, path: Path) -> list[dict[str, Any]]:
        data, nodes = self._data, list(self._members(self._root, self._data))
        for part in path:
            data = _child(data, part)
            below = [child for node in nodes for child in _children(node, part)]
            nodes = [member for node in below for member in self._members(node, data)]
        return nodes

    def _members(self, node: dict[str, Any], data: Any) -> Iterator[dict[str, Any]]:
        """The node itself, or what a reference or a union stands for, as far as data fits."""
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            yield from self._members(self._root["$defs"][name], data)
            return
        unions = [member for union in _UNIONS for member in node.get(union, ())]
        for member in unions:
            yield from self._members(member, data)
        if not unions and not _contradicts(node, data):
            yield node


def _children(node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(part, int):
        candidates = [node.get("items")]
    elif part in node.get("properties", {}):
        candidates = [node["properties"][part]]
    else:
        candidates = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    yield from (child for child in candidates if isinstance(child, dict))


def _child(data: Any, part: str | int) -> Any:
    try:
        return data[part]
    except (KeyError, IndexError, TypeError):
        return None


def _contradicts(node: dict[str, Any], data: Any) -> bool:
    """Whether a fixed value of the node, such as ``type: can``, is another one in data."""
    if not isinstance(data, dict):
        return False
    fixed = (
        (key, child["const"])
        for key, child in node.get("properties", {}).items()
        if "const" in child
    )
    return any(key in data and data[key] != const for key, const in fixed)


def schema_text(plugins: Mapping[str, DriverPlugin]) -> str:
    """The schema as people and editors read it."""
    return json.dumps(schema(plugins), indent=2)
