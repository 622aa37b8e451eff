"""docs/settings.md says what the catalogue says."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from gridzero.domain.modes import NO_CAP_W, Wanted
from gridzero.domain.settings import ACTIONS, SETTINGS, Kind, Setting

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def takes(row: Setting) -> str:
    match row.kind:
        case Kind.NUMBER:
            high = "the sum of the converters" if _is_cap(row) else f"{row.high:g}"
            return f"{row.low:g} to {high} {row.unit}"
        case Kind.CHOICE:
            return ", ".join(f"`{option}`" for option in row.options)
        case Kind.SWITCH:
            return "`on`, `off`"
        case Kind.TEXT:
            return f"up to {row.high:g} characters"
        case Kind.MOMENT:
            return "a moment, or nothing"


def default(row: Setting) -> str:
    value = getattr(Wanted(), row.key)
    if isinstance(value, bool):
        return "on" if value else "off"
    if _is_cap(row):
        return "the same"
    return f"{value:g}" if isinstance(value, float) else f"`{value}`" if value else "none"


def _is_cap(row: Setting) -> bool:
    return bool(getattr(Wanted(), row.key) == NO_CAP_W)


def tables() -> dict[str, str]:
    settings = [
        f"| `{row.key}` | {row.text} | {takes(row)} | {default(row)} |\n" for row in SETTINGS
    ]
    actions = [f"| `{row.key}` | {row.text} | {row.argument or 'anything'} |\n" for row in ACTIONS]
    return {
        "settings": "\n| Key | What it does | Takes | Default |\n|---|---|---|---|\n"
        + "".join(settings)
        + "\n",
        "actions": "\n| Key | What it does | Takes |\n|---|---|---|\n" + "".join(actions) + "\n",
    }


def test_the_page_lists_every_setting_and_action() -> None:
    text = made = PAGE.read_text()
    for name, rows in tables().items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = made.partition(begin)
        made = f"{before}{begin}{rows}{end}{rest.partition(end)[2]}"
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        PAGE.write_text(made)
        text = made
    assert text == made


def test_every_row_is_a_wish_and_every_wish_a_row() -> None:
    hidden = {"shunt_flipped"}  # the action flip_shunt looks first
    wishes = {field.name for field in fields(Wanted)} - hidden
    assert {row.key for row in SETTINGS} == wishes | {"automatic"}


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.key)
def test_each_default_is_one_that_would_be_taken(row: Setting) -> None:
    value = getattr(Wanted(), row.key)
    if row.kind is Kind.NUMBER:
        assert row.low is not None
        assert row.high is not None
        assert row.step
        assert row.low <= value <= row.high
    elif row.kind is Kind.CHOICE:
        assert value in row.options
    else:
        assert isinstance(value, bool if row.kind is Kind.SWITCH else str)
