"""A real Mosquitto of the test: started, killed, held still and started again on its port."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

import pytest
from certificates import Authority, Signed
from free_ports import free_port
from process_site import LOOPBACK, until

NEEDS_MOSQUITTO = [
    pytest.mark.real_time,
    pytest.mark.skipif(
        shutil.which("mosquitto") is None, reason="mosquitto is not installed (make mosquitto)"
    ),
]
PLAIN = ("allow_anonymous true",)


class Mosquitto:
    """One broker. Its folder holds its configuration, its log and what it stores."""

    def __init__(self, folder: Path, *lines: str, port: int | None = None) -> None:
        """lines: of mosquitto.conf, without listener; PLAIN when there are none."""
        self.folder = folder / "mosquitto"
        self.folder.mkdir(exist_ok=True)
        self.port = port or free_port()
        self._config = self.folder / "mosquitto.conf"
        self._log = self.folder / "log"
        self._process: asyncio.subprocess.Process | None = None
        own = (
            "user root",  # else it drops to its own user, and cannot read the test's folder
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_type all",
            f"listener {self.port} {LOOPBACK}",
        )
        self._config.write_text("\n".join((*own, *(lines or PLAIN), "")))

    @property
    def log(self) -> str:
        """What it has said, over all its lives."""
        return self._log.read_text(errors="replace")

    async def start(self) -> None:
        """Returns when it listens."""
        lives = self.log.count(" running") if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "mosquitto", "-c", str(self._config), stdout=log, stderr=log
            )
        await until(lambda: self.log.count(" running") > lives)

    async def end(self, number: Signals = SIGTERM) -> None:
        """Returns when it is gone."""
        if self._process is not None:
            self._process.send_signal(number)
            await self._process.wait()
            self._process = None

    def hold_still(self) -> None:
        """As a network that vanishes: connections stay open, and nothing comes."""
        assert self._process is not None
        self._process.send_signal(SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(SIGCONT)

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.end(SIGKILL)


@asynccontextmanager
async def mosquitto(folder: Path, *lines: str, port: int | None = None) -> AsyncIterator[Mosquitto]:
    broker = Mosquitto(folder, *lines, port=port)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.close()


def passwords(folder: Path, **users: str) -> tuple[str, ...]:
    """Lines that let these users in, and nobody else."""
    file = folder / "passwords"
    file.touch(mode=0o600)
    for user, password in users.items():
        subprocess.run(["mosquitto_passwd", "-b", str(file), user, password], check=True)
    return "allow_anonymous false", f"password_file {file}"


def access(folder: Path, *rules: str) -> tuple[str, ...]:
    """Lines with an access list."""
    file = folder / "acl"
    file.write_text("\n".join((*rules, "")))
    file.chmod(0o600)
    return (f"acl_file {file}",)


def tls(authority: Authority, server: Signed, *, asks_clients: bool = False) -> tuple[str, ...]:
    """Lines that encrypt. asks_clients: only who has a certificate of the authority comes in."""
    lines = (
        f"cafile {authority.file}",
        f"certfile {server.cert_file}",
        f"keyfile {server.key_file}",
    )
    return (*lines, "require_certificate true", "allow_anonymous true") if asks_clients else lines
