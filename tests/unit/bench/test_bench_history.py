"""The benchmark of the history runs to its end; what it measures is not judged here."""

from __future__ import annotations

import json
from math import isfinite

import pytest

from gridzero.cli import main


@pytest.mark.slow
@pytest.mark.real_time
def test_a_short_run_gives_every_figure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridzero.bench.history._WEEK_S", 3000)
    assert main(["bench", "history", "--hours", "0.1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {"kb_per_day", "writes", "written_mb", "read_week_ms", "as_rows_kb"} <= figures.keys()
    values = {key: figure["value"] for key, figure in figures.items()}
    assert {k: v for k, v in values.items() if not (isfinite(v) and v >= 0)} == {}
