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
