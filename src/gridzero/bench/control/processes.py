"""The same work in one process or in several, with the same results in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

_Task = TypeVar("_Task")
_Done = TypeVar("_Done")


def spread(work: Callable[[_Task], _Done], tasks: Sequence[_Task], jobs: int) -> Iterator[_Done]:
    """work(task) for each task, in their order. With jobs > 1 both must bear pickling.

    Processes are spawned, not forked: a fork would copy the locks of threads that readers of
    files may have started.
    """
    if jobs <= 1 or len(tasks) <= 1:
        yield from map(work, tasks)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(work, task) for task in tasks]
        try:
            for future in futures:
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
