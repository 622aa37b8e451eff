"""Telnet bytes, keys, passwords, places, traces: the parts of the console without sockets."""

from __future__ import annotations

import asyncio

import pytest
from console_house import House
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_toolkit.input.vt100_parser import _IS_PREFIX_OF_LONGER_MATCH_CACHE
from prompt_toolkit.keys import Keys
from pydantic import SecretStr, ValidationError

from gridzero.config.faces import ConsoleConfig
from gridzero.links.memory import MemoryBroker
from gridzero.outputs.console.client import Script, plain_bytes
from gridzero.outputs.console.connection import Connection
from gridzero.outputs.console.door import Door, Places
from gridzero.outputs.console.keys import KeyReader, MemoryInput
from gridzero.outputs.console.paint import plain
from gridzero.outputs.console.session import CONFIRM_S, Room, Session
from gridzero.outputs.console.telnet import (
    OPENING,
    TelnetStream,
    Window,
    client_opening,
    window_told,
)
from gridzero.outputs.console.terminal import PlainTerminal, sensible
from gridzero.outputs.console.trace import TracedLink, Tracer, Watcher, joined, parsed
from gridzero.outputs.console.wire import Outlet, Stall, Throttle
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import CanFrame


def test_our_client_is_understood_at_any_cut() -> None:
    told = client_opening("xterm", Window(255, 65)) + b"status\r\n"
    for cut_at in range(len(told)):
        stream = TelnetStream()
        first, second = stream.feed(told[:cut_at]), stream.feed(told[cut_at:])
        assert first.data + second.data == b"status\r"
        assert (first.terminal or second.terminal) == "xterm"
        assert (first.window or second.window) == Window(255, 65)


def test_enter_is_one_key_however_a_client_sends_it() -> None:
    assert TelnetStream().feed(b"a\r\nb\r\0c\nd\re").data == b"a\rb\rc\rd\re"


def test_unknown_options_are_refused_once() -> None:
    stream = TelnetStream()
    assert stream.feed(b"\xff\xfb\x27" * 50).answer == b"\xff\xfe\x27"
    assert stream.feed(b"\xff\xfd\x27" * 50).answer == b"\xff\xfc\x27"
    assert stream.feed(b"\xff\xf6").answer == b"\r\n[gridzero]\r\n"


def test_a_subnegotiation_without_end_costs_nothing() -> None:
    stream = TelnetStream()
    assert stream.feed(b"\xff\xfa\x18\x00" + b"x" * 100_000).data == b""
    assert stream.feed(b"\xff\xf0ok").data == b"ok"
    assert stream.feed(window_told(Window(80, 24))).window == Window(80, 24)


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_junk_is_taken(data: bytes) -> None:
    stream, shown = TelnetStream(), plain_bytes()
    next(shown)
    heard = stream.feed(data)
    assert len(heard.data) <= len(data)
    assert len(heard.answer) <= 5 * len(data)
    assert len(shown.send(data)) <= len(data)
    keyboard = KeyReader()
    assert len([*keyboard.feed(data.decode(errors="replace")), *keyboard.flush()]) <= 3 * len(data)


def test_keys_and_sequences() -> None:
    reader = KeyReader()
    keys = [press.key for press in reader.feed("a\x1b[A\x1bOP\x1b[1;5C\x1b[999zb\x7f\r")]
    assert keys == ["a", Keys.Up, Keys.F1, Keys.ControlRight, "b", Keys.ControlH, Keys.ControlM]
    assert [press.key for press in reader.feed("\x1b")] == []
    assert [press.key for press in reader.flush()] == [Keys.Escape]


def test_endless_sequences_and_pastes_are_not_remembered() -> None:
    """prompt_toolkit's own parser keeps every beginning of a sequence, and a paste without end."""
    before = len(_IS_PREFIX_OF_LONGER_MATCH_CACHE)
    reader = KeyReader()
    keys = list(reader.feed("\x1b[" + "1" * 10_000 + "\x1b[200~" + "p" * 100))
    assert len(_IS_PREFIX_OF_LONGER_MATCH_CACHE) == before
    assert [press.key for press in keys[-100:]] == ["p"] * 100


