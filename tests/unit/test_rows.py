"""What works side by side in the suite, and what must not."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("a row")
def test_tests_of_one_group_are_kept_in_one_row(request: pytest.FixtureRequest) -> None:
    """pytest 9.2 with xdist 3.8 forgets the groups without a word; who depends on them is noisy."""
    is_one_of_several = "PYTEST_XDIST_WORKER" in os.environ
    assert ("@a row" in request.node.nodeid) is is_one_of_several
