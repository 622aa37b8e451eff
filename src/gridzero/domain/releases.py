"""Which of two releases is the newer one."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")
_LONGEST = 40


def release_of(text: str) -> tuple[int, ...] | None:
    """The numbers of a version such as ``1.2.0``, to compare by; None for what is no version.

    What follows the numbers (``1.2.0rc1``) does not count.
    """
    found = _NUMBERS.match(text)
    if found is None or len(text) > _LONGEST or not text.isprintable():
        return None
    numbers = [int(part) for part in found[0].split(".")]
    return (*numbers, *(0 for _ in range(4 - len(numbers))))
