"""Error frames: bit by bit, and what health and people see."""

from __future__ import annotations

import pytest
from link_fakes import Reports

from gridzero.links.can_errors import ControllerWatch, state_told, tells_overflow
from gridzero.ports.links import LinkHealth

CONTROLLER, BUS_ERROR, BUS_OFF, RESTARTED = 0x004, 0x088, 0x040, 0x100


def detail(bits: int) -> bytes:
    return bytes([0, bits, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("error_class", "data", "state"),
    [
        (CONTROLLER, detail(0x04), "error-warning"),
        (CONTROLLER, detail(0x08), "error-warning"),
        (0x204, detail(0x10), "error-passive"),
        (CONTROLLER, detail(0x20), "error-passive"),
        (CONTROLLER, detail(0x28), "error-passive"),
        (CONTROLLER, detail(0x40), "up"),
        (CONTROLLER, detail(0x01), None),
        (CONTROLLER, b"\0", None),
        (BUS_OFF, bytes(8), "bus-off"),
        (BUS_OFF, b"", "bus-off"),
        (RESTARTED, bytes(8), "up"),
        (BUS_ERROR, bytes(8), None),
    ],
)
def test_states(error_class: int, data: bytes, state: str | None) -> None:
    assert state_told(error_class, data) == state


def test_overflow() -> None:
    assert tells_overflow(CONTROLLER, detail(0x01))
    assert not tells_overflow(CONTROLLER, detail(0x04))
    assert not tells_overflow(BUS_ERROR, detail(0x01))


class Controller:
    def __init__(self) -> None:
        self.health = LinkHealth(state="up", why="")
        self.reports = Reports()
        self.watch = ControllerWatch("canbms1", self.health, self.reports)


def test_each_state_is_told_once_and_ends_after_four_calm_seconds() -> None:
    bus = Controller()
    for now_s in (0.0, 1.0, 2.0):
        bus.watch.take(CONTROLLER, detail(0x10), now_s)
    bus.watch.take(BUS_ERROR, bytes(8), 5.0)
    assert bus.health.state == "error-passive"
    assert bus.health.error_frames == 4
    bus.watch.calm(8.9)
    assert bus.reports.told == [("can_errors", True, "canbms1")]
    bus.watch.calm(9.0)
    assert bus.reports.told[1:] == [("can_errors", False, "canbms1")]
    assert bus.health.state == "up"


def test_bus_off_lasts_until_the_controller_is_heard_of_again() -> None:
    bus = Controller()
    bus.watch.take(BUS_OFF, bytes(8), 0.0)
    bus.watch.calm(1000.0)
    assert (bus.health.state, bus.health.bus_off) == ("bus-off", 1)
    bus.watch.take(RESTARTED, bytes(8), 1001.0)
    assert bus.health.state == "up"
    bus.watch.take(BUS_OFF, bytes(8), 1002.0)
    bus.watch.heard()
    assert (bus.health.state, bus.health.bus_off) == ("up", 2)
    assert "restart-ms" in bus.reports.texts[0]


def test_an_overflow_is_counted_and_is_no_state() -> None:
    bus = Controller()
    bus.watch.take(CONTROLLER, detail(0x01), 0.0)
    assert bus.health.state == "up"
    assert bus.health.skipped == {"the controller overflowed": 1}
    assert bus.reports.told == []


def test_what_the_kernel_says_counts_although_no_error_frame_came() -> None:
    bus = Controller()
    bus.watch.asked("bus-off", 0.0)
    bus.watch.asked("bus-off", 1.0)
    assert (bus.health.state, bus.health.bus_off) == ("bus-off", 1)
    bus.watch.asked("up", 2.0)
    bus.watch.calm(4.9)
    assert bus.health.state == "up"
    assert len(bus.reports.told) == 1
    bus.watch.calm(5.0)
    assert bus.reports.told[1:] == [("can_errors", False, "canbms1")]


def test_a_state_that_stands_is_not_calmed_away() -> None:
    bus = Controller()
    for now_s in range(60):
        bus.watch.asked("error-passive", float(now_s))
        bus.watch.calm(now_s + 0.5)
    assert bus.health.state == "error-passive"
    assert bus.reports.told == [("can_errors", True, "canbms1")]


def test_a_jam_is_told_once_and_what_explains_it_replaces_it() -> None:
    bus = Controller()
    for now_s in (0.0, 0.5, 1.0):
        bus.watch.jammed(now_s)
    bus.watch.asked("error-passive", 1.5)
    assert ["jam" in text or "queue" in text for text in bus.reports.texts] == [True, False]
    bus.watch.asked("up", 2.0)
    bus.watch.jammed(3.0)
    bus.watch.calm(6.9)
    assert [active for _, active, _ in bus.reports.told] == [True, True]
    bus.watch.calm(7.0)
    assert bus.reports.told[-1] == ("can_errors", False, "canbms1")
