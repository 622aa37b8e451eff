"""Everything switched on, nothing said about addresses: who outside of the machine gets in."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from signal import SIGTERM

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from free_ports import free_port
from process_site import gridzero, site_config, until, write
from sockets_of import listening, processes_of

pytestmark = [pytest.mark.real_time, pytest.mark.slow]

FACES = ("broker", "console", "ssh", "dashboard", "metrics")


def everything(folder: Path, ports: dict[str, int]) -> str:
    """A house with every face; only the ports are not the defaults, the machine is shared."""
    site_config(folder, {"embedded": {"port": ports["broker"]}})
    values = yaml.safe_load((folder / "house.yaml").read_text())
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    (folder / "keys").write_bytes(key.public_bytes(*form))
    values |= {
        "console": {
            "port": ports["console"],
            "ssh": {"port": ports["ssh"], "authorized_keys_file": str(folder / "keys")},
        },
        "dashboard": {"port": ports["dashboard"]},
        "metrics": {"port": ports["metrics"]},
        "alerts": {"urls": ["json://127.0.0.1:1/"]},
        "home_assistant": {},
        "reference_topics": {"enabled": True},
        "history": {},
    }
    return write(folder, values)


async def test_all_faces_listen_and_nobody_outside_of_the_machine_reaches_one(
    tmp_path: Path,
) -> None:
    ports = {face: free_port() for face in FACES}
    config = everything(tmp_path, ports)
    async with gridzero(tmp_path, "run", config, beside=True) as site:

        def open_ports() -> set[int]:
            found = listening(processes_of(site.pid))
            return {one.port for one in found if one.kind == "tcp"}

        await until(lambda: set(ports.values()) <= open_ports())
        await asyncio.sleep(1.0)  # whoever else opens something, does it now
        found = listening(processes_of(site.pid))
        assert [one for one in found if not one.address.is_loopback] == []
        assert {one.port for one in found} == set(ports.values())
        assert len(processes_of(site.pid)) == 3, "control, companion and dashboard"
        assert await site.end(SIGTERM) == 0


def test_the_look_at_the_kernel_sees_what_is_open_to_everybody() -> None:
    """Else the test above could not fail."""
    for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        with (
            socket.socket(family, socket.SOCK_STREAM) as tcp,
            socket.socket(family, socket.SOCK_DGRAM) as udp,
        ):
            for each in (tcp, udp):
                each.bind((anywhere, 0))
            tcp.listen()
            open_to_all = [
                (one.kind, one.port)
                for one in listening([os.getpid()])
                if not one.address.is_loopback
            ]
            assert ("tcp", tcp.getsockname()[1]) in open_to_all
            assert ("udp", udp.getsockname()[1]) in open_to_all
