"""``gridzero meter`` against a real broker, a real web server and real datagrams."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port

from gridzero.cli import main
from gridzero.links.embedded_broker import EmbeddedBroker
from gridzero.links.mqtt_client import RealMqtt
from gridzero_drivers.sma_meter.codec import Datagram, encode

pytestmark = pytest.mark.real_time

ROOT = Path(__file__).parents[3]
LOOPBACK = "127.0.0.1"
NOBODY = 9  # the discard service, which nobody runs


def untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    return None


async def command(*arguments: str) -> int:
    """The command as a person calls it, beside this loop."""
    return await asyncio.to_thread(main, ["meter", *arguments])


async def again_and_again(each: Callable[[int], None]) -> None:
    for number in range(10_000):
        each(number)
        await asyncio.sleep(0.05)


@asynccontextmanager
async def meanwhile(*coroutines: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def broker(publish: Callable[[RealMqtt, int], None]) -> AsyncIterator[str]:
    """A broker on which something is published each 50 ms; its HOST:PORT."""
    port = free_port()
    served = EmbeddedBroker(port=port, report=untold)
    await served.start()
    link = RealMqtt(host=LOOPBACK, port=port, report=untold)
    try:
        async with meanwhile(link.run(), again_and_again(lambda n: publish(link, n))):
            yield f"{LOOPBACK}:{port}"
    finally:
        await served.stop()


def shelly(link: RealMqtt, number: int) -> None:
    power_w = (40 * (number % 20) + 40) * (-1) ** number
    em = {"id": 0, "a_act_power": 91.5, "total_act_power": power_w, "total_current": 3.1}
    params = {"ts": 1770102920 + number / 20, "em:0": em}
    payload = json.dumps({"method": "NotifyStatus", "params": params})
    link.publish("shellypro3em-1/events/rpc", payload)
    link.publish("shellypro3em-1/status/wifi", '{"rssi": -61}')
    link.publish("other/noise", b"\xff\xfe")


Out = pytest.CaptureFixture[str]


async def test_a_live_broker_is_looked_at_and_the_yaml_to_paste_is_shown(capsys: Out) -> None:
    async with broker(shelly) as where:
        assert await command("test", "--mqtt", where, "--seconds", "0.6") == 0
    said = capsys.readouterr().out
    assert "shellypro3em-1/events/rpc  each 0." in said
    assert "(both signs)  <- looks like the grid power" in said
    assert "profile: shelly_pro_3em\n    id: shellypro3em-1" in said
    assert "no text: '\\ufffd" in said


async def test_a_topic_narrows_it_and_programs_get_json(capsys: Out) -> None:
    async with broker(shelly) as where:
        arguments = ("--mqtt", where, "--topic", "shellypro3em-1", "--seconds", "0.6", "--json")
        assert await command("test", *arguments) == 0
    data = json.loads(capsys.readouterr().out)
    assert {each["topic"].partition("/")[0] for each in data["topics"]} == {"shellypro3em-1"}
    assert data["profiles"][0]["section"]["profile"] == "shelly_pro_3em"


async def test_one_profile_is_checked_with_its_readings(capsys: Out) -> None:
    async with broker(shelly) as where:
        profile = ("--profile", "shelly_pro_3em", "--id", "shellypro3em-1")
        assert await command("test", "--mqtt", where, *profile, "--seconds", "0.6") == 0
    said = capsys.readouterr().out
    assert " W  export" in said
    assert "s old" in said
    assert "readings in 0.6 s" in said
    assert "id: shellypro3em-1" in said


async def test_a_profile_that_hears_nothing_says_what_to_do(capsys: Out) -> None:
    async with broker(shelly) as where:
        profile = ("--profile", "shelly_pro_3em", "--id", "another")
        assert await command("test", "--mqtt", where, *profile, "--seconds", "0.3") == 2
    assert "Leave --profile out to see what is really said" in capsys.readouterr().err


async def test_a_broker_that_is_not_there_is_said(capsys: Out) -> None:
    assert await command("test", "--mqtt", f"{LOOPBACK}:{NOBODY}", "--seconds", "0.1") == 2
    assert "Give it with --mqtt HOST:PORT" in capsys.readouterr().err


async def test_a_quiet_topic_is_said(capsys: Out) -> None:
    async with broker(shelly) as where:
        assert await command("test", "--mqtt", where, "--topic", "q", "--seconds", "0.2") == 2
    assert "no message in 0.2 s" in capsys.readouterr().err


async def test_the_meter_of_a_configuration_is_checked(capsys: Out, tmp_path: Path) -> None:
    def grid(link: RealMqtt, number: int) -> None:
        link.publish("meterbox/grid", str(number))

    async with broker(grid) as where:
        config = str(ROOT / "configs" / "minimal.yaml")
        arguments = ("--config", config, "--mqtt", where, "--seconds", "0.4", "--json")
        assert await command("test", *arguments) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["readings"]) >= 2
    assert data["readings"][0]["age_s"] == pytest.approx(0.3, abs=0.01)


@asynccontextmanager
async def web(answers: dict[str, bytes]) -> AsyncIterator[str]:
    """A web server; its url."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.read(4096)).decode() or "GET nothing"
        body = answers.get(head.split()[1])
        status = "200 OK" if body is not None else "404 Not Found"
        text = (
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body or b'')}\r\nConnection: close\r\n\r\n"
        )
        writer.write(text.encode() + (body or b""))
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    try:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_web_server_is_asked_what_every_profile_would_ask(capsys: Out) -> None:
    async with web({"/api/v1/data": b'{"active_power_w": -321}'}) as url:
        assert await command("test", "--url", url) == 0
    said = capsys.readouterr().out
    assert "/api/v1/data: active_power_w=-321" in said
    assert "/status: it answered 404" in said
    assert "homewizard_p1: -321 W" in said
    assert f"url: {url}" in said
    assert "profile: homewizard_p1\n    link: meter" in said