async def test_a_keyboard_nobody_reads_is_bounded() -> None:
    keyboard = MemoryInput()
    keyboard.feed(b"x" * 10_000)
    assert len(keyboard.read_keys()) + keyboard.keys_dropped == 10_000
    assert keyboard.keys_dropped > 5000
    assert await keyboard.key(1.0) is None
    keyboard.close()
    with pytest.raises(EOFError):
        await keyboard.key(1.0)


async def test_a_lone_escape_is_a_key_when_nothing_follows() -> None:
    keyboard = MemoryInput()
    keyboard.feed(b"\x1b")
    press = await keyboard.key(0.1)
    assert press is not None
    assert press.key == Keys.Escape


def test_wrong_passwords_wait_twice_as_long_each_time() -> None:
    door, now_s, waits = Door("correct horse"), 0.0, []
    for _ in range(5):
        assert not door.opens("10.0.0.7", "wrong", now_s)
        waits.append(door.wait_s("10.0.0.7", now_s))
        now_s += waits[-1]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert door.opens("10.0.0.7", "correct horse", now_s)
    assert door.wait_s("10.0.0.7", now_s) == 0.0


def test_who_has_to_wait_is_refused_even_with_the_right_word() -> None:
    door = Door("correct horse")
    assert not door.opens("10.0.0.7", "wrong", 0.0)
    assert not door.opens("10.0.0.7", "correct horse", 0.5)
    assert door.opens("10.0.0.8", "correct horse", 0.5)
    assert door.opens("10.0.0.7", "correct horse", 1.0)


def test_many_addresses_make_everybody_wait_and_cost_no_memory() -> None:
    door = Door("correct horse")
    judged = 0
    for number in range(6000):
        now_s = number / 10.0
        judged += door.wait_s(f"10.0.{number // 250}.{number % 250}", now_s) == 0.0
        door.opens(f"10.0.{number // 250}.{number % 250}", "wrong", now_s)
    assert judged == 200  # twenty a minute for ten minutes
    assert door.wait_s("192.168.1.5", 599.9) > 0.0
    assert door.wait_s("192.168.1.5", 700.0) == 0.0


def test_addresses_are_forgotten_when_there_are_very_many() -> None:
    door = Door("correct horse")
    for number in range(1500):
        assert not door.opens(f"10.0.{number // 250}.{number % 250}", "wrong", number * 3.0)
    assert len(door._records) == 1000


def test_an_ipv6_network_is_one_guest() -> None:
    door = Door("correct horse")
    assert not door.opens("2001:db8::1", "wrong", 0.0)
    assert door.wait_s("2001:db8::2", 0.0) == 1.0
    assert door.wait_s("2001:db8:1::2", 0.0) == 0.0


class Guest:
    def __init__(self, is_known: bool) -> None:
        self.is_known, self.has_left = is_known, False

    def make_room(self) -> None:
        self.has_left = True


def test_the_silent_make_room_and_the_known_do_not() -> None:
    places: Places[Guest] = Places(2)
    known, silent, newcomer = Guest(True), Guest(False), Guest(True)
    assert places.take(known)
    assert places.take(silent)
    assert places.take(newcomer)
    assert (known.has_left, silent.has_left) == (False, True)
    assert not places.take(Guest(True))
    places.leave(known)
    assert places.take(Guest(True))


class SlowWire:
    address = "10.0.0.7"

    def __init__(self) -> None:
        self.sent = 0
        self.is_over = self.has_hung_up = False

    def send(self, data: bytes) -> None:
        self.sent += len(data)

    def waiting(self) -> int:
        return self.sent

    def hang_up(self, *, at_once: bool) -> None:
        self.is_over, self.has_hung_up = at_once, True


