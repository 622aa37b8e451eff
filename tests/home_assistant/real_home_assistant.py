"""A real Home Assistant without a screen: installed beside, seeded, started, asked over its API.

It gets an own environment below .cache/home-assistant and needs no network once installed. What
its assistants would ask a person is written into its storage before the first start: an owner
with a token, the end of onboarding, and the broker.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import hashlib
import hmac
import json
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / ".cache" / "home-assistant"
VERSIONS: Final = {"3.13": "2025.4.4", "3.11": "2024.3.3"}
"""The newest for each Python that is around: 2025.4 knows device discovery, 2024.3 does not."""

_ALSO: Final = (
    "mqtt",
    "history",
    "logbook",
    "energy",
    "recorder",
    "isal",
    "automation",
    "blueprint",
)
_OLD: Final = (
    "alexa",
    "assist_pipeline",
    "camera",
    "conversation",
    "ffmpeg",
    "google_assistant",
    "stream",
    "tts",
)
_PLATFORMS: Final = (
    "sensor",
    "binary_sensor",
    "number",
    "select",
    "switch",
    "button",
    "text",
    "event",
)
_LOOPBACK: Final = "127.0.0.1"
_START_LIMIT_S: Final = 120.0
_ONE_DAY_S: Final = 86400


def install(python: str) -> Path:
    """The environment for a Python such as python3.13; made once. Returns its folder."""
    version = VERSIONS[_version_of(python)]
    venv = CACHE / version
    done = venv / "installed"
    if not done.exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([python, "-m", "venv", venv], check=True)
        _pip(venv, f"homeassistant=={version}")
        package = package_of(venv)
        _pip(venv, "-c", str(package / "package_constraints.txt"), *sorted(_requirements(package)))
        done.touch()
    return venv


def package_of(venv: Path) -> Path:
    return next(venv.glob("lib/python*/site-packages/homeassistant"))


def _version_of(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run(
        [python, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def _pip(venv: Path, *arguments: str) -> None:
    command = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input"]
    subprocess.run([*command, *arguments], check=True)


def _requirements(package: Path) -> set[str]:
    """Of everything that is loaded: it may not fetch anything while it runs."""
    components = package / "components"
    is_old = (
        '"2024' in (package / "const.py").read_text()
        or "MAJOR_VERSION: Final = 2024" in (package / "const.py").read_text()
    )
    waiting = {*_always_loaded(package), *_ALSO, *(_OLD if is_old else ())}
    seen: set[str] = set()
    found = {"josepy<2"} if is_old else set()  # its acme needs it and does not say so
    while waiting:
        name = waiting.pop()
        file = components / name / "manifest.json"
        if name in seen or not file.exists():
            continue
        seen.add(name)
        manifest = json.loads(file.read_text())
        found.update(manifest.get("requirements", ()))
        waiting.update(manifest.get("dependencies", ()))
    for name in _PLATFORMS:
        found.update(
            json.loads((components / name / "manifest.json").read_text()).get("requirements", ())
        )
    return found


def _always_loaded(package: Path) -> Iterator[str]:
    for node in ast.parse((package / "bootstrap.py").read_text()).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            names = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            if any(isinstance(n, ast.Name) and n.id.endswith("INTEGRATIONS") for n in names):
                for part in ast.walk(node.value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


class HomeAssistant:
    """One of them. folder: its configuration, kept over restarts."""

    def __init__(self, venv: Path, folder: Path, broker_port: int, extra_yaml: str = "") -> None:
        self.folder, self._venv = folder, venv
        self.port = free_port()
        self.url = f"http://{_LOOPBACK}:{self.port}"
        self._log = folder / "out.log"
        self._popen: subprocess.Popen[bytes] | None = None
        self.token = self._seed(broker_port, extra_yaml)

    async def start(self) -> float:
        """Returns how long it took, s."""
        begun_s = time.monotonic()
        process = self._popen = self._process()
        async with asyncio.timeout(_START_LIMIT_S):
            while not await self._is_running():
                if process.poll() is not None:
                    raise SystemExit(f"Home Assistant has ended:\n{self._log.read_text()[-3000:]}")
                await asyncio.sleep(0.2)
        return time.monotonic() - begun_s

    def _process(self) -> subprocess.Popen[bytes]:
        command = [self._venv / "bin" / "python", "-m", "homeassistant", "-c", self.folder]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*command, "--skip-pip", "--log-no-color"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def stop(self) -> None:
        if self._popen is None or self._popen.poll() is not None:
            return
        self._popen.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self._popen.wait, 40)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    async def _is_running(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session:
                headers = {"Authorization": f"Bearer {self.token}"}
                async with session.get(f"{self.url}/api/config", headers=headers) as answer:
                    return answer.status == 200 and (await answer.json())["state"] == "RUNNING"
        except aiohttp.ClientError:
            return False

    @asynccontextmanager
    async def talk(self) -> AsyncIterator[Talk]:
        """A websocket that is let in."""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as socket_,
        ):
            await socket_.receive_json()
            await socket_.send_json({"type": "auth", "access_token": self.token})
            assert (await socket_.receive_json())["type"] == "auth_ok"
            yield Talk(socket_)

    def complaints(self, about: str = r"mqtt|gridzero|template") -> list[str]:
        """Log records at WARNING and above that have to do with us, with what follows each."""
        records: list[str] = []
        is_wanted = False
        for line in self._log.read_text(errors="replace").splitlines():
            head = re.match(r"[\d-]+ [\d:.]+ (\w+) ", line)
            if head:
                is_wanted = head[1] in {"WARNING", "ERROR", "CRITICAL"}
                if is_wanted:
                    records.append(line)
            elif is_wanted:
                records[-1] += f"\n{line}"
        return [record for record in records if re.search(about, record, re.IGNORECASE)]

    def _seed(self, broker_port: int, extra_yaml: str) -> str:
        user, token, key = secrets.token_hex(16), secrets.token_hex(16), secrets.token_hex(64)
        groups = {
            "system-admin": "Administrators",
            "system-users": "Users",
            "system-read-only": "Read Only",
        }
        self._store(
            "auth",
            {
                "users": [
                    {
                        "id": user,
                        "group_ids": ["system-admin"],
                        "is_owner": True,
                        "is_active": True,
                        "name": "owner",
                        "system_generated": False,
                        "local_only": False,
                    }
                ],
                "groups": [{"id": key_, "name": name} for key_, name in groups.items()],
                "credentials": [],
                "refresh_tokens": [_refresh_token(token, user, key)],
            },
        )
        done = ["user", "core_config", "analytics", "integration"]
        self._store("onboarding", {"done": done}, version=4)
        self._store("core.config_entries", {"entries": [_broker_entry(broker_port)]})
        (self.folder / "configuration.yaml").write_text(
            "homeassistant:\n  name: House\n  unit_system: metric\n  time_zone: UTC\n"
            "  latitude: 48\n  longitude: 11\n  currency: EUR\n"
            f"http:\n  server_host: {_LOOPBACK}\n  server_port: {self.port}\n"
            "api:\nwebsocket_api:\nconfig:\nfrontend:\nhistory:\nlogbook:\nrecorder:\n"
            "  commit_interval: 1\nlogger:\n  default: warning\n" + extra_yaml
        )
        return _signed(token, key)

    def _store(self, key: str, data: dict[str, Any], version: int = 1) -> None:
        file = self.folder / ".storage" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        values = {"version": version, "minor_version": 1, "key": key, "data": data}
        file.write_text(json.dumps(values))


def _refresh_token(token: str, user: str, key: str) -> dict[str, Any]:
    return {
        "id": token,
        "user_id": user,
        "client_id": None,
        "client_name": "check",
        "client_icon": None,
        "token_type": "long_lived_access_token",
        "created_at": "2024-01-01T00:00:00+00:00",
        "access_token_expiration": 315360000.0,
        "token": secrets.token_hex(64),
        "jwt_key": key,
        "last_used_at": None,
        "last_used_ip": None,
        "expire_at": None,
        "credential_id": None,
        "version": "1",
    }


def _broker_entry(port: int) -> dict[str, Any]:
    return {
        "entry_id": secrets.token_hex(16),
        "version": 1,
        "domain": "mqtt",
        "title": "broker",
        "data": {"broker": _LOOPBACK, "port": port, "discovery": True},
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "unique_id": None,
        "disabled_by": None,
    }


def _signed(token: str, key: str) -> str:
    """A JSON web token, HS256."""
    now = int(time.time())
    parts = ({"alg": "HS256", "typ": "JWT"}, {"iss": token, "iat": now, "exp": now + _ONE_DAY_S})
    head = b".".join(_base64(json.dumps(part).encode()) for part in parts)
    signature = hmac.new(key.encode(), head, hashlib.sha256).digest()
    return (head + b"." + _base64(signature)).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Talk:
    """Questions and answers over the websocket."""

    def __init__(self, socket_: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket_, 0

    async def ask(self, kind: str, **values: Any) -> Any:
        """Raises RuntimeError for what Home Assistant refuses."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "type": kind, **values})
        while (answer := await self._socket.receive_json()).get("id") != self._number:
            pass
        if not answer["success"]:
            raise RuntimeError(f"{kind}: {answer['error']}")
        return answer["result"]

    async def entities(self) -> dict[str, dict[str, Any]]:
        """Entity id -> registry entry, with ``state`` and ``attributes``, of MQTT only."""
        states = {row["entity_id"]: row for row in await self.ask("get_states")}
        return {
            row["entity_id"]: {**row, **states.get(row["entity_id"], {"state": None})}
            for row in await self.ask("config/entity_registry/list")
            if row["platform"] == "mqtt"
        }

    async def devices(self) -> dict[str, dict[str, Any]]:
        """Identifier -> registry entry, of MQTT only."""
        return {
            identifier[1]: row
            for row in await self.ask("config/device_registry/list")
            for identifier in row["identifiers"]
            if identifier[0] == "mqtt"
        }

    async def call(self, service: str, entity_id: str, **data: Any) -> None:
        domain, _, name = service.partition(".")
        await self.ask(
            "call_service",
            domain=domain,
            service=name,
            service_data=data,
            target={"entity_id": entity_id},
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])
