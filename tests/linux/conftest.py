"""These tests want the kernel's own CAN; ``make test-socketcan`` runs them in a guest that has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from linux_kernel import MEASURED

HERE = Path(__file__).parent
WHY = "needs a guest with SocketCAN: make test-socketcan"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Elsewhere nothing is touched: as root, these tests would remove interfaces of a house."""
    if os.environ.get("GRIDZERO_GUEST") != "1":
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=WHY))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of docs/benchmarks.md."""
    for row in MEASURED:
        terminalreporter.write_line(row)
