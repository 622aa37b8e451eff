"""Messages by the real Apprise to a real server on loopback; and nothing of an address shows."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from gridzero.cli import main
from gridzero.errors import ConfigError
from gridzero.log import configure
from gridzero.outputs.alerts import address
from gridzero.outputs.alerts.address import Address
from gridzero.outputs.alerts.book import Book, Sighting
from gridzero.outputs.alerts.channel import Channel, Manners
from gridzero.outputs.alerts.kept import Kept

SECRET = "Tr0ub4dor-and-3"
DEMO = Path(__file__).parents[4] / "configs" / "demo.yaml"

# Apprise looks for an old module of the standard library
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr'")


class Service(ThreadingHTTPServer):
    """A notification service. status: what it answers; None = it never does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status: int | None = 200
        self.heard: list[dict[str, Any]] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.server_port}/{SECRET}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.heard.append(json.loads(self.rfile.read(length)))
        if self.server.status is None:
            self.server.closing.wait(10.0)
            return
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def ready(url: str) -> Address:
    post = Address(1, SecretStr(url))
    post.prepare()
    return post


@pytest.mark.real_time
async def test_a_message_arrives(service: Service) -> None:
    assert await ready(service.url).send("House: a fault", "What to do: look") is True
    (heard,) = service.heard
    assert (heard["title"], heard["message"]) == ("House: a fault", "What to do: look")


@pytest.mark.real_time
@pytest.mark.parametrize("status", [500, 401])
async def test_a_service_that_refuses_is_no_delivery_and_shows_no_secret(
    service: Service, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    configure("debug")
    logging.getLogger().setLevel(logging.DEBUG)
    service.status = status
    assert await ready(service.url).send("a", "b") is False
    captured = capfd.readouterr()
    assert SECRET not in captured.out + captured.err


@pytest.mark.real_time
async def test_a_service_that_is_not_there_is_no_delivery() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"json://127.0.0.1:{probe.getsockname()[1]}"
        assert await ready(url).send("a", "b") is False


@pytest.mark.real_time
async def test_a_service_that_hangs_holds_up_nobody(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = ready(service.url)
    assert await post.send("a", "b"), "the library keeps a thread from its first message on"
    service.heard.clear()
    service.status = None
    monkeypatch.setattr(address, "SEND_LIMIT_S", 0.2)
    before = threading.active_count()
    assert [await post.send("a", "b") for _ in range(5)] == [False] * 5
    while not service.heard:  # a busy machine takes its time, and then some
        assert await post.send("a", "b") is False
    assert len(service.heard) == 1, "while one attempt hangs, no other is made"
    assert threading.active_count() <= before + 2
    service.closing.set()


def test_nothing_of_an_address_shows_in_names_and_errors() -> None:
    post = Address(2, SecretStr(f"mailto://me:{SECRET}@example.com"))
    assert post.name == "2 (mailto)"
    wrong = Address(3, SecretStr(f"nonsense-{SECRET}"))
    with pytest.raises(ConfigError) as caught:
        wrong.prepare()
    assert SECRET not in f"{caught.value} {post!r} {vars(post)!r} {wrong.name}"


def config(folder: Path, *urls: str, **options: str) -> str:
    values = yaml.safe_load(DEMO.read_text())
    values["alerts"] = {"urls": list(urls), **options}
    file = folder / "house.yaml"
    file.write_text(yaml.safe_dump(values))
    return str(file)


def test_the_command_tells_each_address(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts", "test", "--config", config(tmp_path, service.url)]) == 0
    assert "1 (json): arrived" in capsys.readouterr().out
    assert "a test" in service.heard[0]["title"]
    service.status = 500
    urls = (service.url, f"unknown://{SECRET}")
    assert main(["alerts", "test", "--config", config(tmp_path, *urls)]) == 1
    out, err = capsys.readouterr()
    assert "1 (json): did not arrive" in out
    assert "2 (unknown)" in out
    assert SECRET not in out + err


def test_the_command_needs_somebody_to_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts", "test", "--config", config(tmp_path)]) == 2
    assert "alerts.urls" in capsys.readouterr().err


def test_a_wrong_setting_is_refused_without_showing_the_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"json://user:{SECRET}@127.0.0.1"
    for options in ({"quiet_from": "25:00", "quiet_to": "07:00"}, {"quiet_from": "22:00"}):
        assert main(["check", config(tmp_path, url, **options)]) == 2
    captured = capsys.readouterr()
    assert "belong together" in captured.out + captured.err
    assert SECRET not in captured.out + captured.err


@pytest.mark.real_time
async def test_what_was_told_is_kept_in_a_file_without_addresses(tmp_path: Path) -> None:
    book, channel = Book(), Channel(Manners(group_s=0.0))
    book.stand(Sighting(key="fault a b", title="A", text="t"), 1000.0)
    channel.has_told(channel.due(book, 1000.0), 1000.0)
    kept = Kept(tmp_path / "state" / "alerts.json")
    assert kept.load() == {}
    await kept.save({"cases": book.to_dict(), "channels": {"1 (json)": channel.to_dict()}})
    values = kept.load()
    again, told = Book(), Channel(Manners(group_s=0.0))
    again.restore(values["cases"])
    told.restore(values["channels"]["1 (json)"])
    assert (again.cases, told.told, told.sent_s) == (book.cases, channel.told, [1000.0])
    assert told.due(again, 2000.0) == ()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"version": 99}', b"[" * 100_000]
)
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "alerts.json"
    file.write_bytes(content)
    assert Kept(file).load() == {}


@pytest.mark.real_time
async def test_a_full_disk_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").write_text("a file in the place of the folder")
    kept = Kept(tmp_path / "state" / "alerts.json")
    await asyncio.gather(*(kept.save({}) for _ in range(3)))
    assert capsys.readouterr().out.count("alerts.not_saved") == 1


@pytest.mark.parametrize(
    "cases",
    [{"a": 1}, {"a": {}}, {"a": {"title": "only"}}],
)
def test_strange_cases_are_refused(cases: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="case"):
        Book().restore(cases)


@pytest.mark.parametrize("row", [[], [1, 2, 3], [True, 1, "x"], [True, "1", 0.0]])
def test_strange_words_of_a_channel_are_refused(row: list[Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Channel(Manners()).restore({"told": {"a": row}, "sent_s": []})
