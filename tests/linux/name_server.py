"""A name server that answers every name with the loopback, or nothing at all, as one without power."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linux_kernel import sh

HERE = "127.0.0.53"
_HEAD = 12
_ADDRESS = bytes((0, 1))
_GOOD_ANSWER = b"\x81\x80"  # RFC 1035, 4.1.1: a response, recursion desired and available, no error
_IS_LOOPBACK = b"\xc0\x0c" + bytes((0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1))


class NameServer:
    """answers: whether it does."""

    def __init__(self) -> None:
        self.answers = True
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HERE, 53))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            question, who = self._socket.recvfrom(512)
            if not question:
                return
            if self.answers:
                self._socket.sendto(answer(question), who)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", (HERE, 53))
        self._thread.join()
        self._socket.close()


def answer(question: bytes) -> bytes:
    """RFC 1035, 4.1: the question again, and for an IPv4 address one record."""
    asked = question[_HEAD : question.index(b"\0", _HEAD) + 5]
    found = _IS_LOOPBACK if asked[-4:-2] == _ADDRESS else b""
    counts = bytes((0, 1, 0, 1 if found else 0, 0, 0, 0, 0))
    return question[:2] + _GOOD_ANSWER + counts + asked + found


@contextmanager
def name_server(folder: Path) -> Iterator[NameServer]:
    """All programs of this guest ask it meanwhile."""
    file = folder / "resolv.conf"
    file.write_text(f"nameserver {HERE}\n")
    sh(f"mount --bind {file} /etc/resolv.conf")
    server = NameServer()
    try:
        yield server
    finally:
        server.close()
        sh("umount /etc/resolv.conf")
