"""docs/meters.md says what the profiles say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gridzero.config.loader import load_text
from gridzero.meter.matching import LINK, Known, as_yaml, known_meters, section_of
from gridzero.plugins import load_plugins

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "meters.md"
PLUGINS = load_plugins()
KNOWN = known_meters(PLUGINS)
LINKS: dict[str, dict[str, Any] | None] = {
    "mqtt_meter": None,
    "http_meter": {"type": "http", "url": "http://192.168.1.40"},
    "sma_meter": {"type": "udp", "port": 9522, "group": "239.12.255.254"},
}


def link_of(known: Known) -> dict[str, Any] | None:
    if known.profile.name == "powerfox":
        account = {"username": "me@example.org", "password": "!secret powerfox_password"}
        return {"type": "http", "url": "https://backend.powerfox.energy", **account}
    return LINKS[known.plugin.name]


def example(known: Known) -> str:
    link = link_of(known)
    given = {} if link is None else {"link": LINK}
    return as_yaml(section_of(known, known.profile.example_id or None, **given), link)


def interval(known: Known) -> str:
    seconds = known.profile.settings.get("expected_interval_s", 1)
    return f"{seconds:g} s"


def table() -> Iterator[str]:
    yield "| # | meter | profile | driver | interval | can hold the grid |\n"
    yield "|---|---|---|---|---|---|\n"
    for known in KNOWN:
        row = known.profile
        slow = row.settings.get("expected_interval_s", 1) >= 10
        fit = f"no: {row.unfit}" if row.unfit else "only if made faster" if slow else "yes"
        cells = (row.number, row.title, f"`{row.name}`", f"`{known.plugin.name}`", interval(known))
        yield f"| {' | '.join(map(str, cells))} | {fit} |\n"


def profiles() -> Iterator[str]:
    for known in KNOWN:
        row = known.profile
        yield f"### {row.name}: {row.title}\n\n```yaml\n{example(known)}```\n\n"
        if row.id_means:
            yield f"`id`: {row.id_means}.\n\n"
        if row.unfit:
            yield f"**Not for control:** {row.unfit}.\n\n"
        if row.traps:
            yield "".join(f"- {trap[0].upper()}{trap[1:]}.\n" for trap in row.traps) + "\n"


def made(text: str) -> str:
    for name, rows in (("table", table()), ("profiles", profiles())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}{''.join(rows)}{end}{after}"
    return text


def test_the_page_is_what_the_profiles_say() -> None:
    page = made(PAGE.read_text())
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.profile.name)
def test_each_example_is_a_meter_of_a_house(known: Known, tmp_path: Path) -> None:
    house = yaml.safe_load((ROOT / "configs" / "minimal.yaml").read_text())
    text = example(known).replace("!secret powerfox_password", "hidden")
    given = yaml.safe_load(text)
    house["devices"]["meter"] = given["devices"]["meter"]
    house["links"] |= given.get("links", {})
    loaded = load_text(yaml.safe_dump(house), tmp_path / "house.yaml", PLUGINS, environ={})
    warned = "\n".join(str(warning) for warning in loaded.warnings)
    slow = known.profile.settings.get("expected_interval_s", 1) >= 10
    assert ("too slow to follow" in warned) == slow
    assert ("cannot hold the grid" in warned) == bool(known.profile.unfit)
