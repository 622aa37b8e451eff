"""Reads who runs and who holds what: /proc (proc(5): cmdline, fd, locks)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gridzero.doctor.evidence import Process, Unseen
from gridzero.doctor.root import Root

_MOST_WORDS = 120
_HIDDEN = "programs cannot be seen: /proc is not there"


def pids_of(root: Root) -> tuple[int, ...] | Unseen:
    """Every process."""
    names = root.names("/proc")
    if not isinstance(names, tuple):
        return names or Unseen(_HIDDEN)
    return tuple(int(name) for name in names if name.isascii() and name.isdecimal())


def gridzeros_of(root: Root) -> tuple[Process, ...] | Unseen:
    """Every ``gridzero run``, whoever started it."""
    pids = pids_of(root)
    if isinstance(pids, Unseen):
        return pids
    return tuple(Process(pid, command_of(root, pid)) for pid in pids if _runs_a_house(root, pid))


def _runs_a_house(root: Root, pid: int) -> bool:
    """Not sudo, tini or a shell that has started it: these wait for it under their own name."""
    words = _words(root, pid)
    first = Path(words[0]).name if words else ""
    if not (_is_gridzero(first) or first.startswith("python")):
        return False
    program = next((i for i, word in enumerate(words[:4]) if _is_gridzero(word)), None)
    return program is not None and words[program + 1 : program + 2] == ["run"]


def _is_gridzero(word: str) -> bool:
    """``/usr/bin/gridzero``, or ``gridzero.cli`` after ``python -m``."""
    return Path(word).name in {"gridzero", "gridzero.cli"}


def _words(root: Root, pid: int) -> list[str]:
    text = root.text(f"/proc/{pid}/cmdline")
    return text.split("\0") if isinstance(text, str) else []


def command_of(root: Root, pid: int) -> str:
    """How a process was called, for people: one line, printable, cut off."""
    line = " ".join(_words(root, pid)).strip()
    return "".join(c if c.isprintable() else "?" for c in line)[:_MOST_WORDS] or "?"


def holders_of(root: Root, paths: Iterable[str]) -> tuple[Mapping[str, tuple[Process, ...]], bool]:
    """By device file the processes that have it open, and whether all could be asked.

    Only links are read: no device is opened.
    """
    held: dict[str, tuple[Process, ...]] = dict.fromkeys(paths, ())
    pids, saw_all = pids_of(root), True
    for pid in () if isinstance(pids, Unseen) else pids:
        opened = _opened(root, pid)
        saw_all &= opened is not None
        for path in held.keys() & (opened or set()):
            held[path] = (*held[path], Process(pid, command_of(root, pid)))
    return held, saw_all and not isinstance(pids, Unseen)


def _opened(root: Root, pid: int) -> set[str] | None:
    """What a process has open; None where that is not ours to see."""
    names = root.names(f"/proc/{pid}/fd")
    if isinstance(names, Unseen):
        return None
    return set(_targets(root, pid, names or ()))  # None: it has just ended


def _targets(root: Root, pid: int, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            yield str(root.at(f"/proc/{pid}/fd/{name}").readlink())
        except (OSError, ValueError):
            continue


def lock_holder_of(root: Root, lock: Path) -> int | Unseen | None:
    """Who holds a lock file, by /proc/locks: trying the lock itself could refuse a real start."""
    try:
        inode = lock.stat().st_ino
    except FileNotFoundError:
        return None
    except OSError as error:
        return Unseen(f"{lock} cannot be looked at: {error.strerror}")
    text = root.text("/proc/locks")
    if not isinstance(text, str):
        return text or Unseen("/proc/locks is not there")
    return next(_holders(text, inode), None)


def _holders(locks: str, inode: int) -> Iterator[int]:
    for line in locks.splitlines():
        words = line.split()
        if len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
            pid = words[4]
            yield int(pid) if pid.isascii() and pid.isdecimal() else 0
