"""Serial ports, the I2C bus, pins and the watchdog: there, by a name that stays, free, allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gridzero.config.explain import nearest
from gridzero.config.links import GpioLinkConfig, I2cLinkConfig, SerialLinkConfig
from gridzero.doctor.evidence import DeviceFile, Evidence, Heard, Process, Unseen
from gridzero.doctor.verdict import Verdict, bad, ok, unknown, warn

BY_ID = "/dev/serial/by-id"
_CHANGING = re.compile(r"/dev/tty(USB|ACM)\d+")
_UART = re.compile(r"/dev/tty(AMA|S)\d+")
_RESTING_A = 1.0
"""A shunt that shows more while nothing flows is off, or something else draws."""


def _links(evidence: Evidence, kind: type[SerialLinkConfig]) -> Iterator[SerialLinkConfig]:
    if evidence.house is not None:
        for link in evidence.house.config.links.values():
            if isinstance(link, kind):
                yield link


def paths_of(evidence: Evidence) -> Iterator[str]:
    """Every device file that the configuration needs."""
    if evidence.house is None:
        return
    config = evidence.house.config
    for link in config.links.values():
        if isinstance(link, SerialLinkConfig):
            yield link.port
        elif isinstance(link, I2cLinkConfig):
            yield f"/dev/i2c-{link.bus_number}"
        elif isinstance(link, GpioLinkConfig):
            yield link.chip
    if config.watchdog.hardware is not None:
        yield config.watchdog.hardware


def _files(evidence: Evidence) -> Iterator[DeviceFile]:
    for path in dict.fromkeys(paths_of(evidence)):
        if path in evidence.devices:
            yield evidence.devices[path]


def present(evidence: Evidence) -> Iterator[Verdict]:
    """Each device file that the configuration names is there."""
    for file in _files(evidence):
        if file.exists:
            leads = f": {file.real}" if file.real not in {"", file.path} else ""
            yield ok(file.path, f"is there{leads}")
        else:
            yield bad(file.path, *_absent(file.path, evidence))


def _absent(path: str, evidence: Evidence) -> tuple[str, str]:
    if path.startswith("/dev/i2c-"):
        mend = "sudo raspi-config nonint do_i2c 0; sudo modprobe i2c-dev; sudo reboot"
        return "there is no such bus", mend
    if path.startswith("/dev/watchdog"):
        return "there is no watchdog", "Add dtparam=watchdog=on to /boot/firmware/config.txt"
    if path.startswith("/dev/gpiochip"):
        return "there is no such chip", "gpiodetect (package gpiod) lists the chips"
    found = evidence.adapters if not isinstance(evidence.adapters, Unseen) else {}
    names = [f"{BY_ID}/{name}" for name in found]
    hint = nearest(path, names).rstrip() or f"Adapters here: {', '.join(names) or 'none'}"
    return f"is not there. {hint}", f"Plug it in: ls -l {BY_ID}; then correct links in the file"


def stable(evidence: Evidence) -> Iterator[Verdict]:
    """Serial ports are named by what they are, not by the order in which they were plugged in."""
    adapters = evidence.adapters
    for link in _links(evidence, SerialLinkConfig):
        if not _CHANGING.fullmatch(link.port):
            continue
        names = () if isinstance(adapters, Unseen) else sorted(adapters.items())
        by_id = [f"{BY_ID}/{name}" for name, real in names if real == link.port]
        better = by_id[0] if by_id else "its name under /dev/serial/by-path"
        text = "changes with the order of plugging in"
        yield warn(link.port, text, f"Write in the file: port: {better}")


def permitted(evidence: Evidence) -> Iterator[Verdict]:
    """Whoever asks may open each device."""
    user = evidence.user or "USER"
    for file in _files(evidence):
        if not file.exists:
            continue
        if file.may_open:
            yield ok(file.path, f"{user} may open it")
        elif file.group in {"", "root"}:
            mend = "gridzero setup FILE --write makes the udev rule that allows it"
            yield bad(file.path, f"{user} may not open it: it is root's alone", mend)
        else:
            mend = f"sudo usermod -aG {file.group} {user}, then sign in again"
            yield bad(file.path, f"{user} may not open it", mend)


def free(evidence: Evidence) -> Iterator[Verdict]:
    """No other program holds a serial port or the watchdog."""
    shared = ("/dev/i2c-", "/dev/gpiochip")
    for file in _files(evidence):
        if not file.exists or file.path.startswith(shared):
            continue
        strangers = [p for p in file.holders if not _is_ours(p, evidence)]
        if strangers:
            told = ", ".join(f"{p.command} (process {p.pid})" for p in strangers)
            yield bad(file.path, f"another program holds it: {told}", _end(file, strangers[0]))
        elif file.holders:
            yield ok(file.path, f"gridzero holds it (process {file.holders[0].pid})")
        elif not file.all_seen:
            yield unknown(file.path, "programs of other users were not seen", "Ask with sudo")
        else:
            yield ok(file.path, "no program holds it")
    yield from _kernel_console(evidence)


def _is_ours(process: Process, evidence: Evidence) -> bool:
    running = () if isinstance(evidence.others, Unseen) else evidence.others
    return process.pid in {evidence.lock_holder, *(other.pid for other in running)}


def _end(file: DeviceFile, holder: Process) -> str:
    if file.path.startswith("/dev/watchdog"):
        return "Set RuntimeWatchdogSec=0 in /etc/systemd/system.conf, then sudo reboot"
    return f"sudo systemctl status {holder.pid} tells what it is; or sudo kill {holder.pid}"


def _kernel_console(evidence: Evidence) -> Iterator[Verdict]:
    arguments = evidence.kernel_arguments
    consoles = re.findall(r"console=(\w+)", arguments) if isinstance(arguments, str) else []
    used = {f"/dev/{name}" for name in consoles}
    for link in _links(evidence, SerialLinkConfig):
        file = evidence.devices.get(link.port)
        if used & {link.port, file.real if file else ""}:
            mend = "sudo raspi-config nonint do_serial_cons 1; sudo reboot"
            yield bad(link.port, "the kernel writes its console there", mend)


def rs485(evidence: Evidence) -> Iterator[Verdict]:
    """Who switches the transceiver's direction."""
    for link in _links(evidence, SerialLinkConfig):
        file = evidence.devices.get(link.port)
        real = file.real if file and file.real else link.port
        if link.rs485 and _CHANGING.fullmatch(real):
            text = "rs485: true on a USB adapter, which switches the direction by itself"
            yield warn(link.port, text, "Leave rs485 out of the file")
        elif not link.rs485 and _UART.fullmatch(real):
            text = "a UART without rs485: right only where the board switches the direction itself"
            yield unknown(link.port, text, "rs485: true where RTS switches the transceiver")
        else:
            yield ok(link.port, "the kernel switches" if link.rs485 else "the adapter switches")


