"""Tasks around libraries that use asyncio.wait_for.

Up to Python 3.11, wait_for swallows a cancellation that arrives together with its result. So
library code is awaited in tasks of its own, and cancelled until it has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

CANCEL_AGAIN_S = 0.1
CANCELS = 50


async def first_to_end(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run side by side until one ends; its exception is raised, and no task is left.

    Where several end in the same moment, as when a broker goes, one exception is enough.
    """
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancel_all(tasks)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()  # else asyncio prints a traceback of it


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks, again where that was not heard, until all have ended (5 s at most)."""
    for _ in range(CANCELS):
        left = [task for task in tasks if not task.done()]
        if not left:
            return
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=CANCEL_AGAIN_S)


async def apart(coroutine: Coroutine[Any, Any, Any], limit_s: float) -> None:
    """Await in a task of its own; when cancelled, first let it come to an end within limit_s."""
    task = asyncio.ensure_future(coroutine)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=limit_s)
        await cancel_all([task])
        if not task.cancelled():
            task.exception()  # nobody else is left to look at it
        raise
