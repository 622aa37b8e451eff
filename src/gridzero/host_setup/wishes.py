"""What a person says about the machine that the configuration does not know."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gridzero.config.links import CanLinkConfig
from gridzero.config.models import Config
from gridzero.errors import ConfigError

SPI_PLACES = ("spi0.0", "spi0.1", "spi1.0")
INTERRUPTS = (25, 24, 22)
"""Examples of boards with as many controllers; what holds is what the board wires."""

_USB_SERIAL = re.compile(r"[\w.:-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SpiCan:
    """A CAN interface on an MCP2515. place: such as ``spi0.0``. interrupt: GPIO number."""

    channel: str
    bitrate: int
    place: str
    interrupt: int
    oscillator_hz: int


@dataclass(frozen=True, slots=True)
class UsbCan:
    """A CAN interface on a USB adapter, known by its serial number."""

    channel: str
    bitrate: int
    serial: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """Options of ``gridzero setup``.

    oscillator_hz: the number engraved on the crystals. interrupts: GPIOs in the order of the
    interfaces in the file. usb: serial number by channel; these are no MCP2515.
    spi: place by channel, for those that are not where the order of the file would have them.
    """

    program: str = "/opt/gridzero/bin/gridzero"
    oscillator_hz: int = 16_000_000
    interrupts: tuple[int, ...] = INTERRUPTS
    usb: tuple[tuple[str, str], ...] = ()
    spi: tuple[tuple[str, str], ...] = ()


def buses_of(config: Config, wishes: Wishes) -> tuple[SpiCan | UsbCan, ...]:
    """Every CAN interface of the file and where it is. Raises ConfigError."""
    links = _by_channel(config)
    usb = dict(wishes.usb)
    _check_usb(usb, links)
    chips = [channel for channel in links if channel not in usb]
    if len(chips) > len(SPI_PLACES):
        raise _error(f"{len(chips)} MCP2515", "Three at most; name USB adapters with --usb")
    if len(set(wishes.interrupts[: len(chips)])) < len(chips):
        raise _error("each MCP2515 needs an interrupt of its own", "Give --interrupts A,B,C")
    places = places_of(chips, dict(wishes.spi))
    return tuple(_bus(channel, rate, usb, places, wishes) for channel, rate in links.items())


def places_of(chips: list[str], said: dict[str, str]) -> dict[str, str]:
    """SPI place by channel: as the person says, the rest in the order of the file.

    Raises ConfigError for a place twice, one that there is not, or a channel without an MCP2515.
    """
    for channel, place in said.items():
        if channel not in chips:
            raise _error(f"--spi {channel}: no MCP2515 has this channel", f"One of {chips}")
        if place not in SPI_PLACES:
            raise _error(f"--spi {channel}={place}: no such place", f"One of {SPI_PLACES}")
    if len(set(said.values())) < len(said):
        raise _error("two interfaces at one SPI place", "Look which chip select each board has")
    free = [place for place in SPI_PLACES if place not in said.values()]
    return {channel: said.get(channel) or free.pop(0) for channel in chips}


def _by_channel(config: Config) -> dict[str, int]:
    """Bit rates. Virtual interfaces (vcan0 ...) have none and need no files."""
    rates: dict[str, int] = {}
    for name, link in config.links.items():
        if not isinstance(link, CanLinkConfig) or link.interface != "socketcan":
            continue
        if link.channel.startswith(("vcan", "vxcan")):
            continue
        if link.bitrate is None:
            raise _error(f"links.{name} has no bitrate", f"Add it: 'bitrate: 500000' to {name}")
        if re.fullmatch(r"can\d+", link.channel):
            raise _error(
                f"links.{name}: {link.channel} is a name that the kernel gives out itself",
                "Choose another one, such as canbms1, so that a reboot cannot swap them",
            )
        if not re.fullmatch(r"[\w.-]{1,15}", link.channel, re.ASCII):
            raise _error(
                f"links.{name}: {link.channel!r} cannot stand in the files of udev",
                "Use letters, digits, dots, hyphens and underscores only",
            )
        rates[link.channel] = link.bitrate
    return rates


def _check_usb(usb: dict[str, str], rates: dict[str, int]) -> None:
    for channel, serial in usb.items():
        if channel not in rates:
            raise _error(f"--usb {channel}: no link has this channel", f"One of {', '.join(rates)}")
        if not _USB_SERIAL.fullmatch(serial):
            raise _error(f"{serial!r} is no serial number", "lsusb -v shows iSerial")


def _bus(
    channel: str, rate: int, usb: dict[str, str], places: dict[str, str], wishes: Wishes
) -> SpiCan | UsbCan:
    if channel in usb:
        return UsbCan(channel, rate, usb[channel])
    interrupt = wishes.interrupts[list(places).index(channel)]
    return SpiCan(channel, rate, places[channel], interrupt, wishes.oscillator_hz)


def _error(what: str, remedy: str) -> ConfigError:
    return ConfigError(what, where="setup", remedy=remedy)