def sensors(evidence: Evidence) -> Iterator[Verdict]:
    """Devices on I2C answer; asked only while no gridzero runs."""
    for (link, address), answer in evidence.sensors.items():
        subject = f"{link} 0x{address:02x}"
        if isinstance(answer, Unseen):
            yield unknown(subject, answer.why)
        elif answer:
            mend = "Check 3.3 V, SDA, SCL and the ADDR strap; i2cdetect -y 1 lists addresses"
            yield bad(subject, answer, mend)
        else:
            yield ok(subject, "answers")


def shunt(evidence: Evidence) -> Iterator[Verdict]:
    """A resting battery has no current."""
    heard = evidence.heard
    state = heard.state if isinstance(heard, Heard) else None
    if not (evidence.house and evidence.house.sensors and state is not None):
        return
    current_a, rests = _number(state, "battery", "current_a"), _rests(state)
    if current_a is None:
        yield unknown("shunt", "its current is not known: gridzero says null")
    elif not rests:
        yield unknown("shunt", "its zero shows at rest only", "gridzero console -c 'mode hold'")
    elif abs(current_a) > _RESTING_A:
        mend = "Check the shunt's two sense wires and gain_v; see docs/state-of-charge.md"
        yield warn("shunt", f"{current_a:.2f} A while nothing is commanded", mend)
    else:
        yield ok("shunt", f"{current_a:.2f} A at rest")


def _number(state: object, *keys: str) -> float | None:
    for key in keys:
        state = state.get(key) if isinstance(state, dict) else None
    return float(state) if isinstance(state, int | float) and abs(state) < 1e9 else None


def _rests(state: object) -> bool:
    """Every converter is told 0 W."""
    units = [
        unit
        for role in ("chargers", "inverters")
        for unit in _values(state.get(role) if isinstance(state, dict) else None)
    ]
    return bool(units) and all(_number(unit, "command_w") == 0 for unit in units)


def _values(units: object) -> list[object]:
    return list(units.values()) if isinstance(units, dict) else []


def watchdog(evidence: Evidence) -> Iterator[Verdict]:
    """Somebody resets a Pi whose kernel hangs."""
    if evidence.house is None:
        return
    path = evidence.house.config.watchdog.hardware
    if path is not None:
        yield ok(path, f"resets it after {evidence.house.config.watchdog.timeout_s} s")
    elif evidence.container is not None:
        yield unknown("hardware", "in a container it may be the host's to feed")
    else:
        mend = "Write in the file: watchdog: {hardware: /dev/watchdog}"
        yield warn("hardware", "nothing resets this machine when its kernel hangs", mend)
