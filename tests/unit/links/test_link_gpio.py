"""The real GPIO link against libgpiod's own bindings, as far as a machine without a chip allows."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from gridzero.errors import ConfigError, LinkError
from gridzero.links.gpio import RealGpio, Wish, by_gpiod
from gridzero.ports.links import Bias

COIL, CONTACT = 17, 27


class FakeLines:
    """What the kernel would hold."""

    def __init__(self, chip: str, wishes: Mapping[int, Wish]) -> None:
        self.chip, self.wishes = chip, dict(wishes)
        self.levels = dict.fromkeys(wishes, False)
        self.history: list[tuple[int, bool]] = []
        self.released = False
        self.broken = False

    def set(self, line: int, *, active: bool) -> None:
        if self.broken:
            raise OSError(19, "No such device")
        self.levels[line] = active
        self.history.append((line, active))

    def get(self, line: int) -> bool:
        if self.broken:
            raise OSError(19, "No such device")
        return self.levels[line]

    def release(self) -> None:
        self.released = True


class Rig:
    """A link on fake lines, with everything that it reported."""

    def __init__(self, fail: OSError | None = None) -> None:
        self.fail = fail
        self.opened: list[FakeLines] = []
        self.told: list[tuple[str, bool, str]] = []
        self.link = RealGpio(name="pins", chip="/dev/gpiochip0", report=self.report, hold=self.hold)
        self.coil = self.link.output(COIL, active_low=True)
        self.contact = self.link.input(CONTACT, active_low=True, bias=Bias.PULL_UP)

    def hold(self, chip: str, wishes: Mapping[int, Wish]) -> FakeLines:
        if self.fail is not None:
            raise self.fail
        self.opened.append(FakeLines(chip, wishes))
        return self.opened[-1]

    def report(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        assert subject == "pins"
        self.told.append((code, active, text))


async def until_cancelled(link: RealGpio, seconds: float) -> None:
    task = asyncio.create_task(link.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_lines_are_held_as_asked_and_let_go_inactive() -> None:
    rig = Rig()
    task = asyncio.create_task(rig.link.run())
    await asyncio.sleep(0.1)
    (lines,) = rig.opened
    assert lines.chip == "/dev/gpiochip0"
    assert lines.wishes == {
        COIL: Wish(is_output=True, active_low=True),
        CONTACT: Wish(is_output=False, active_low=True, bias=Bias.PULL_UP),
    }
    rig.coil.drive(active=True)
    lines.levels[CONTACT] = True
    assert rig.contact.is_active()
    assert rig.link.health.state == "up"
    assert (rig.link.health.tx, rig.link.health.rx) == (1, 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert lines.history[-1] == (COIL, False), "a kernel that keeps outputs keeps this one"
    assert lines.released


async def test_before_it_is_open_nothing_is_driven_and_nothing_known() -> None:
    rig = Rig()
    with pytest.raises(LinkError, match="line 17 is not held"):
        rig.coil.drive(active=True)
    with pytest.raises(LinkError, match="line 27"):
        rig.contact.is_active()


@pytest.mark.parametrize(
    ("code", "remedy"), [(2, "gpiodetect"), (13, "group gpio"), (16, "gpioinfo"), (22, "no such")]
)
async def test_each_failure_to_open_has_its_remedy_and_is_tried_again(
    code: int, remedy: str
) -> None:
    rig = Rig(OSError(code, "it does not open"))
    task = asyncio.create_task(rig.link.run())
    await asyncio.sleep(5.0)
    ((told, active, text),) = rig.told
    assert (told, active) == ("link_down", True)
    assert remedy in text
    rig.fail = None
    await asyncio.sleep(30.0)
    assert rig.told[-1][:2] == ("link_down", False)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_chip_that_goes_away_is_opened_again() -> None:
    rig = Rig()
    task = asyncio.create_task(rig.link.run())
    await asyncio.sleep(0.1)
    rig.opened[0].broken = True
    with pytest.raises(LinkError, match="failed"):
        rig.coil.drive(active=True)
    await asyncio.sleep(5.0)
    assert len(rig.opened) == 2
    rig.coil.drive(active=True)
    assert rig.opened[1].levels[COIL]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_line_has_one_user() -> None:
    rig = Rig()
    with pytest.raises(ConfigError, match="used twice"):
        rig.link.output(COIL, active_low=False)


def test_missing_bindings_are_told_with_their_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(ConfigError, match=r"gridzero\[gpio\]"):
        by_gpiod("pins")


def gpiod() -> Any:
    return pytest.importorskip("gpiod", reason="the extra gpio is not installed")


async def test_a_chip_that_is_not_there_is_told_by_the_real_library() -> None:
    gpiod()
    rig = Rig()
    link = RealGpio(name="pins", chip="/dev/gridzero-none", report=rig.report)
    link.output(COIL, active_low=False)
    await until_cancelled(link, 2.0)
    assert len(rig.told) == 1
    assert "cannot hold lines of /dev/gridzero-none: No such file or directory" in rig.told[0][2]


async def test_a_device_that_is_no_chip_is_told_by_the_real_library() -> None:
    gpiod()
    rig = Rig()
    link = RealGpio(name="pins", chip="/dev/null", report=rig.report)
    link.output(COIL, active_low=False)
    await until_cancelled(link, 2.0)
    assert "cannot hold lines of /dev/null" in rig.told[0][2]


def test_what_is_asked_of_the_library_is_what_it_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    library = gpiod()
    asked: list[inspect.BoundArguments] = []
    real = inspect.signature(library.request_lines)

    class Request:
        def __init__(self) -> None:
            self.values: dict[int, object] = {}

        def set_value(self, line: int, value: object) -> None:
            self.values[line] = value

        def get_value(self, line: int) -> object:
            return self.values[line]

        def release(self) -> None:
            self.values.clear()

    for name in ("set_value", "get_value", "release"):
        theirs = inspect.signature(getattr(library.LineRequest, name)).parameters
        assert list(theirs) == list(inspect.signature(getattr(Request, name)).parameters)
    request = Request()

    def request_lines(*args: Any, **kwargs: Any) -> Request:
        asked.append(real.bind(*args, **kwargs))
        return request

    monkeypatch.setattr(library, "request_lines", request_lines)
    wishes = {
        COIL: Wish(is_output=True, active_low=True),
        CONTACT: Wish(is_output=False, active_low=False, bias=Bias.PULL_DOWN),
    }
    held = by_gpiod("pins")("/dev/gpiochip0", wishes)
    (call,) = asked
    assert call.arguments["path"] == "/dev/gpiochip0"
    assert call.arguments["consumer"] == "gridzero"
    coil, contact = call.arguments["config"][COIL], call.arguments["config"][CONTACT]
    line = library.line
    assert coil.direction is line.Direction.OUTPUT
    assert coil.active_low
    assert coil.output_value is line.Value.INACTIVE
    assert contact.direction is line.Direction.INPUT
    assert contact.bias is line.Bias.PULL_DOWN
    held.set(COIL, active=True)
    assert request.values[COIL] is line.Value.ACTIVE
    assert held.get(COIL)
    held.set(COIL, active=False)
    assert not held.get(COIL)
    held.release()
    assert request.values == {}
