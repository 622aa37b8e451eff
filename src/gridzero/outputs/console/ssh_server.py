"""SSH with keys, by asyncssh (the extra ``ssh``); the same sessions as over telnet."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import asyncssh
import structlog

from gridzero.outputs.console.connection import Connection, Open
from gridzero.outputs.console.marks import SCRIPT_TERMINAL
from gridzero.outputs.console.telnet import Window

log = structlog.get_logger()

_LOGIN_S = 30
_ALIVE_S = 30
_WINDOW_BYTES = 16 * 1024
_MOST_STRANGERS = 10


class SshWire(asyncssh.SSHServerSession[bytes]):
    """One shell over SSH; a Wire. A command (``ssh house status``) is run as by a script."""

    def __init__(self, address: str, open_: Open) -> None:
        self.address = address
        self._open = open_
        self._chan: asyncssh.SSHServerChannel[bytes] | None = None
        self._connection: Connection | None = None
        self._command: str | None = None
        self._is_over = False

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """The channel is there."""
        self._chan = chan

    def pty_requested(self, *_terminal: Any) -> bool:
        """A terminal is welcome."""
        return True

    def shell_requested(self) -> bool:
        """So is a shell."""
        return True

    def exec_requested(self, command: str) -> bool:
        """A word to run."""
        self._command = command
        return True

    def session_started(self) -> None:
        """Both sides are ready."""
        if self._chan is None:
            return
        self._connection = connection = self._open(self)
        connection.is_known = True  # by the key
        connection.begin()
        columns, rows, *_ = self._chan.get_terminal_size()
        connection.resize(Window(columns, rows))
        if self._command is not None:
            connection.is_a(SCRIPT_TERMINAL)
            connection.typed(self._command.encode() + b"\r")
        else:
            connection.is_a(self._chan.get_terminal_type() or None)

    def terminal_size_changed(self, width: int, height: int, _pw: int, _ph: int) -> None:
        """The window has another size."""
        if self._connection is not None:
            self._connection.resize(Window(width, height))

    def data_received(self, data: bytes, _datatype: Any) -> None:
        """Bytes of a person whose key is known."""
        if self._connection is not None:
            self._connection.typed(data)

    def eof_received(self) -> bool:
        """What is running may end: the way back stays open."""
        return self._command is not None

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is over."""
        self._is_over = True
        if self._connection is not None:
            self._connection.gone()

    def send(self, data: bytes) -> None:
        """Queue bytes; the marks between us and our own script client stay out."""
        if self._chan is None or self._is_over:
            return
        if self._command is not None:
            data = self._without_marks(data)
        if data:
            self._chan.write(data)

    def _without_marks(self, data: bytes) -> bytes:
        text, mark, code = data.replace(b"\x06", b"").partition(b"\x1e")
        if mark and self._chan is not None:
            self._chan.exit(int(code.strip() or b"1"))
        return text

    def waiting(self) -> int:
        """Bytes that have not left."""
        return self._chan.get_write_buffer_size() if self._chan is not None else 0

    def hang_up(self, *, at_once: bool) -> None:
        """End it."""
        if self._chan is None or self._is_over:
            return
        if at_once:
            self._chan.abort()
        else:
            self._chan.close()


class SshServer(asyncssh.SSHServer):
    """One SSH connection before it has a session: keys only."""

    def __init__(self, open_: Open, strangers: set[SshServer]) -> None:
        self._open, self._strangers = open_, strangers
        self._address = "unknown"

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Few may be on their way in at a time."""
        self._address = str((conn.get_extra_info("peername") or ("unknown",))[0])
        self._strangers.add(self)
        if len(self._strangers) > _MOST_STRANGERS:
            conn.abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is over."""
        self._strangers.discard(self)

    def auth_completed(self) -> None:
        """The key is one of ours."""
        self._strangers.discard(self)

    def session_requested(self) -> SshWire:
        """A session like over telnet."""
        return SshWire(self._address, self._open)


def host_key(file: Path) -> asyncssh.SSHKey:
    """The server's key, made at the first start; only its owner may read it."""
    if file.exists():
        return asyncssh.read_private_key(file)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="gridzero console")
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(key.export_private_key())
    log.info("console.host_key_made", file=str(file), fingerprint=key.get_fingerprint())
    return key


async def listen(
    host: str, port: int, host_key_file: Path, authorized_keys: Path, open_: Open
) -> asyncssh.SSHAcceptor:
    """Serve on that address. Raises OSError where it cannot be had."""
    strangers: set[SshServer] = set()
    return await asyncssh.listen(
        host,
        port,
        server_factory=lambda: SshServer(open_, strangers),
        server_host_keys=[await asyncio.to_thread(host_key, host_key_file)],
        authorized_client_keys=str(authorized_keys),
        public_key_auth=True,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_kex=False,
        gss_auth=False,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_scp=False,
        encoding=None,
        line_editor=False,
        login_timeout=_LOGIN_S,
        keepalive_interval=_ALIVE_S,
        window=_WINDOW_BYTES,
        backlog=20,
    )
