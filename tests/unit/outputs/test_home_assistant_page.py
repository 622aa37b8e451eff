"""The page, the dashboard and the blueprints name what there is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from gridzero.outputs.home_assistant.controls import CATALOGUE, control_rows
from gridzero.outputs.home_assistant.happenings import event_row
from gridzero.outputs.home_assistant.main_rows import MAIN_ROWS, money_rows
from gridzero.outputs.home_assistant.rows import RHYTHMS, Row
from gridzero.outputs.home_assistant.unit_rows import converter_rows, module_rows
from gridzero.outputs.home_assistant.update import update_row

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "home-assistant.md"
FOLDER = ROOT / "docs" / "home-assistant"
DASHBOARD = FOLDER / "dashboard.yaml"
BLUEPRINTS = sorted((FOLDER / "blueprints").glob("*.yaml"))
MARK = "<!-- entities -->\n"
ENTITY = re.compile(
    r"\b(?:sensor|binary_sensor|number|select|switch|button|text|event|update)\.gridzero_[a-z0-9_]+"
)


def main_rows() -> list[Row]:
    return [
        *MAIN_ROWS,
        *money_rows("EUR"),
        *control_rows(CATALOGUE, "gridzero"),
        event_row(),
        update_row("settings.version", "gridzero", is_ready=True),
    ]


def entity_id(row: Row, device: str = "gridzero") -> str:
    """As Home Assistant makes it of the names of device and entity."""
    words = re.sub(r"[^a-z0-9]+", "_", f"{device} {row.name}".lower()).strip("_")
    return f"{row.platform}.{words}"


def table(title: str, rows: Iterable[Row], device: str) -> Iterator[str]:
    yield f"\n### {title}\n\n| entity | unit | told | kind |\n|---|---|---|---|\n"
    for row in rows:
        kind = row.category or ("" if row.is_enabled else "switched off")
        if row.category and not row.is_enabled:
            kind += ", switched off"
        short = entity_id(row, device).replace(f"{device.replace(' ', '_')}_", "")
        yield f"| `{short}` | {row.unit} | {told(row)} | {kind} |\n"


def told(row: Row) -> str:
    rhythm = RHYTHMS.get(row.pace)
    if rhythm is None or not row.has_state:
        return "when it happens" if row.platform == "event" else ""
    often = f"{rhythm.period_s:g} s"
    if rhythm.change is None:
        return often
    return f"{often}, ≥ {rhythm.change:g} W" if rhythm.change else "on change"


def tables() -> str:
    return "".join(
        [
            *table("The house", main_rows(), "gridzero"),
            *table("A module", module_rows("b3", 12), "gridzero module b3"),
            *table("A rectifier or inverter", converter_rows("chargers", "r"), "gridzero r"),
        ]
    )


def test_the_page_lists_every_entity() -> None:
    head, _, listed = PAGE.read_text().partition(MARK)
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        PAGE.write_text(head + MARK + tables())
        listed = tables()
    assert listed == tables()


def test_no_two_entities_of_a_device_get_the_same_id() -> None:
    for rows in (main_rows(), list(module_rows("b3", 12)), list(converter_rows("chargers", "r"))):
        ids = [entity_id(row) for row in rows]
        assert len(ids) == len(set(ids))
        assert len({row.key for row in rows}) == len(rows)


@pytest.mark.parametrize("file", [DASHBOARD, *BLUEPRINTS], ids=lambda file: file.name)
def test_what_is_named_exists(file: Path) -> None:
    known = {entity_id(row) for row in main_rows()}
    named = set(ENTITY.findall(file.read_text()))
    assert named - {each for each in named if "_module_" in each} <= known


class Loader(yaml.SafeLoader):
    """With Home Assistant's tag for what a blueprint is given."""


Loader.add_constructor("!input", lambda loader, node: loader.construct_scalar(node))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for below in value.values():
            yield from texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from texts(below)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("file", [DASHBOARD, *BLUEPRINTS], ids=lambda file: file.name)
def test_templates_can_be_read(file: Path) -> None:
    content = yaml.load(file.read_text(), Loader)
    templates = [text for text in texts(content) if "{{" in text or "{%" in text]
    for template in templates:
        jinja2.Environment(autoescape=True).parse(template)
    assert templates or "trigger" in file.read_text()


def test_module_entities_of_the_dashboard_exist() -> None:
    suffixes = set(re.findall(r"[mb] ~ '(_[a-z_]+)'", DASHBOARD.read_text()))
    known = {entity_id(row, "m").partition(".m")[2] for row in module_rows("b3", 12)}
    assert suffixes
    assert suffixes <= known
