"""docs/installation.md names every line of the commissioning and every fault."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gridzero.commission.steps import STEPS
from gridzero.domain.faults import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "installation.md"


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def commissioning() -> str:
    how = {(True, False): "you say it", (False, True): "moves power", (False, False): "looks"}
    rows = "".join(
        f"| {place} | `{step.key}` | {step.title} | {step.do} | {how[step.by_hand, step.moves]} |\n"
        for place, step in enumerate(STEPS, start=1)
    )
    return f"\n| | line | what | before | the command |\n|---|---|---|---|---|\n{rows}\n"


def faults() -> str:
    rows = "".join(
        f"| [`{row.code}`](faults.md#{anchor(f'{row.title} (`{row.code}`)')}) | {row.remedy} |"
        + (" waits for you |\n" if row.latches else " |\n")
        for row in FAULTS.values()
    )
    return f"\n| fault | what to do | |\n|---|---|---|\n{rows}\n"


def with_tables(text: str) -> str:
    for name, table in (("commissioning", commissioning()), ("faults", faults())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        assert rest, name
        text = before + begin + table + end + rest.partition(end)[2]
    return text


def test_the_page_has_every_line_of_the_list_and_every_fault() -> None:
    made = with_tables(PAGE.read_text())
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        PAGE.write_text(made)
    assert PAGE.read_text() == made
    assert all(row.remedy for row in FAULTS.values())
