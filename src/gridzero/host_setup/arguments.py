"""Options of ``gridzero setup``."""

from __future__ import annotations

import argparse
from pathlib import Path

from gridzero.host_setup.wishes import INTERRUPTS, Wishes


def add(parser: argparse.ArgumentParser) -> None:
    """Give the parser its options."""
    usual = Wishes()
    parser.add_argument("config", type=Path, metavar="FILE")
    parser.add_argument("--write", action="store_true", help="write; otherwise only show")
    parser.add_argument(
        "--force", action="store_true", help="also files that a person made or changed"
    )
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="default: /")
    parser.add_argument("--program", default=usual.program, metavar="PATH", help="of gridzero")
    parser.add_argument(
        "--oscillator",
        type=_oscillator,
        default=usual.oscillator_hz,
        metavar="HZ",
        help="engraved on the crystals of the MCP2515; default: 16000000",
    )
    parser.add_argument(
        "--interrupts",
        type=_interrupts,
        default=INTERRUPTS,
        metavar="A,B,C",
        help="GPIO of each MCP2515 in the order of the file; default: 25,24,22",
    )
    parser.add_argument(
        "--spi",
        type=_pair,
        action="append",
        default=[],
        metavar="CHANNEL=PLACE",
        help="where an MCP2515 is: spi0.0, spi0.1 or spi1.0; default: in the order of the file",
    )
    parser.add_argument(
        "--usb",
        type=_pair,
        action="append",
        default=[],
        metavar="CHANNEL=SERIAL",
        help="an interface on a USB adapter with that serial number",
    )


def wishes_of(arguments: argparse.Namespace) -> Wishes:
    """The options as one thing."""
    return Wishes(
        program=arguments.program,
        oscillator_hz=arguments.oscillator,
        interrupts=arguments.interrupts,
        usb=tuple(arguments.usb),
        spi=tuple(arguments.spi),
    )


def _oscillator(text: str) -> int:
    value = int(text)
    if not 1_000_000 <= value <= 40_000_000:
        raise argparse.ArgumentTypeError("in Hz, such as 8000000 or 16000000")
    return value


def _interrupts(text: str) -> tuple[int, ...]:
    pins = tuple(int(part) for part in text.split(","))
    if not all(0 <= pin <= 27 for pin in pins):
        raise argparse.ArgumentTypeError("GPIO numbers from 0 to 27")
    return (*pins, *(pin for pin in INTERRUPTS if pin not in pins))


def _pair(text: str) -> tuple[str, str]:
    channel, sign, value = text.partition("=")
    if not (channel and sign and value):
        raise argparse.ArgumentTypeError("write CHANNEL=VALUE")
    return channel, value
