"""The console over real sockets: people, scripts, and clients that mean no good."""

from __future__ import annotations

import asyncio
import socket

import pytest
from console_client import LOOPBACK, PATIENCE_S, Console, console
from console_house import STATE, House
from free_ports import free_port
from pydantic import SecretStr

from gridzero.config.faces import ConsoleConfig
from gridzero.outputs.console.client import Script
from gridzero.outputs.console.face import ConsoleFace
from gridzero.outputs.console.telnet import Window, window_told
from gridzero.ports.clock import LoopClock

pytestmark = pytest.mark.real_time

PROMPT = "gridzero>"


async def script(console: Console, word: str, password: str = "", *, sure: bool = False) -> Script:
    """Run one word as ``gridzero console -c`` does."""
    run = Script(word, password, sure=sure)
    async with asyncio.timeout(PATIENCE_S), console.wire() as client:
        client.send(run.opening)
        while run.code is None and (data := await client.reader.read(65536)):
            client.send(run.feed(data))
    return run


async def test_a_person_asks_changes_and_leaves() -> None:
    async with console() as house, house.client() as person:
        assert "gridzero at Test" in await person.sees(PROMPT)
        person.send("status\r")
        assert "discharges 420 W" in await person.sees("the fan stands still")
        person.send("mode hold\r")
        await person.sees("mode is hold")
        person.send("set target_w 25\r")
        await person.sees("target_w is 25")
        assert house.house.asked == [("mode", "hold"), ("target_w", "25")]
        person.send("quit\r")
        await person.ends()


async def test_a_refusal_is_shown_with_its_reason() -> None:
    async with console() as house, house.client() as person:
        house.house.answers = {"mode": (False, "there is no mode fast")}
        await person.sees(PROMPT)
        person.send("mode fast\r")
        await person.sees("there is no mode fast")
        person.send("statsu\r")
        await person.sees("did you mean status?")


@pytest.mark.slow
async def test_nobody_answers_is_said() -> None:
    async with console() as house, house.client() as person:
        house.house.is_deaf = True
        await person.sees(PROMPT)
        person.send("mode hold\r")
        await person.sees("no answer")


async def test_tab_completes() -> None:
    async with console() as house, house.client() as person:
        await person.sees(PROMPT)
        person.send("set allo\t")
        await person.sees("w_charge")
        person.send(" of\t")
        await person.sees("off")
        person.send("\r")
        await person.sees("allow_charge is off")


@pytest.mark.parametrize("answer", ["n\r", "\r", "yn\r"])
async def test_what_is_dangerous_asks_first(answer: str) -> None:
    async with console() as house, house.client() as person:
        await person.sees(PROMPT)
        person.send("-")
        await person.sees("are you sure?")
        person.send(answer)
        await person.sees("not done")
        assert house.house.asked == []
        await person.sees(PROMPT)
        person.send("-")
        await person.sees("are you sure?")
        person.send("y\r")
        await person.sees("flip_shunt is")
        assert house.house.asked == [("flip_shunt", "")]


async def test_the_live_screen_has_single_keys() -> None:
    async with console() as house, house.client(window=Window(80, 40)) as person:
        await person.sees(PROMPT)
        person.send(" ")
        assert "lowest 3.695 V b2.2" in await person.sees("q quit")
        person.send("c")
        await person.sees("allow_charge is off")
        person.send("p")
        await person.sees("3711b")
        person.send("-")
        await person.sees("are you sure?")
        person.send("n")
        await person.sees("not done")
        house.house.say("state", STATE | {"grid_w": 777.0})
        person.send("p")
        await person.sees("777 W")
        person.send("q")
        await person.sees(PROMPT)
        assert house.house.asked == [("allow_charge", "off")]


@pytest.mark.parametrize("window", [Window(24, 6), Window(40, 12), Window(200, 60)])
async def test_the_live_screen_fits_each_window(window: Window) -> None:
    async with console() as house, house.client(window=window) as person:
        await person.sees("gridzero>")
        person.send(" ")
        await person.sees("because"[: window.columns])
        person.send(window_told(Window(100, 30)))
        await person.sees("c charge  i discharge")


async def test_a_trace_is_renewed_decoded_and_ends_with_a_key() -> None:
    async with console() as house, house.client() as person:
        await person.sees(PROMPT)
        person.send("can charger\r")
        await person.sees("any other key ends")
        frames = [[5.0, "rx", 291, False, "00FF"], [5.1, "tx", 292, True, "01"], ["junk"]]
        house.house.say("trace/charger", {"link": "charger", "kind": "can", "frames": frames})
        seen = await person.sees("frame 292")
        assert "0.000 rx 123 frame 291" in seen
        person.send("x")
        await person.sees(PROMPT)
        assert house.house.asked == [("trace", "charger")]
        person.send("rs485\r")
        await person.sees("any other key ends")
        house.house.say("trace/inverter", {"frames": [[5.0, "tx", None, None, "2456"]]})
        await person.sees("tx 2456")


async def test_events_are_followed() -> None:
    async with console() as house, house.client() as person:
        await person.sees(PROMPT)
        person.send("log\r")
        await person.sees("any other key ends")
        house.house.say("event", {"code": "meter_silent", "subject": "meter", "active": True})
        await person.sees("meter_silent meter")


