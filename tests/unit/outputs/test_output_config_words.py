"""What people read where something else runs than what the file holds."""

from __future__ import annotations

from typing import Any

import pytest

from gridzero.outputs.config_words import config_words


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, ""),
        ({}, ""),
        ({"file_differs": None, "waits": []}, ""),
        ({"file_differs": True, "waits": []}, "the file has changed: reload takes it"),
        ({"file_differs": True, "waits": ["links.a", "site.name"]}, "links.a, site.name"),
        ({"file_differs": True, "waits": "junk"}, "the file has changed"),
        ({"file_differs": True, "waits": [], "rolled_back": "an older one runs"}, ""),
    ],
)
def test_it_says_what_waits_and_leaves_a_rollback_to_its_fault(
    told: dict[str, Any] | None, words: str
) -> None:
    assert words in config_words(told)
    assert bool(words) == bool(config_words(told))
