"""Tests with a real Mosquitto; what starts processes is shared with ``tests/process``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))
