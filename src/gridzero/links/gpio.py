"""A real GPIO chip by libgpiod's Python bindings (version 2), for relays and contactors.

Calls are made in the event loop: on the pins of the machine itself they are writes to a register
behind one system call. A chip behind I2C or USB would block the loop; it is not meant here.

What a line does when the process dies is the kernel's business: the character device gives it
back as an input in mainline kernels, while those of Raspberry Pi OS keep outputs as they were
(raspberrypi/linux, pull requests 6117 and 6150). See docs/contactor.md.
"""

from __future__ import annotations

import errno
import importlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

from gridzero.errors import ConfigError, LinkError
from gridzero.links.backoff import Keeper, SessionEnd
from gridzero.ports.links import Bias, LinkHealth
from gridzero.ports.plugin import Report

if TYPE_CHECKING:
    import gpiod

_CONSUMER = "gridzero"
_REMEDIES = {
    errno.ENOENT: "List the chips with gpiodetect; give the container the device",
    errno.EACCES: "Add the user to the group gpio",
    errno.EPERM: "Add the user to the group gpio",
    errno.EBUSY: "Another program or a device-tree overlay holds the line: see gpioinfo",
    errno.EINVAL: "The chip has no such line: see gpioinfo",
}
_REMEDY = "Check chip and line numbers with gpioinfo"


class Wish(NamedTuple):
    """How one line is wanted. bias: of inputs."""

    is_output: bool
    active_low: bool
    bias: Bias = Bias.NONE


class Held(Protocol):
    """Lines that are held, as True for active; the part of gpiod.LineRequest that is used."""

    def set(self, line: int, *, active: bool) -> None:
        """Drive an output. Raises OSError."""
        ...

    def get(self, line: int) -> bool:
        """Read a line. Raises OSError."""
        ...

    def release(self) -> None:
        """Let all lines go."""
        ...


Hold = Callable[[str, Mapping[int, Wish]], Held]


class RealGpio:
    """One GPIO chip, opened by run() and again after it went away.

    Meets ports.links.GpioLink. Raises ConfigError when the bindings are not installed.
    """

    def __init__(self, *, name: str, chip: str, report: Report, hold: Hold | None = None) -> None:
        self.name = name
        self.health = LinkHealth()
        self._chip = chip
        self._hold = hold or by_gpiod(name)
        self._keeper = Keeper(name, self.health, report)
        self._wishes: dict[int, Wish] = {}
        self._held: Held | None = None
        self._end: SessionEnd

    def output(self, line: int, *, active_low: bool) -> RealLine:
        """See ports.links.GpioLink. Raises ConfigError for a line that is in use already."""
        return self._line(line, Wish(is_output=True, active_low=active_low))

    def input(self, line: int, *, active_low: bool, bias: Bias) -> RealLine:
        """See ports.links.GpioLink. Raises ConfigError for a line that is in use already."""
        return self._line(line, Wish(is_output=False, active_low=active_low, bias=bias))

    async def run(self) -> NoReturn:
        """Hold the lines until cancelled. Raises only for bugs."""
        await self._keeper.run(self._serve)

    def drive(self, line: int, *, active: bool) -> None:
        """Set an output. Raises LinkError."""
        held = self._held_now(line)
        try:
            held.set(line, active=active)
        except OSError as error:
            raise self._lost(line, error) from error
        self.health.tx += 1

    def is_active(self, line: int) -> bool:
        """Read a line. Raises LinkError."""
        held = self._held_now(line)
        try:
            level = held.get(line)
        except OSError as error:
            raise self._lost(line, error) from error
        self.health.rx += 1
        return level

    def _line(self, line: int, wish: Wish) -> RealLine:
        if line in self._wishes:
            raise ConfigError(
                f"line {line} of {self._chip} is used twice",
                where=self.name,
                remedy="Give each relay and each feedback contact a line of its own",
            )
        self._wishes[line] = wish
        return RealLine(self, line)

    async def _serve(self) -> None:
        if self._wishes:
            self._held = self._open()
        self._end = SessionEnd()
        self._keeper.up()
        try:
            await self._end.wait()
        finally:
            held, self._held = self._held, None
            if held is not None:
                self._let_go(held)

    def _open(self) -> Held:
        try:
            return self._hold(self._chip, self._wishes)
        except OSError as error:
            what = f"cannot hold lines of {self._chip}: {error.strerror or error}"
            raise self._error(what, error.errno) from error

    def _let_go(self, held: Held) -> None:
        """Inactive first: some kernels keep the last level of a line that is let go."""
        for line, wish in self._wishes.items():
            if wish.is_output:
                with suppress(OSError):
                    held.set(line, active=False)
        with suppress(OSError):
            held.release()

    def _held_now(self, line: int) -> Held:
        if self._held is None:
            self.health.tx_failed += 1
            raise self._error(f"line {line} is not held: {self.health.why}", None)
        return self._held

    def _lost(self, line: int, error: OSError) -> LinkError:
        self.health.tx_failed += 1
        failure = self._error(f"line {line} of {self._chip} failed: {error}", error.errno)
        self._end.because(failure)
        return failure

    def _error(self, what: str, code: int | None) -> LinkError:
        return LinkError(what, where=self.name, remedy=_REMEDIES.get(code or 0, _REMEDY))


class RealLine:
    """One line of a chip; meets ports.links.GpioOutput and GpioInput."""

    def __init__(self, chip: RealGpio, line: int) -> None:
        self._chip, self._line = chip, line

    def drive(self, *, active: bool) -> None:
        """See ports.links.GpioOutput."""
        self._chip.drive(self._line, active=active)

    def is_active(self) -> bool:
        """See ports.links.GpioInput."""
        return self._chip.is_active(self._line)


def by_gpiod(name: str) -> Hold:
    """Hold lines with libgpiod. Raises ConfigError when its bindings are not installed."""
    try:
        library = importlib.import_module("gpiod")
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the Python bindings of libgpiod are not installed",
            where=f"links.{name}",
            remedy="Install them: pip install 'gridzero[gpio]' (Linux only)",
        ) from error
    return lambda chip, wishes: _Held(library, chip, wishes)


class _Held:
    """A gpiod.LineRequest in the words of this module."""

    def __init__(self, library: Any, chip: str, wishes: Mapping[int, Wish]) -> None:
        line = library.line
        self._values = {True: line.Value.ACTIVE, False: line.Value.INACTIVE}
        settings = {number: _settings(library, wish) for number, wish in wishes.items()}
        self._request: gpiod.LineRequest = library.request_lines(
            chip, consumer=_CONSUMER, config=settings
        )

    def set(self, line: int, *, active: bool) -> None:
        self._request.set_value(line, self._values[active])

    def get(self, line: int) -> bool:
        return self._request.get_value(line) is self._values[True]

    def release(self) -> None:
        self._request.release()


def _settings(library: Any, wish: Wish) -> gpiod.LineSettings:
    line = library.line
    if wish.is_output:
        made: gpiod.LineSettings = library.LineSettings(
            direction=line.Direction.OUTPUT,
            active_low=wish.active_low,
            output_value=line.Value.INACTIVE,
        )
        return made
    bias = {
        Bias.NONE: line.Bias.DISABLED,
        Bias.PULL_UP: line.Bias.PULL_UP,
        Bias.PULL_DOWN: line.Bias.PULL_DOWN,
    }
    read: gpiod.LineSettings = library.LineSettings(
        direction=line.Direction.INPUT, active_low=wish.active_low, bias=bias[wish.bias]
    )
    return read