def test_a_client_that_does_not_read_is_dropped_before_it_costs_memory() -> None:
    wire = SlowWire()
    outlet = Outlet(wire)
    for _ in range(1000):
        outlet.write("x" * 1000)
    assert wire.is_over
    assert wire.sent <= 256 * 1024
    assert not outlet.is_open


def test_a_stall_is_noticed_only_when_nothing_leaves() -> None:
    waiting = [0]
    stall = Stall(lambda: waiting[0], limit_s=30.0)
    assert not stall.is_dead(0.0)
    waiting[0] = 5000
    assert not stall.is_dead(5.0)
    waiting[0] = 4000
    assert not stall.is_dead(34.0)
    waiting[0] = 9000
    assert not stall.is_dead(60.0)
    assert stall.is_dead(65.0)


def test_people_are_never_slowed_down_but_floods_are() -> None:
    throttle = Throttle()
    assert all(throttle.pause_s(12, second / 2) == 0.0 for second in range(1000))
    assert throttle.pause_s(512, 500.0) == 0.0
    flood_s = [throttle.pause_s(512, 501.0) for _ in range(10)]
    assert flood_s[-1] > 2.0


@pytest.mark.parametrize("window", [None, Window(0, 0), Window(0, 24)])
def test_a_window_without_a_size_is_the_usual_one(window: Window | None) -> None:
    assert sensible(window) == Window(80, 24)


def test_monstrous_windows_are_cut() -> None:
    assert sensible(Window(65535, 65535)) == Window(300, 120)
    assert sensible(Window(1, 1)) == Window(20, 4)


def test_frames_of_a_trace_are_parsed_or_dropped() -> None:
    can = parsed([1.5, "rx", 0x1B0, False, "00C5"])
    assert can is not None
    assert can.what == CanFrame(0x1B0, b"\x00\xc5")
    wrong = [None, 7, [], [1.5, "rx"], [1.5, "up", 1, False, "00"], [1.5, "rx", 1, False, "0g"]]
    wrong += [[1.5, "rx", -1, False, "00"], [1.5, "rx", 1, False, "00" * 9], ["x", "rx", 1, 0, ""]]
    assert [parsed(frame) for frame in wrong] == [None] * len(wrong)


def test_pieces_of_a_serial_line_are_joined() -> None:
    pieces = [[1.0, "rx"], [1.02, "rx"], [1.03, "tx"], [1.5, "tx"]]
    seen = [parsed([*piece, None, None, "2356"]) for piece in pieces]
    found = joined([one for one in seen if one is not None])
    assert [one.what for one in found] == [b"\x23\x56\x23\x56", b"\x23\x56", b"\x23\x56"]


def test_a_trace_is_bounded_and_says_what_it_left_out() -> None:
    watcher = Watcher(TracedLink("bus", "can", (lambda _seen: "words",)))
    watcher.take({"dropped": 7, "frames": [[n / 1000, "tx", 16, True, "00"] for n in range(500)]})
    rows = plain(watcher.lines(raw=False)).splitlines()
    assert len(rows) == 401
    assert rows[0].endswith("tx 00000010 words")
    assert "107 more" in rows[-1]
    watcher.take({"frames": "nonsense", "dropped": None})
    assert watcher.lines(raw=True) == []


def test_a_script_answers_its_turns() -> None:
    script = Script("  mode   hold ", "secret word", sure=True)
    assert script.feed(OPENING + b"\x05") == b"secret word\r"
    assert script.feed(b"\x06") == b"mode hold\ry\r"
    assert script.feed(b"Mode is hold\r\n\x1e") == b""
    assert script.code is None
    script.feed(b"1\r\n")
    assert (script.take_text(), script.code) == ("Mode is hold\n", 1)