async def test_one_profile_is_asked_at_a_web_server(capsys: Out) -> None:
    async with web({"/own/path?x=1": b'{"active_power_w": 5}'}) as url:
        arguments = ("--url", f"{url}/own/path?x=1", "--profile", "homewizard_p1")
        assert await command("test", *arguments, "--seconds", "0.3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["readings"][0]["grid_w"] == 5


async def test_a_web_server_that_says_nothing_useful_is_said(capsys: Out) -> None:
    async with web({"/": b"<html>"}) as url:
        assert await command("test", "--url", url) == 2
        assert "Name what to ask for in the url" in capsys.readouterr().err
        arguments = ("--url", url, "--profile", "homewizard_p1", "--seconds", "0.2")
        assert await command("test", *arguments) == 2
    assert "no reading" in capsys.readouterr().err


async def test_an_sma_meter_is_heard_by_its_datagrams(capsys: Out) -> None:
    port = free_port(socket.SOCK_DGRAM)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(number: int) -> None:
        data = encode(Datagram(349, 1901234567, 50 * number, 0.0, 640.5))
        sender.sendto(data, (LOOPBACK, port))

    async with meanwhile(again_and_again(send)):
        arguments = ("--profile", "sma_meter", "--udp", f"{LOOPBACK}:{port}", "--seconds", "0.4")
        assert await command("test", *arguments) == 0
    sender.close()
    assert "-640 W  export" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--profile", "shelly_pro_3m"), "Did you mean shelly_pro_3em?"),
        (("--profile", "shelly_pro_3em"), "needs id: the Shelly's MQTT prefix"),
        (("--profile", "homewizard_p1"), "Write --url http://..."),
        (("--url", "192.168.1.5"), "no address of a web server"),
        (("--url", "http://a", "--user", "me"), "--password-file FILE"),
        (("--profile", "sma_meter", "--udp", "here"), "ADDRESS:PORT"),
        (("--mqtt", "nowhere"), "Write host:port"),
    ],
)
async def test_what_was_written_wrong_is_said(
    arguments: tuple[str, ...], says: str, capsys: Out
) -> None:
    assert await command("test", *arguments) == 2
    assert says in capsys.readouterr().err


async def test_a_time_that_is_none_is_refused(capsys: Out) -> None:
    assert await command("test", "--seconds", "soon") == 2
    assert "write seconds" in capsys.readouterr().err


async def test_all_known_meters_are_listed(capsys: Out) -> None:
    assert await command("list") == 0
    lines = capsys.readouterr().out
    assert "ams_bridge_import_only" in lines
    assert "(not for control: it says 0 on surplus" in lines
    assert await command("list", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert {each["number"] for each in data} == set(range(1, 20))
