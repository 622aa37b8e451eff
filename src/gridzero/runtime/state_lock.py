"""One process for one house."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from gridzero.errors import HeldError

log = structlog.get_logger()


@contextmanager
def only_process(state_dir: Path) -> Iterator[None]:
    """Hold the state folder: two control loops would command the same battery against each other.

    The kernel lets go when the process ends, however that comes. A folder that cannot be locked
    (read-only, a share without locks) is told, and stops nothing.

    Raises HeldError when another process holds it.
    """
    path = state_dir / "lock"
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        log.warning("state.not_locked", file=str(path), error=str(error))
        yield
        return
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeldError(
                "another gridzero runs with this state folder",
                where=str(state_dir),
                remedy="End that one first (a second container or service?),"
                " or give each house its own site.state_dir",
            ) from None
        except OSError as error:
            log.warning("state.not_locked", file=str(path), error=str(error))
        yield