def test_a_script_without_the_password_ends() -> None:
    script = Script("status", "", sure=False)
    script.feed(b"\x05")
    assert script.code == 1
    assert "GRIDZERO_CONSOLE_PASSWORD" in script.take_text()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "house.local"])
def test_nobody_is_let_in_from_elsewhere_without_a_password(host: str) -> None:
    with pytest.raises(ValidationError, match="not loopback"):
        ConsoleConfig(host=host)
    assert ConsoleConfig(host=host, password=SecretStr("long enough")).host == host


def test_short_passwords_are_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError, match="shorter than 8") as refusal:
        ConsoleConfig(password=SecretStr("short77"))
    assert "short77" not in str(refusal.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback_needs_none(host: str) -> None:
    assert ConsoleConfig(host=host).password is None


async def test_typed_ahead_keys_wait_their_turn() -> None:
    keyboard = MemoryInput()
    waiting = asyncio.create_task(keyboard.key(5.0))
    await asyncio.sleep(1.0)
    keyboard.feed("\u00e9".encode()[:1])
    keyboard.feed("\u00e9".encode()[1:])
    press = await waiting
    assert press is not None
    assert press.key == "\u00e9"


@pytest.fixture
def wire() -> SlowWire:
    return SlowWire()


def connection(wire: SlowWire, password: str | None = None) -> Connection:
    clock = LoopClock()
    feed = Feed(MemoryBroker().attach(), clock, "gridzero")
    door = Door(password) if password else None
    return Connection(Room(feed, clock, Tracer(feed, ()), (), "", door), wire, Places(1))


async def test_who_reads_nothing_is_sent_away(wire: SlowWire) -> None:
    guest = connection(wire)
    wire.send(b"a screen")
    guest.look_after(0.0, idle_s=0.0)
    guest.look_after(29.0, idle_s=0.0)
    assert not wire.is_over
    guest.look_after(31.0, idle_s=0.0)
    assert wire.is_over


async def test_who_does_not_log_in_is_sent_away(wire: SlowWire) -> None:
    guest = connection(wire, "correct horse")
    guest.typed(b"junk")
    guest.look_after(59.0, idle_s=0.0)
    assert not wire.is_over
    guest.look_after(61.0, idle_s=0.0)
    assert wire.is_over


async def test_who_types_nothing_is_told_and_sent_away(wire: SlowWire) -> None:
    guest = connection(wire)
    guest.look_after(3599.0, idle_s=3600.0)
    assert wire.sent == 0
    guest.look_after(3601.0, idle_s=3600.0)
    assert wire.sent > 0
    assert wire.has_hung_up


async def test_keys_follow_how_a_switch_stands() -> None:
    house = House(LoopClock())
    session = Session(room_of(house), Paper(), "test", lambda: None)
    assert not await session.do("c")
    house.say_all()
    await asyncio.sleep(0.1)
    assert await session.do("c")
    assert await session.do("l")
    assert await session.do("d")
    assert await session.do("d")
    assert await session.do("max_soc_pct 80") is False
    assert await session.do("target_w 30")
    assert house.asked == [
        ("allow_charge", "off"),
        ("balance", "now"),
        ("log", "debug"),
        ("log", "info"),
        ("target_w", "30"),
    ]


async def test_silence_is_no_yes() -> None:
    house = House(LoopClock())
    house.say_all()
    await asyncio.sleep(0.1)
    session = Session(room_of(house), Paper(), "test", lambda: None)
    before_s = house.clock.now_s()
    assert not await session.do("-")
    assert house.clock.now_s() - before_s == CONFIRM_S
    assert house.asked == []


def room_of(house: House) -> Room:
    return Room(house.feed, house.clock, Tracer(house.feed, ()), (), "Test")


class Paper(PlainTerminal):
    """A terminal at which nobody types."""

    def __init__(self) -> None:
        super().__init__(MemoryInput(), Outlet(SlowWire()), is_script=False)
