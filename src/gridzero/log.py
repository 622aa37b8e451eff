"""Structured logs: events are noun.past, facts are keys."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Literal, TextIO, cast

import structlog


class _Unbreakable:
    """A stream that may fail: a full disk or a closed terminal must not stop the control loop."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.isatty = stream.isatty

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def _harmless(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """What somebody sent must neither command the terminal nor look like a line of its own."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception" and not value.isprintable():
            event[key] = repr(value)
    return event


def configure(
    level: str = "info",
    style: Literal["console", "json"] = "console",
    stream: TextIO | None = None,
) -> None:
    """Send all logs to stream (standard error by default). Raises KeyError for unknown levels."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    target = cast("TextIO", _Unbreakable(stream or sys.stderr))
    structlog.configure(
        processors=_processors(style, colors=target.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(threshold, logging.WARNING), stream=target, force=True)


def change_level(level: str, style: Literal["console", "json"] | None = None) -> None:
    """Write from this level on, and in this style unless it stays. Raises KeyError for others."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(threshold))
    if style is not None:
        structlog.configure(processors=_processors(style, colors=sys.stderr.isatty()))


def _processors(
    style: Literal["console", "json"], *, colors: bool
) -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        *(() if style == "json" else (_harmless,)),  # JSON escapes by itself
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=colors),
    ]
