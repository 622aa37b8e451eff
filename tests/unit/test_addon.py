"""The add-on's start, as Supervisor does it: an own process, files, and an answer on HTTP."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port

pytestmark = pytest.mark.real_time

ADDON = Path(__file__).parents[2] / "docker" / "home-assistant-addon"
START = """
import runpy, sys
from pathlib import Path
run = runpy.run_path(sys.argv[1])
of = run["main"].__globals__
of.update(OPTIONS=Path("options.json"), CONFIGS=Path("config").resolve(), STATE=Path("state"))
of.update(BROKER=sys.argv[2], _AGAIN_S=0.05)
run["main"]()
"""
GRIDZERO = f"""#!{sys.executable}
import json, os, sys
print(json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd(), "environ": dict(os.environ)}}))
"""


class Supervisor(BaseHTTPRequestHandler):
    """Answers one question."""

    status, body = 200, b""
    token = ""

    def do_GET(self) -> None:
        type(self).token = self.headers["Authorization"]
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def supervisor(port: int, status: int, body: bytes) -> Iterator[type[Supervisor]]:
    kind = type("One", (Supervisor,), {"status": status, "body": body})
    with HTTPServer(("127.0.0.1", port), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield kind
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """What Supervisor gives a container."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "house.yaml").write_text("site: {name: x}")
    (tmp_path / "options.json").write_text('{"config": "house.yaml", "dashboard_password": "dp"}')
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "gridzero"
    program.write_text(GRIDZERO)
    program.chmod(0o755)
    return tmp_path


def started(place: Path, port: int) -> subprocess.Popen[str]:
    path = f"{place / 'bin'}:{os.environ['PATH']}"
    return subprocess.Popen(
        [sys.executable, "-c", START, str(ADDON / "run.py"), f"http://127.0.0.1:{port}/mqtt"],
        cwd=place,
        env={**os.environ, "PATH": path, "SUPERVISOR_TOKEN": "very secret"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[dict[str, Any], str]:
    """What gridzero was started with, {} when it was not; and all that was said."""
    said, _ = process.communicate(timeout=60.0)
    assert "Traceback" not in said
    last = said.splitlines()[-1]
    return (json.loads(last) if last.startswith("{") else {}), said


ACCOUNT = {"host": "core-mosquitto", "port": 1883, "username": "addons", "password": "pw"}


def test_gridzero_gets_the_account_and_not_the_token_also_of_a_late_supervisor(place: Path) -> None:
    port = free_port()
    process = started(place, port)  # nobody is there yet
    with supervisor(port, 200, json.dumps({"result": "ok", "data": ACCOUNT}).encode()) as asked:
        told, _ = ended(process)
    assert asked.token == "Bearer very secret"
    assert told["arguments"] == ["run", str(place / "config" / "house.yaml")]
    assert told["folder"] == str(place / "state")
    assert told["environ"]["MQTT_HOST"] == "core-mosquitto"
    assert told["environ"]["DASHBOARD_PASSWORD"] == "dp"
    assert "very secret" not in told["environ"].values()


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, b'{"result": "error"}'), (200, b'{"data": null}'), (200, b"[]")],
    ids=["refused", "none", "strange"],
)
def test_without_a_broker_add_on_the_configuration_has_the_word(
    place: Path, status: int, body: bytes
) -> None:
    port = free_port()
    (place / "options.json").write_text("{half")
    with supervisor(port, status, body):
        told, said = ended(started(place, port))
    assert told["arguments"][0] == "run"
    assert not [name for name in told["environ"] if name.startswith("MQTT_")]
    assert "the defaults are taken" in said


def test_a_missing_configuration_is_one_sentence(place: Path) -> None:
    (place / "options.json").write_text('{"config": "other.yaml"}')
    told, said = ended(started(place, free_port()))
    assert not told
    assert said == "There is no other.yaml in the add-on's configuration folder, see DOCS\n"


@pytest.mark.parametrize(("name", "wide", "high"), [("icon.png", 128, 128), ("logo.png", 250, 100)])
def test_the_store_shows_a_picture_of_the_usual_size(name: str, wide: int, high: int) -> None:
    """Presentation of add-ons in Home Assistant's developer documentation."""
    head = (ADDON / name).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == (wide, high)
