"""MCP2515 controllers of a Raspberry Pi: overlays, crystals, interrupts.

Facts: raspberrypi/linux, arch/arm/boot/dts/overlays/README, sections mcp2515, mcp2515-can0 and
spi1-1cs. The driver derives the bit timing from half the crystal: a wrong ``oscillator`` does not
fail, it shifts the bit rate on the wire.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gridzero.doctor.can_rows import wanted
from gridzero.doctor.evidence import CanDetails, Evidence, Interface, Unseen
from gridzero.doctor.verdict import Verdict, bad, ok, unknown, warn

_OSCILLATOR_HZ = 16_000_000
_INTERRUPT = 25
_OLD_NAMES = {"mcp2515-can0": "spi0-0", "mcp2515-can1": "spi0-1"}
_USUAL_HZ = (8_000_000, 16_000_000)
_MHZ = 1_000_000


@dataclass(frozen=True, slots=True)
class Overlay:
    """One line that makes an MCP2515 known. place: such as ``spi0-0``, "" = none given."""

    name: str
    place: str
    oscillator_hz: int | None
    interrupt: int | None


def lines_of(boot: str) -> Iterator[str]:
    """Settings of config.txt without comments and filters such as ``[pi4]``."""
    for raw in boot.splitlines():
        line = raw.partition("#")[0].strip()
        if line and not line.startswith("["):
            yield line


def overlays_of(boot: str) -> tuple[Overlay, ...]:
    """Every MCP2515 of config.txt."""
    loads = (line.partition("=") for line in lines_of(boot))
    words = (value.split(",") for key, _, value in loads if key.strip() == "dtoverlay")
    return tuple(_overlay(given) for given in words if given[0].strip().startswith("mcp2515"))


def _overlay(words: list[str]) -> Overlay:
    name, *given = (word.strip() for word in words)
    options = {key.strip(): value.strip() for key, _, value in (w.partition("=") for w in given)}
    places = [word for word in options if word.startswith("spi") and "-" in word]
    return Overlay(
        name=name,
        place=_OLD_NAMES.get(name, places[0] if places else ""),
        oscillator_hz=_number(options.get("oscillator"), _OSCILLATOR_HZ),
        interrupt=_number(options.get("interrupt"), _INTERRUPT),
    )


def _number(text: str | None, default: int) -> int | None:
    """None where a person wrote something else than a number."""
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None


def overlays(evidence: Evidence) -> Iterator[Verdict]:
    """The lines of config.txt fit together."""
    boot = evidence.boot
    if isinstance(boot, Unseen):
        yield unknown("config.txt", boot.why)
        return
    chips = overlays_of(boot) if boot is not None else ()
    if boot is None or not chips:
        return
    lines = [line.replace(" ", "") for line in lines_of(boot)]
    faults = [*_each_alone(chips), *_together(chips, lines)]
    yield from faults
    if not faults:
        yield ok("config.txt", f"{len(chips)} MCP2515, each with an interrupt of its own")


def _each_alone(chips: tuple[Overlay, ...]) -> Iterator[Verdict]:
    for chip in chips:
        if chip.name not in {"mcp2515", *_OLD_NAMES}:
            mend = "Write dtoverlay=mcp2515,spi1-0,... : gridzero setup FILE shows all lines"
            yield bad("config.txt", f"there is no overlay {chip.name}", mend)
        elif not chip.place:
            mend = "Write dtoverlay=mcp2515,spi0-0,oscillator=...,interrupt=..."
            yield bad("config.txt", "an mcp2515 without its SPI place", mend)
        elif chip.oscillator_hz is None or chip.interrupt is None:
            mend = "Write them as whole numbers, such as oscillator=16000000,interrupt=25"
            yield bad("config.txt", f"{chip.place}: oscillator or interrupt is no number", mend)


def _together(chips: tuple[Overlay, ...], lines: list[str]) -> Iterator[Verdict]:
    shared = [pin for pin, n in Counter(chip.interrupt for chip in chips).items() if n > 1]
    for pin in shared:
        mend = "Give each interrupt= the GPIO that the board wires for it"
        yield bad("config.txt", f"several MCP2515 on interrupt {pin}: only one is heard", mend)
    if "dtparam=spi=on" not in lines and any(chip.place.startswith("spi0") for chip in chips):
        yield bad("config.txt", "SPI is not switched on", "Add the line dtparam=spi=on; reboot")
    has_spi1 = any(line.startswith("dtoverlay=spi1-") for line in lines)
    if any(chip.place.startswith("spi1") for chip in chips) and not has_spi1:
        mend = "Add the line dtoverlay=spi1-1cs,cs0_pin=18,cs0_spidev=disabled before it; reboot"
        yield bad("config.txt", "an MCP2515 on SPI1, but SPI1 is not switched on", mend)


def oscillator(evidence: Evidence) -> Iterator[Verdict]:
    """Errors rise while nothing else speaks: the sign of a wrong crystal or bit rate."""
    for interface, _link in wanted(evidence):
        details = interface.details
        if not isinstance(details, CanDetails) or details.clock_hz is None:
            continue
        crystal_hz = 2 * details.clock_hz
        if details.bitrate == _MHZ and 0 < crystal_hz <= _USUAL_HZ[0]:
            text = f"1 Mbit/s is impossible with a crystal of {crystal_hz // _MHZ} MHz"
            yield bad(interface.name, text, "Use 500000 bit/s or a 16 MHz board")
        elif _sounds_wrong(interface, details):
            yield bad(interface.name, _suspicion(crystal_hz), _mend(crystal_hz))
        else:
            yield from _calm(interface, crystal_hz, evidence)


def _sounds_wrong(interface: Interface, details: CanDetails) -> bool:
    before, after = interface.before, interface.after
    errors = (after.receive_errors + after.send_errors) - (
        before.receive_errors + before.send_errors
    )
    is_troubled = details.state in {"ERROR-WARNING", "ERROR-PASSIVE", "BUS-OFF"}
    return after.received == before.received and (errors > 0 or is_troubled)


def _suspicion(crystal_hz: int) -> str:
    """crystal_hz: 0 where the driver tells none."""
    what = "errors, and not one frame is understood: another bit rate on the wire, or nobody there"
    told = f" (the driver believes in a crystal of {crystal_hz / _MHZ:g} MHz)"
    return what + (told if crystal_hz else "")


def _mend(crystal_hz: int) -> str:
    if not crystal_hz:
        return "Check the bit rate, power at the other end, both wires, termination"
    other = next(hz for hz in _USUAL_HZ if hz != crystal_hz)
    return (
        f"Read the number on the crystal; if it is {other / _MHZ:g} MHz: oscillator={other} in "
        "/boot/firmware/config.txt, then sudo reboot. Else check power, both wires, termination"
    )


def _calm(interface: Interface, crystal_hz: int, evidence: Evidence) -> Iterator[Verdict]:
    frames = interface.after.received - interface.before.received
    if isinstance(evidence.boot, str):
        said = {chip.oscillator_hz for chip in overlays_of(evidence.boot)}
        if said and crystal_hz and crystal_hz not in said:
            text = f"the driver counts with {crystal_hz / _MHZ:g} MHz, config.txt says otherwise"
            yield warn(interface.name, text, "sudo reboot")
            return
    if frames:
        yield ok(interface.name, f"{frames} frames were understood while looking")
    elif evidence.is_running:
        mend = "Check power, both wires, termination, and that it is the right bus"
        yield warn(interface.name, "gridzero runs, and no frame came while looking", mend)
    else:
        yield unknown(interface.name, "silent; nodes speak when gridzero asks them")