async def test_a_script_gets_its_text_and_an_exit_code() -> None:
    async with console() as house:
        good, wrong = await script(house, "status"), await script(house, "frobnicate")
        assert (good.code, wrong.code) == (0, 1)
        assert "discharges 420 W" in good.take_text()
        assert "\x1b" not in good.take_text()
        refused, done = await script(house, "-"), await script(house, "-", sure=True)
        assert (refused.code, done.code) == (1, 0)
        assert house.house.asked == [("flip_shunt", "")]


async def test_a_client_without_telnet_has_lines() -> None:
    async with console() as house, house.wire() as person:
        person.send("status\n")
        assert "\x1b" not in await person.sees("the fan stands still")
        person.send("quit\n")
        await person.ends()


async def test_the_password_is_asked_and_not_shown() -> None:
    async with console(password=SecretStr("correct horse")) as house, house.client() as person:
        await person.sees("password:")
        person.send("correct horse\r")
        assert "correct" not in await person.sees(PROMPT)
        assert (await script(house, "status", "correct horse")).code == 0


@pytest.mark.slow
async def test_guessing_is_slow_and_ends() -> None:
    async with console(password=SecretStr("correct horse")) as house, house.client() as guesser:
        for _ in range(2):
            await guesser.sees("password:")
            guesser.send("guess\r")
            await guesser.sees("wrong password")
        refused = await script(house, "status", "correct horse")
        assert refused.code == 1
        assert "wait 2 s" in refused.take_text()
        await guesser.sees("password:")
        guesser.send("guess\r")
        assert "refused" in await guesser.ends()


async def test_fifty_silent_connections_lock_nobody_out() -> None:
    async with console(max_sessions=4) as house:
        silent = [await asyncio.open_connection(LOOPBACK, house.port) for _ in range(50)]
        async with house.client() as person:
            await person.sees(PROMPT)
            person.send("status\r")
            await person.sees("the fan stands still")
        for _, writer in silent:
            writer.transport.abort()


async def test_too_many_people_are_told() -> None:
    async with console(max_sessions=1) as house, house.client() as first:
        await first.sees(PROMPT)
        first.send("help\r")
        await first.sees("leave")
        async with house.client() as second:
            assert "no place left" in await second.ends()
        first.send("status\r")
        await first.sees("the fan stands still")


async def test_junk_harms_nobody() -> None:
    junk = bytes(range(256)) * 8 + b"\xff\xfa\x18\x00" + b"\xff\xfd" * 500 + b"\x1b[" + b"9" * 900
    async with console() as house, house.client() as person, house.wire() as hostile:
        await person.sees(PROMPT)
        hostile.send(junk)
        hostile.send(b"\xff\xfb\x18" * 2000)
        person.send("status\r")
        await person.sees("the fan stands still")
        person.send("mode hold\r")
        await person.sees("mode is hold")
        assert house.house.asked == [("mode", "hold")]


async def test_who_floods_and_reads_nothing_disturbs_nobody() -> None:
    """Others are served meanwhile, and so is whatever else shares the loop."""
    async with console() as house, house.client() as person:
        await person.sees(PROMPT)
        deaf = socket.create_connection((LOOPBACK, house.port))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        sent = send_all_it_takes(deaf, b"cells\r\n" * 2_000_000)
        other_face = Counting()
        for _ in range(5):
            before = other_face.count
            person.send("status\r")
            await person.sees("the fan stands still")
            assert other_face.count > before
        await other_face.end()
        deaf.close()
        assert sent < 10_000_000  # the console has stopped reading long before the end


class Counting:
    """Another face of the same process."""

    def __init__(self) -> None:
        self.count = 0
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def send_all_it_takes(sock: socket.socket, data: bytes) -> int:
    sent = 0
    try:
        while sent < len(data):
            sent += sock.send(data[sent:])
    except BlockingIOError:
        pass
    return sent


async def test_a_taken_port_is_waited_for() -> None:
    port, clock = free_port(), LoopClock()
    blocker = socket.create_server((LOOPBACK, port))
    try:
        face = ConsoleFace(ConsoleConfig(port=port), House(clock).feed, clock)
        task = asyncio.create_task(face.run())
        await asyncio.sleep(0.2)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    finally:
        blocker.close()


async def test_a_session_ends_with_its_client() -> None:
    async with console() as house:
        for _ in range(5):
            async with house.client() as person:
                await person.sees(PROMPT)
        async with house.client() as person:
            await person.sees(PROMPT)
            person.send("\x04")
            await person.ends()


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
@pytest.mark.parametrize("split", [1000, 3])
async def test_a_web_page_that_sends_words_here_is_hung_up_on(method: str, split: int) -> None:
    """Any page in a browser of this machine may send a form to any port of it."""
    form = f"{method} / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n\r\nmode hold\r\n".encode()
    async with console() as house, house.wire() as page:
        page.send(form[:split])
        await asyncio.sleep(0.05)
        page.send(form[split:])
        await page.ends()
        assert house.house.asked == []
        async with house.client() as person:
            await person.sees(PROMPT)
