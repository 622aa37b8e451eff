"""Taps at links: silent until asked, bounded, each frame once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gridzero.links.memory import MemoryBroker, MemoryLinks
from gridzero.outputs.trace_out import TraceOut
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import CanFilter, CanFrame
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.trace import MOST_KEPT, TracedLinks, Tracer

EVERYTHING = [CanFilter(0, 0, is_extended=False)]


class Wires:
    """A CAN bus and a serial line with taps, and what arrived behind them."""

    def __init__(self) -> None:
        self.inner = MemoryLinks({"bus": "can", "line": "serial"})
        self.tracer = Tracer(LoopClock())
        self.links = TracedLinks(self.inner, self.tracer)
        self.bus, self.line = self.links.can("bus"), self.links.serial("line")
        self.heard: list[CanFrame] = []
        self.far = self.inner.can_bus("bus").attach()
        for _ in range(2):  # two users of the same frames
            self.bus.listen(self.heard.append, EVERYTHING)
        self.far.listen(lambda _: None, EVERYTHING)


async def test_nothing_is_kept_until_somebody_asks() -> None:
    wires = Wires()
    wires.far.send(CanFrame(1, b"a"))
    await asyncio.sleep(0.01)
    assert len(wires.heard) == 2
    assert wires.tracer.take() == []


async def test_both_directions_are_kept_each_frame_once_for_ten_seconds() -> None:
    wires = Wires()
    wires.tracer.ask("bus 10")
    wires.far.send(CanFrame(0x123, b"\x01\x02"))
    await asyncio.sleep(0.01)
    wires.bus.send(CanFrame(0x124, b"\x03"))
    (traced,) = wires.tracer.take()
    assert (traced.link, traced.kind) == ("bus", "can")
    assert [(f.direction, f.can_id, f.data) for f in traced.frames] == [
        ("rx", 0x123, b"\x01\x02"),
        ("tx", 0x124, b"\x03"),
    ]
    await asyncio.sleep(11.0)
    wires.bus.send(CanFrame(0x124, b"\x03"))
    assert wires.tracer.take() == []


async def test_what_is_too_much_is_counted() -> None:
    wires = Wires()
    wires.tracer.ask("bus")
    for _ in range(MOST_KEPT + 50):
        wires.bus.send(CanFrame(1, b""))
    (traced,) = wires.tracer.take()
    assert (len(traced.frames), traced.dropped) == (MOST_KEPT, 50)


async def test_a_serial_line_is_published_and_stop_ends_it() -> None:
    wires = Wires()
    broker = MemoryBroker()
    said: list[dict[str, Any]] = []
    broker.attach().subscribe("gridzero/trace/+", lambda m: said.append(json.loads(m.payload)))
    output = TraceOut(wires.tracer, broker.attach(), LoopClock(), "gridzero")
    task = asyncio.create_task(output.run())
    wires.tracer.ask("line")
    wires.line.write(b"\x24\x56")
    await asyncio.sleep(1.0)
    wires.tracer.ask("stop")
    wires.line.write(b"\x24\x56")
    await asyncio.sleep(1.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [frame[1:] for frame in said[0]["frames"]] == [["tx", None, None, "2456"]]
    assert len(said) == 1


async def test_a_link_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(SettingRefused, match="bus, line"):
        Wires().tracer.ask("toaster")


async def test_each_of_equal_single_bytes_is_kept_once_for_all_who_listen() -> None:
    wires = Wires()
    heard: list[bytes] = []
    for _ in range(3):
        wires.links.serial("line").listen(heard.append)
    wires.tracer.ask("line")
    far = wires.inner.wire("line").device
    for _ in range(4):
        far.write(b"\x00")
        await asyncio.sleep(0.05)
    assert len(heard) == 12
    (traced,) = wires.tracer.take()
    assert b"".join(frame.data for frame in traced.frames) == bytes(4)


async def test_what_was_left_of_the_last_look_is_not_shown_at_the_next() -> None:
    wires = Wires()
    wires.tracer.ask("bus")
    wires.bus.send(CanFrame(1, b"old"))
    wires.tracer.ask("stop")
    wires.tracer.ask("bus")
    wires.bus.send(CanFrame(1, b"new"))
    assert [frame.data for frame in wires.tracer.take()[0].frames] == [b"new"]
