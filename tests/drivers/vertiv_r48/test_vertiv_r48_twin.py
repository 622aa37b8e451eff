"""The simulated rectifier: its answers and its physics."""

from __future__ import annotations

import pytest
from vertiv_r48_bench import FakeWorld

from gridzero.ports.links import CanFrame
from gridzero_drivers.vertiv_r48 import codec, ids, requests, stored
from gridzero_drivers.vertiv_r48.codec import Ack, Broadcast, Message, Refusal, Status, Value
from gridzero_drivers.vertiv_r48.twin import R48Twin

OWN = ids.request_id(0)


def twin(module: int = 0) -> tuple[R48Twin, FakeWorld]:
    world = FakeWorld()
    made = R48Twin(module, 3000.0, world)
    world.twins.append(made)
    return made, world


def ask(made: R48Twin, frame: CanFrame) -> list[Message]:
    made.receive(frame)
    return [message for frame in made.advance(0.0) if (message := codec.decode(frame)) is not None]


def run(made: R48Twin, seconds: float, *, volts: float = 49.2, fraction: float = 0.4) -> None:
    for step in range(round(seconds * 20)):
        if step % 40 == 0:
            made.receive(requests.online_volts(OWN, volts))
            made.receive(requests.online_limit(OWN, fraction))
            made.receive(requests.control(0))
        made.advance(0.05)


def test_it_wakes_up_on_at_its_stored_values() -> None:
    made, _ = twin()
    for _ in range(200):
        made.advance(0.05)
    assert made.offline
    assert made.power.amps > 50.0


def test_single_reads() -> None:
    made, _ = twin()
    (answer,) = ask(made, requests.read(OWN, 5))
    assert answer == Value(0, False, 5, 0xF0, 230.0)
    (limit,) = ask(made, requests.read(OWN, 3))
    assert isinstance(limit, Value)
    assert limit.value == pytest.approx(1.21, abs=0.002)
    assert ask(made, requests.read(OWN, 0x19)) == [Refusal(0, False, 0x19, 0xF2, False)]
    (doubtful,) = ask(made, requests.read(OWN, 0x0B))
    assert isinstance(doubtful, Value)
    assert doubtful.error_code == 0xF4
    assert ask(made, requests.read(ids.EVERY_MODULE_ID, 1)) == []
    assert len(ask(made, requests.read(ids.COMPAT_ID, 1))) == 1
    assert ask(twin(1)[0], requests.read(ids.COMPAT_ID, 1)) == []


def test_bursts_end_with_the_one_frame_that_says_so() -> None:
    made, _ = twin()
    frames = [requests.read_group(OWN), requests.read_group(OWN, 1), requests.read_info(OWN)]
    for frame, last in zip(frames, (0x58, 0x40, 0x5D), strict=True):
        answers = ask(made, frame)
        parameters = [m.parameter for m in answers if isinstance(m, Value | Status)]
        more = [m.more for m in answers if isinstance(m, Value | Status)]
        assert parameters[-1] == last
        assert more == [True] * (len(more) - 1) + [False]
    assert len(ask(made, requests.read_group(ids.EVERY_MODULE_ID))) == 10


def test_writes_are_acknowledged_or_refused() -> None:
    made, _ = twin()
    (accepted,) = ask(made, requests.online_volts(OWN, 48.0))
    assert accepted == Ack(0, False, 0x21, 0xF0, 48.0)
    assert ask(made, requests.online_volts(ids.EVERY_MODULE_ID, 47.0)) == []
    assert made.registers.volts(0.0) == 47.0
    wrong = stored.switch(OWN, 0x50, on=True)
    assert ask(made, wrong) == [Refusal(0, False, 0x50, 0xF2, True)]
    nan = CanFrame(OWN, bytes.fromhex("03F000217FC00000"), True)
    assert ask(made, nan) == [Refusal(0, False, 0x21, 0xF3, True)]
    (switched,) = ask(made, stored.switch(OWN, 0x32, on=True))
    assert isinstance(switched, Ack)


