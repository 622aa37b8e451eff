"""`gridzero healthcheck`: well only while commands are being sent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gridzero.cli import main
from gridzero.commands.healthcheck import OLDEST_S
from gridzero.config.models import WatchdogConfig
from gridzero.errors import LinkError
from gridzero.links.alive_file import VARIABLE, AliveFile
from gridzero.runtime.watchdogs import FileFeeder
from gridzero.service import _feeders

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "alive"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_well_while_fed_and_says_what_is_done(file: Path, capsys: Capture) -> None:
    FileFeeder(AliveFile(file)).feed("holds the grid\nat 0 W")
    assert main(["healthcheck"]) == 0
    assert capsys.readouterr().out == "sending: holds the grid at 0 W\n"


def test_not_well_before_the_first_command(file: Path, capsys: Capture) -> None:
    assert not file.exists()
    assert main(["healthcheck"]) == 1
    assert capsys.readouterr().out == "gridzero has sent nothing yet\n"


def test_starving_is_told_with_its_reason(file: Path, capsys: Capture) -> None:
    feeder = FileFeeder(AliveFile(file))
    feeder.feed("at work")
    feeder.starve("nothing has left for inverter")
    assert main(["healthcheck"]) == 1
    assert capsys.readouterr().out == "stuck: nothing has left for inverter\n"


def test_stopping_and_the_end_are_not_well(file: Path, capsys: Capture) -> None:
    feeder = FileFeeder(AliveFile(file))
    feeder.stopping()
    assert main(["healthcheck"]) == 1
    feeder.end()
    assert main(["healthcheck"]) == 1
    assert capsys.readouterr().out == "stopping\nended\n"


@pytest.mark.parametrize("ahead_s", [-OLDEST_S - 5, 500.0], ids=["killed", "of another boot"])
def test_an_old_word_counts_for_nothing(file: Path, capsys: Capture, ahead_s: float) -> None:
    file.write_text(f"{time.monotonic() + ahead_s}\nsending\nat work\n")
    assert main(["healthcheck"]) == 1
    assert "gridzero stands still" in capsys.readouterr().out


@pytest.mark.parametrize("junk", [b"", b"sending\n", b"nan\nsending\n\n", b"\xff\0" * 900, b"1e3"])
def test_junk_is_not_well(file: Path, junk: bytes) -> None:
    file.write_bytes(junk)
    assert main(["healthcheck"]) == 1


def test_a_folder_that_is_not_there_is_a_lost_watchdog(tmp_path: Path) -> None:
    feeder = FileFeeder(AliveFile(tmp_path / "none" / "alive"))
    with pytest.raises(LinkError, match="cannot write"):
        feeder.feed("at work")
    feeder.starve("nobody hears it")
    feeder.end()


def test_the_file_is_written_only_where_the_environment_names_one(tmp_path: Path) -> None:
    name = str(tmp_path / "alive")
    assert list(_feeders(WatchdogConfig(), {})) == []
    assert [one.name for one in _feeders(WatchdogConfig(), {VARIABLE: name})] == [name]


def test_without_a_file_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert main(["healthcheck"]) == 2
    assert "ask with --config FILE" in capsys.readouterr().err


class Page(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Quiet."""


@contextmanager
def page(status: int) -> Iterator[str]:
    handler = type("Page", (Page,), {"status": status})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.real_time
@pytest.mark.parametrize(("status", "code"), [(200, 0), (401, 0), (303, 0), (500, 1)])
def test_a_page_is_well_when_it_answers_even_if_it_wants_a_password(status: int, code: int) -> None:
    with page(status) as where:
        assert main(["healthcheck", "--page", where]) == code


@pytest.mark.real_time
def test_no_page_is_not_well(capsys: Capture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["healthcheck", "--page", where]) == 1
    assert f"no page at {where}" in capsys.readouterr().out
    assert main(["healthcheck", "--page", "nonsense"]) == 2
