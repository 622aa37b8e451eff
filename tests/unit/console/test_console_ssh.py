"""The console over SSH, with asyncssh's own client."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from console_client import LOOPBACK, PATIENCE_S, until_open
from console_house import House
from free_ports import free_port

from gridzero.config.faces import ConsoleConfig, ConsoleSshConfig
from gridzero.outputs.console.face import ConsoleFace
from gridzero.ports.clock import LoopClock

asyncssh = pytest.importorskip("asyncssh")

pytestmark = pytest.mark.real_time


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[House, int]]:
    clock = LoopClock()
    house, port = House(clock), free_port()
    ssh = ConsoleSshConfig(port=port, authorized_keys_file=str(folder / "authorized_keys"))
    config = ConsoleConfig(port=free_port(), ssh=ssh)
    face = ConsoleFace(config, house.feed, clock, site="Test", state_dir=folder / "state")
    house.say_all()
    task = asyncio.create_task(face.run())
    try:
        await until_open(port)
        yield house, port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def connected(port: int, key: asyncssh.SSHKey) -> AsyncIterator[asyncssh.SSHClientConnection]:
    connection = await asyncssh.connect(
        LOOPBACK, port, username="me", client_keys=[key], known_hosts=None, config=None
    )
    async with connection:
        yield connection


@pytest.fixture
def key(tmp_path: Path) -> asyncssh.SSHKey:
    made = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "authorized_keys").write_bytes(made.export_public_key())
    return made


async def test_a_key_opens_words_and_commands(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    async with served(tmp_path) as (house, port), connected(port, key) as ssh:
        async with asyncio.timeout(PATIENCE_S):
            done = await ssh.run("status", check=False)
            refused = await ssh.run("frobnicate", check=False)
        assert (done.exit_status, refused.exit_status) == (0, 1)
        assert "discharges 420 W" in str(done.stdout)
        process = await ssh.create_process(term_type="xterm", term_size=(80, 24))
        async with asyncio.timeout(PATIENCE_S):
            await process.stdout.readuntil("gridzero>")
            process.stdin.write("mode hold\r")
            await process.stdout.readuntil("mode is hold")
            process.stdin.write("quit\r")
            await process.wait_closed()
        assert house.asked == [("mode", "hold")]


async def test_strangers_stay_outside(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    async with served(tmp_path) as (house, port):
        assert key.get_fingerprint()
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect(
                LOOPBACK,
                port,
                username="me",
                password="guess",
                client_keys=[asyncssh.generate_private_key("ssh-ed25519")],
                known_hosts=None,
                config=None,
            )
        assert house.asked == []


async def test_the_host_key_is_made_once_and_is_private(
    tmp_path: Path, key: asyncssh.SSHKey
) -> None:
    fingerprints = []
    for _ in range(2):
        async with served(tmp_path) as (_house, port), connected(port, key) as ssh:
            fingerprints.append(ssh.get_server_host_key().get_fingerprint())
    assert fingerprints[0] == fingerprints[1]
    mode = (tmp_path / "state" / "console_host_key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