def test_frames_for_others_are_left_alone() -> None:
    made, _ = twin()
    assert ask(made, requests.read(ids.request_id(1), 1)) == []
    assert ask(made, CanFrame(OWN, b"\x01", True)) == []
    assert ask(made, requests.read(OWN, 1)._replace(is_extended=False)) == []
    assert ask(made, requests.read(OWN, 1)._replace(data=bytes([9, 0, 0, 0, 0, 0, 0, 0]))) == []


def test_identifying_casts_doubt_on_all_it_says() -> None:
    made, _ = twin()
    assert ask(made, requests.identify_start()) == [Broadcast(0, 3, made.identity)]
    (answer,) = ask(made, requests.read(OWN, 1))
    assert isinstance(answer, Value)
    assert answer.error_code == 0xF4
    made.advance(2.5)
    made.advance(0.0)
    (answer,) = ask(made, requests.read(OWN, 1))
    assert isinstance(answer, Value)
    assert answer.error_code == 0xF0


def test_a_heartbeat_every_few_seconds() -> None:
    made, _ = twin()
    beats = [codec.decode(frame) for _ in range(400) for frame in made.advance(0.05)]
    assert beats == [Broadcast(0, 2, None)] * len(beats)
    assert 3 <= len(beats) <= 5


def test_it_walks_in_and_then_follows_its_limit() -> None:
    made, world = twin()
    made.receive(requests.control(0, ac_off=True, dc_off=True))
    made.advance(0.05)
    assert made.power.amps == 0.0
    run(made, 4.0)
    assert 0.0 < made.power.amps < 0.6 * 0.4 * 62.5 / 1.21
    assert made.power.walking_in
    run(made, 6.0)
    assert made.power.amps == pytest.approx(0.4 * 62.5 / 1.21)
    assert made.dc_a == -made.power.amps
    dc_w = made.power.amps * world.battery_v
    assert -made.ac_w == pytest.approx(dc_w / 0.96 + 12.0, rel=0.01)
    made.power.accuracy_a = 2.0
    run(made, 2.0)
    assert made.power.amps == pytest.approx(0.4 * 62.5 / 1.21 + 2.0)


def test_power_mains_and_voltage_bound_the_current() -> None:
    made, world = twin()
    run(made, 12.0, fraction=1.21)
    assert made.power.amps * world.battery_v <= 3000.0 + 1.0
    made.receive(requests.ac_limit(OWN, 5.0))
    run(made, 2.0, fraction=1.21)
    assert made.power.amps * world.battery_v <= 5.0 * 230.0
    world.mains_v = 110.0
    run(made, 2.0, fraction=1.21)
    assert made.power.amps * world.battery_v <= 5.0 * 110.0
    world.mains_v = 60.0
    run(made, 1.0, fraction=1.21)
    assert made.power.amps == 0.0
    (status,) = ask(made, requests.read(OWN, 0x40))
    assert isinstance(status, Status)
    assert status.word & 1 << 14


def test_constant_voltage_settles_without_oscillation() -> None:
    made, world = twin()
    world.open_circuit_v, world.resistance_ohm = 48.6, 0.05
    run(made, 20.0, volts=49.2, fraction=1.0)
    before = made.power.amps
    run(made, 1.0, volts=49.2, fraction=1.0)
    assert made.power.amps == pytest.approx(0.6 / 0.05, abs=0.2)
    assert made.power.amps == pytest.approx(before, abs=0.1)


def test_measured_values_come_in_1024ths() -> None:
    made, world = twin()
    world.mains_v = 231.23456
    (answer,) = ask(made, requests.read(OWN, 5))
    assert isinstance(answer, Value)
    assert answer.value is not None
    assert (answer.value * 1024).is_integer()
    assert 0.0 <= 231.23456 - answer.value < 1 / 1024
