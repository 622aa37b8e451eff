"""A thread that ends the process when the event loop itself stands still.

The devices' own time-outs and the restart (which begins by switching the rectifier off) are then
the way to zero power; a process that hangs for ever would let the rectifier run on.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import Callable

from gridzero.runtime.exit_codes import ExitCode

_BEAT_S = 1.0


def _end_process() -> None:
    sys.stderr.write("gridzero: the event loop stands still; where each thread is:\n")
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    os._exit(ExitCode.HUNG)


class LoopWatch:
    """Beats from the loop, looked at by a daemon thread.

    hung_s: after so long without a beat, on_hung is called once, in the thread.
    """

    def __init__(self, hung_s: float = 8.0, on_hung: Callable[[], None] = _end_process) -> None:
        self._hung_s = hung_s
        self._on_hung = on_hung
        self._beaten = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="loop_watch", daemon=True)

    async def run(self) -> None:
        """Beat until cancelled."""
        self._thread.start()
        try:
            while True:
                self._beaten.set()
                await asyncio.sleep(_BEAT_S)
        finally:
            self._ended.set()
            self._beaten.set()

    def _look(self) -> None:
        while not self._ended.is_set():
            if not self._beaten.wait(self._hung_s):
                self._on_hung()
                return
            self._beaten.clear()
            self._ended.wait(_BEAT_S)
