"""Tasks that never go on, as after a lost wake-up or a dead lock in a library.

A task waits for a future; taking its wake-up out of that future's callbacks leaves it waiting for
ever, and deaf to cancelling. Only CPython's futures are handled, which is what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple


class Hung(NamedTuple):
    """What is needed to let a task go on."""

    task: asyncio.Task[Any]
    future: Any
    wake_ups: tuple[tuple[Any, Any], ...]


def hang_tasks(names: Iterable[str]) -> list[Hung]:
    """Hang all tasks of these names, and those that they wait for in a group (``name.*``)."""
    wanted = tuple(names)
    return [
        _hang(task)
        for task in asyncio.all_tasks()
        if task.get_name() in wanted or task.get_name().startswith(tuple(f"{n}." for n in wanted))
    ]


def _hang(task: asyncio.Task[Any]) -> Hung:
    future = getattr(task, "_fut_waiter", None)
    callbacks = tuple(getattr(future, "_callbacks", None) or ())
    for callback, _ in callbacks:
        future.remove_done_callback(callback)
    return Hung(task, future, callbacks)


def release_tasks(hung: Iterable[Hung]) -> None:
    """Let them go on where they stood."""
    for _, future, wake_ups in hung:
        for callback, context in wake_ups:
            future.add_done_callback(callback, context=context)
