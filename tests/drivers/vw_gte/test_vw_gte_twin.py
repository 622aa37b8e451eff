from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vw_gte_bench import FakeWorld

from gridzero.ports.links import CanFrame
from gridzero_drivers.vw_gte import codec, ids, plugin
from gridzero_drivers.vw_gte.options import VwGteOptions
from gridzero_drivers.vw_gte.twin import GteBusTwin


def twin(world: FakeWorld, *modules: Any, **more: Any) -> GteBusTwin:
    options = VwGteOptions.model_validate(
        {"buses": {"a": {"link": "x", "modules": list(modules)}}, **more}
    )
    built = plugin.twin(options, world, 7).can["x"]
    assert isinstance(built, GteBusTwin)
    return built


def poll(modules: GteBusTwin) -> list[CanFrame]:
    answers = []
    for frame in codec.POLL_PAIR:
        modules.receive(frame)
        answers += modules.advance(0.0)
    return answers


@given(
    st.sampled_from([10, 12, 13]),
    st.lists(st.integers(1000, 5091).map(lambda mv: mv / 1000), min_size=13, max_size=13),
)
def test_every_cell_arrives_as_it_is(series_cells: int, volts: list[float]) -> None:
    world = FakeWorld()
    world.cells["a4"] = volts[:series_cells]
    seen: dict[int, float | None] = {}
    for frame in poll(twin(world, 4, series_cells=series_cells)):
        got = codec.decode(frame, series_cells)
        assert isinstance(got, codec.Voltages)
        assert got.module == 4
        seen |= got.cells
    assert list(seen.values()) == volts[:series_cells]


def test_a_poll_whose_counter_stands_still_is_ignored() -> None:
    modules = twin(FakeWorld(), 1)
    assert len(poll(modules)) == 3
    modules.receive(codec.POLL_PAIR[1])
    assert modules.advance(0.0) == []
    assert len(poll(modules)) == 3


@pytest.mark.parametrize(
    "frame",
    [
        CanFrame(0x0BA, bytes.fromhex("45012800000030")),
        CanFrame(0x0BA, codec.POLL_PAIR[1].data, is_extended=True),
        CanFrame(0x0BA, codec.POLL_PAIR[1].data, is_remote=True),
        CanFrame(0x0BB, codec.POLL_PAIR[1].data),
        codec.POLL_PAIR[0],
    ],
)
def test_what_is_no_poll_is_not_answered(frame: CanFrame) -> None:
    modules = twin(FakeWorld(), 1)
    modules.receive(frame)
    assert modules.advance(0.0) == []


@pytest.mark.parametrize(
    ("more", "ids_sent"),
    [
        ({}, {0x1A555402}),
        ({"series_cells": 13}, {0x1A555422}),
        ({"variant": "meb"}, {0x1A5555F1, 0x16A95471}),
    ],
)
def test_temperatures_come_about_every_second(more: dict[str, Any], ids_sent: set[int]) -> None:
    modules = twin(FakeWorld(), 2, **more)
    frames = [frame for _ in range(100) for frame in modules.advance(0.1)]
    assert {frame.can_id for frame in frames} == ids_sent
    assert len(frames) // len(ids_sent) in (9, 10, 11)


def test_bleeding_goes_on_until_the_timer_ends() -> None:
    world = FakeWorld()
    modules = twin(world, 3)
    for frame in codec.balance_pair(3, 0b1000_0000_0001, variant="gte_gen1", minutes=4):
        modules.receive(frame)
    assert world.bled == {"a3": 0b1000_0000_0001}
    modules.advance(239.0)
    assert world.bled["a3"] == 0b1000_0000_0001
    modules.advance(1.5)
    assert world.bled["a3"] == 0


def test_a_stop_ends_it_at_once_and_no_request_changes_nothing() -> None:
    world = FakeWorld()
    modules = twin(world, 3)
    on = codec.balance_pair(3, 0b11, variant="gte_gen1")[0]
    modules.receive(on)
    for value in (b"\xfe", b"\xff"):
        modules.receive(CanFrame(on.can_id, value * 8, is_extended=True))
    assert world.bled == {"a3": 0b11}
    modules.receive(CanFrame(ids.request_ids(3, "standard")[0], bytes(8), is_extended=True))
    assert world.bled == {"a3": 0b11}
    modules.receive(codec.balance_pair(3, 0, variant="gte_gen1")[0])
    assert world.bled == {"a3": 0}


def test_faults_can_be_played() -> None:
    modules = twin(FakeWorld(), 1, 2, 3)
    modules.silent.add(1)
    modules.misread[2, 5] = 2.5
    modules.not_available.add((3, 12))
    seen = {
        (got.module, cell): volt
        for frame in poll(modules)
        if isinstance(got := codec.decode(frame), codec.Voltages)
        for cell, volt in got.cells.items()
    }
    assert len(seen) == 24
    assert {key: volt for key, volt in seen.items() if volt != 3.7} == {(2, 5): 2.5, (3, 12): None}


def test_a_frozen_module_repeats_itself() -> None:
    world = FakeWorld()
    modules = twin(world, 1)
    before = poll(modules)
    assert poll(modules) != before
    modules.frozen.add(1)
    before = poll(modules)
    world.cells["a1"] = [4.0] * 12
    assert poll(modules) == before
    modules.frozen.clear()
    assert poll(modules) != before


def shown(modules: GteBusTwin) -> list[float | None]:
    seen: dict[int, float | None] = {}
    for frame in poll(modules):
        got = codec.decode(frame)
        assert isinstance(got, codec.Voltages)
        seen |= got.cells
    return list(seen.values())


def rising(world: FakeWorld) -> list[float]:
    world.cells["a1"] = [3.6 + cell / 100 for cell in range(12)]
    return world.cells["a1"]


def test_an_offset_is_added_to_one_cell() -> None:
    world = FakeWorld()
    volts = rising(world)
    modules = twin(world, 1)
    modules.offset_v[1, 5] = -0.05
    assert shown(modules) == [*volts[:4], 3.59, *volts[5:]]


def test_a_stuck_cell_goes_on_to_read_what_it_read_first() -> None:
    world = FakeWorld()
    volts = rising(world)
    modules = twin(world, 1)
    modules.stuck.add((1, 3))
    assert shown(modules) == volts
    volts[2] = volts[3] = 3.3
    assert shown(modules)[2:4] == [3.62, 3.3]
    modules.stuck.clear()
    assert shown(modules)[2] == 3.3


def test_a_jumping_cell_reads_true_at_every_second_poll() -> None:
    world = FakeWorld()
    rising(world)
    modules = twin(world, 1)
    modules.jumping[1, 1] = 0.2
    assert sorted({shown(modules)[0] for _ in range(6)}) == [3.6, 3.8]


def test_exchanged_sense_wires_leave_the_sum_of_the_wires_between_and_an_impossible_cell() -> None:
    world = FakeWorld()
    world.cells["a1"] = [1.5] * 12
    modules = twin(world, 1)
    modules.swapped.add((1, 4))
    assert shown(modules) == [1.5, 1.5, 1.5, 3.0, 1.0, 3.0, *[1.5] * 6]
    world.cells["a1"] = [3.7] * 12
    assert shown(modules)[3:6] == [5.091, 1.0, 5.091]


def test_exchanged_wires_at_the_end_of_a_module_reach_two_cells() -> None:
    world = FakeWorld()
    world.cells["a1"] = [1.5] * 12
    modules = twin(world, 1)
    modules.swapped.add((1, 11))
    assert shown(modules) == [*[1.5] * 10, 3.0, 1.0]
