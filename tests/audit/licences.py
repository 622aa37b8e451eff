"""Under which licences the installed packages come, against those that the project takes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution

from locks import normal

ALLOWED = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "EPL-2.0",
        "ISC",
        "LGPL-2.1-or-later",
        "LGPL-3.0-only",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
    ]
)
"""SPDX names. Copyleft only where it ends at the package itself: MPL by file, LGPL and EPL by module."""

_WORDS = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
ODD = {
    "docutils": "public domain, BSD and, for one Emacs file that is not installed, GPL",
    "asyncssh": "EPL-2.0 or GPL-2.0-or-later, as one likes",
}
"""Looked at by a person, and why they are taken."""
_LONGEST_NAME = 60


def licence_of(one: Distribution) -> str:
    """An SPDX expression, or the words that the package uses; "" when it says nothing."""
    meta = one.metadata
    if expression := meta.get("License-Expression"):
        return str(expression)
    text = str(meta.get("License") or "").strip()
    if text and len(text) <= _LONGEST_NAME and "\n" not in text:
        return _spdx(text)
    classified = [
        line.rsplit("::", 1)[-1].strip()
        for line in meta.get_all("Classifier") or ()
        if line.startswith("License ::")
    ]
    return " AND ".join(map(_spdx, classified))


def _spdx(words: str) -> str:
    return _WORDS.get(words.lower(), words)


def is_allowed(expression: str) -> bool:
    """AND needs both sides, OR one; anything that is not understood is not allowed."""
    flat = re.sub(r"\(([^()]*)\)", lambda inner: _answer(inner[1]), expression)
    return _answer(flat) == "MIT"


def _answer(flat: str) -> str:
    """A word that is allowed or one that is not, for an expression without brackets."""
    return (
        "MIT"
        if any(
            all(part.strip() in ALLOWED for part in side.split(" AND "))
            for side in flat.split(" OR ")
        )
        else "refused"
    )


def refused(installed: Iterable[Distribution]) -> Iterator[str]:
    """Packages whose licence is unknown or not on the list."""
    for one in installed:
        name, licence = normal(one.metadata["Name"]), licence_of(one)
        if name not in ODD and not is_allowed(licence):
            yield f"{name}: the licence {licence or '(none said)'} is not on the list"


def counted(installed: Iterable[Distribution]) -> Counter[str]:
    """How many packages come under which licence."""
    return Counter(licence_of(one) or "(none said)" for one in installed)
