"""What a state file holds, with what was changed since it was last replaced."""

from __future__ import annotations

import json
from pathlib import Path

from gridzero.runtime.quick_file import QuickFile


def quick_file(path: Path) -> Path:
    """Where the newest changes of a state file lie."""
    return path.with_suffix(".quick")


def remembered(path: Path, content: bytes | None) -> bytes | None:
    """As gridzero would find it. content: of the file itself, None where there is none."""
    newest = QuickFile(path).load(content or b"")
    return json.dumps(newest).encode() if newest else content
