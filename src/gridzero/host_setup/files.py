"""Which files there are, and what stands in them. Pure: nothing is read or written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridzero.config.links import GpioLinkConfig, I2cLinkConfig, SerialLinkConfig
from gridzero.config.models import Config
from gridzero.doctor.can_rows import QUEUE_FRAMES, RESTART_MS
from gridzero.errors import ConfigError
from gridzero.host_setup.unit import unit_text
from gridzero.host_setup.wishes import SpiCan, UsbCan, Wishes, buses_of

BOOT = "/boot/firmware/config.txt"
_BY_ID = "/dev/serial/by-id/"

Bus = SpiCan | UsbCan


@dataclass(frozen=True, slots=True)
class HostFile:
    """A file of the machine. is_block: only a part of it is ours, the rest is somebody's."""

    path: str
    why: str
    text: str
    is_block: bool = False


def files_of(config: Config, file: Path, wishes: Wishes) -> tuple[HostFile, ...]:
    """Everything that this configuration needs, in the order in which it is told.

    Raises ConfigError where something is missing in the file or the options.
    """
    buses = buses_of(config, wishes)
    return tuple(
        made
        for made in (
            *_of_boot(config, buses),
            *_of_udev(config, buses),
            *_of_buses(buses),
            *_of_service(config, file, wishes),
        )
        if made.text
    )


def _of_boot(config: Config, buses: tuple[Bus, ...]) -> Iterator[HostFile]:
    lines = [*_overlays(buses), *_parameters(config)]
    if lines:
        text = "\n".join(["[all]", *lines]) + "\n"
        yield HostFile(BOOT, "devices of the Raspberry Pi; holds after a reboot", text, True)


def _overlays(buses: tuple[Bus, ...]) -> Iterator[str]:
    """Lines for MCP2515 controllers.

    raspberrypi/linux, arch/arm/boot/dts/overlays/README: ``mcp2515`` takes any SPI place, with
    oscillator (Hz) and interrupt (GPIO); SPI1 must be switched on by ``spi1-1cs`` first, and its
    spidev switched off where another driver is to have the place. There is no ``mcp2515-can2``.
    """
    chips = [bus for bus in buses if isinstance(bus, SpiCan)]
    if chips:
        yield "dtparam=spi=on"
    for chip in chips:
        place = chip.place.replace(".", "-")
        if chip.place == "spi1.0":
            yield "dtoverlay=spi1-1cs,cs0_pin=18,cs0_spidev=disabled"
        yield (
            f"dtoverlay=mcp2515,{place},oscillator={chip.oscillator_hz},interrupt={chip.interrupt}"
        )


def _parameters(config: Config) -> Iterator[str]:
    """The README named above, section <The base DTB>: i2c_arm, watchdog; strict_gpiod."""
    kinds = {type(link) for link in config.links.values()}
    if I2cLinkConfig in kinds:
        yield "dtparam=i2c_arm=on"
    if GpioLinkConfig in kinds:
        yield "dtparam=strict_gpiod"
    if config.watchdog.hardware is not None:
        yield "dtparam=watchdog=on"


def _of_udev(config: Config, buses: tuple[Bus, ...]) -> Iterator[HostFile]:
    lines = [*map(_name, buses), *_adapters(config), *_watchdog(config)]
    text = "".join(f"{line}\n" for line in lines)
    yield HostFile("/etc/udev/rules.d/70-gridzero.rules", "names that stay", text)


def _name(bus: Bus) -> str:
    """udev(7): keys KERNELS and ATTRS match a parent, NAME and ATTR set. 280 is ARPHRD_CAN.

    The queue is set here and not by networkd, whose TransmitQueueLength= does nothing for CAN
    before systemd 248 (linux-can/can-utils, issue 470).
    """
    by = (
        f'KERNELS=="{bus.place}"'
        if isinstance(bus, SpiCan)
        else f'SUBSYSTEMS=="usb", ATTRS{{serial}}=="{bus.serial}"'
    )
    return (
        f'SUBSYSTEM=="net", ACTION=="add", ATTR{{type}}=="280", {by}, NAME="{bus.channel}", '
        f'ATTR{{tx_queue_len}}="{QUEUE_FRAMES}"'
    )


def _adapters(config: Config) -> Iterator[str]:
    """Serial adapters: their group. systemd's own 60-serial.rules makes the names by id."""
    for link in config.links.values():
        if isinstance(link, SerialLinkConfig) and link.port.startswith(_BY_ID):
            adapter = f'ENV{{ID_SERIAL}}=="{_id(link.port)}"'
            yield f'SUBSYSTEM=="tty", {adapter}, GROUP="dialout", MODE="0660"'


def _id(port: str) -> str:
    """ID_SERIAL in a name by id: ``BUS-ID_SERIAL-ifNN-portN`` (60-serial.rules).

    Raises ConfigError for a name that cannot stand in a rule.
    """
    name = port.removeprefix(_BY_ID).partition("-")[2]
    bare = name.rpartition("-if")[0] or name
    if not bare or set(bare) & set('"\\*?[]|\n'):
        raise ConfigError(
            f"{port!r} is no name by id", where="setup", remedy="ls -l /dev/serial/by-id"
        )
    return bare


def _watchdog(config: Config) -> Iterator[str]:
    if config.watchdog.hardware is not None:
        yield 'SUBSYSTEM=="misc", KERNEL=="watchdog", GROUP="gridzero", MODE="0660"'


def _of_buses(buses: tuple[Bus, ...]) -> Iterator[HostFile]:
    for bus in buses:
        path = f"/etc/systemd/network/20-{bus.channel}.network"
        yield HostFile(path, f"bit rate of {bus.channel}, and its way out of bus-off", _net(bus))


def _net(bus: Bus) -> str:
    """systemd.network(5), sections [Link] and [CAN]."""
    return (
        f"[Match]\nName={bus.channel}\n\n[Link]\nRequiredForOnline=no\n\n"
        f"[CAN]\nBitRate={bus.bitrate}\nRestartSec={RESTART_MS}ms\n"
    )


def _of_service(config: Config, file: Path, wishes: Wishes) -> Iterator[HostFile]:
    yield HostFile("/etc/sysusers.d/gridzero.conf", "the user it runs as", _user(config))
    if config.watchdog.hardware is not None:
        yield HostFile(
            "/etc/systemd/system.conf.d/10-gridzero.conf",
            "leaves the hardware watchdog to gridzero",
            "[Manager]\nRuntimeWatchdogSec=0\n",
        )
    unit = unit_text(config, file, wishes.program, groups_of(config))
    yield HostFile("/etc/systemd/system/gridzero.service", "starts it and keeps it alive", unit)


def _user(config: Config) -> str:
    """sysusers.d(5): u makes a user with its group, m puts it into another one."""
    groups = "".join(f"m gridzero {group}\n" for group in groups_of(config))
    return f'u gridzero - "gridzero" {config.site.state_dir}\n{groups}'


def groups_of(config: Config) -> tuple[str, ...]:
    """Groups that own the devices on Debian and Raspberry Pi OS."""
    wanted = {SerialLinkConfig: "dialout", I2cLinkConfig: "i2c", GpioLinkConfig: "gpio"}
    kinds = {type(link) for link in config.links.values()}
    return tuple(group for kind, group in wanted.items() if kind in kinds)
