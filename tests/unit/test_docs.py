"""docs/faults.md says what the code says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gridzero.domain.faults import FAULTS

ROOT = Path(__file__).parents[2]
FAULTS_PAGE = ROOT / "docs" / "faults.md"

HEAD = """# Faults

What can go wrong, how gridzero notices, what power becomes, how it ends, and what you should do.
This page is written from `src/gridzero/domain/faults.py`; a test keeps the two the same, and
another (`tests/scenarios/test_fault_table.py`) names the scenario of each row.

"Power" is what gridzero commands. If the process itself is gone (`kill -9`, power cut), the inverter
stops by its own time-out (sources say 3 to 10 s), a rectifier goes to its *stored* values after about
30 s, and modules end bleeding by their own timers. Only a normally open contactor that drops out with
the process protects against the rectifier: see docs/contactor.md.

A fault that latches stays after its cause is gone, and over restarts and power cuts, until a person
acknowledges it: its code, "code subject" or "all" to the topic `gridzero/acknowledge/set`. A fault
whose cause is still there is not acknowledged. While one that latches stands, no power flows.

"""


def page() -> str:
    rows = (
        f"## {row.title} (`{row.code}`)\n\n"
        f"| | |\n|---|---|\n"
        f"| severity | {row.severity.name.lower()} |\n"
        f"| noticed | {row.noticed} |\n"
        f"| power | {row.power} |\n"
        f"| ends | {row.clears} |\n"
        f"| latches | {'until acknowledged' if row.latches else 'no'} |\n"
        f"| what to do | {row.remedy} |\n\n"
        for row in FAULTS.values()
    )
    return (HEAD + "".join(rows)).rstrip("\n") + "\n"


def test_the_fault_page_is_what_the_code_says() -> None:
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        FAULTS_PAGE.write_text(page())
    assert FAULTS_PAGE.read_text() == page()


@pytest.mark.parametrize("row", FAULTS.values(), ids=list(FAULTS))
def test_every_fault_says_everything(row: object) -> None:
    for field in ("title", "noticed", "power", "clears", "remedy"):
        assert len(getattr(row, field)) > 5
