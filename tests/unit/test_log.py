"""Logs hold what strangers send; they must not become theirs."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import structlog

from gridzero import log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize(
    "word", ["\x1b[2J", "a\nb [error] fault.raised", "\r", "\x9b31m", "\ud800"]
)
def test_what_somebody_sent_commands_no_terminal_and_forges_no_line(word: str) -> None:
    stream = io.StringIO()
    log.configure("info", "console", stream)
    structlog.get_logger().info("asked", by=word)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
