"""docs/faults.md says what the code says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import protection_pages
import pytest

from gridzero.battery.profile import PROFILES
from gridzero.domain.faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]
FAULTS_PAGE = ROOT / "docs" / "faults.md"
PROTECTION_PAGE = ROOT / "docs" / "protection.md"

HEAD = """# Faults

What can go wrong, how gridzero notices, what power becomes, how it ends, and what you should do.
This page is written from `src/gridzero/domain/faults.py` and, for the thresholds at its end, from
`src/gridzero/battery/`; a test keeps the two the same, and
another (`tests/scenarios/test_fault_table.py`) names the scenario of each row.

"Power" is what gridzero commands. If the process itself is gone (`kill -9`, power cut), the inverter
stops by its own time-out (sources say 3 to 10 s), a rectifier goes to its *stored* values after about
30 s, and modules end bleeding by their own timers. Only a normally open contactor that drops out with
the process protects against the rectifier: see docs/contactor.md.

Where a row says in how many seconds power is 0, that is when the last converter has been told: an
inverter follows at once, a rectifier within 3 s.

What a node says in the name of a module cannot be told from what the module says. Garbage that showed
a cell beyond its limits counts as such a cell: power stays at 0 for the dwell of those limits (the
table at the end; 60 s for `cell_deep`) and comes back by a twentieth of the ratings a second. That is
meant: had the cell really been there, it would need this rest.

A fault that latches stays after its cause is gone, and over restarts and power cuts, until a person
acknowledges it: its code, "code subject" or "all" to the topic `gridzero/acknowledge/set`. A fault
whose cause is still there is not acknowledged. While it stands, the directions that its row names
rest; a contactor of the whole battery, where there is one, is open.

"""


def page() -> str:
    rows = (
        f"## {row.title} (`{row.code}`)\n\n"
        f"| | |\n|---|---|\n"
        f"| severity | {row.severity.name.lower()} |\n"
        f"| noticed | {row.noticed} |\n"
        f"| power | {row.power} |\n"
        f"| ends | {row.clears} |\n"
        f"| latches | {latches(row)} |\n"
        f"| what to do | {row.remedy} |\n\n"
        for row in FAULTS.values()
    )
    return HEAD + "".join(rows) + protection_pages.thresholds()


def test_the_fault_page_is_what_the_code_says() -> None:
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        FAULTS_PAGE.write_text(page())
    assert FAULTS_PAGE.read_text() == page()


def latches(row: Fault) -> str:
    if row.latches:
        return "until acknowledged"
    levels = {rule.code: rule.trip for one in PROFILES.values() for rule in one.rules}
    trip = levels.get(row.code)
    return "its trip, until acknowledged" if trip and trip.latches else "no"


def protection_page(text: str) -> str:
    """The page with its tables as the code says; words between the tables stay."""
    tables = {
        "tapers": protection_pages.tapers(),
        "sources": protection_pages.sources(),
        "ranges": protection_pages.ranges(),
    }
    for name, rows in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}{rows}{end}{after}"
    return text


def test_the_tables_of_the_protection_page_are_what_the_code_says() -> None:
    made = protection_page(PROTECTION_PAGE.read_text())
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        PROTECTION_PAGE.write_text(made)
    assert PROTECTION_PAGE.read_text() == made


def test_each_of_the_49_is_answered_by_a_test_that_exists() -> None:
    rows = re.findall(r"^\| ([SCR]\d+) \|.*\| (.+?) \|$", PROTECTION_PAGE.read_text(), re.MULTILINE)
    assert [row[0] for row in rows] == [
        *(f"S{i}" for i in range(1, 22)),
        *(f"C{i}" for i in range(1, 18)),
        *(f"R{i}" for i in range(1, 12)),
    ]
    code = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for number, tests in rows:
        named = re.findall(r"`(test_\w+)`", tests)
        assert named or tests.startswith("by "), number
        for name in named:
            assert f"def {name}(" in code, f"{number}: {name}"


@pytest.mark.parametrize("row", FAULTS.values(), ids=list(FAULTS))
def test_every_fault_says_everything(row: object) -> None:
    for field in ("title", "noticed", "power", "clears", "remedy"):
        assert len(getattr(row, field)) > 5
