"""CAN interfaces: there, named, up, at the right rate, able to come back from bus-off, calm."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gridzero.config.explain import nearest
from gridzero.config.links import CanLinkConfig
from gridzero.doctor.evidence import CanDetails, Evidence, Interface, Unseen
from gridzero.doctor.verdict import Verdict, bad, ok, unknown, warn

RESTART_MS = 100
QUEUE_FRAMES = 64
_QUEUE_FITS = range(16, 257)
"""Below, a burst is refused with ENOBUFS; above, a bus that comes back hears old set-points."""

_NO_QUEUE_NEEDED = frozenset({"vcan", "vxcan"})

Look = Callable[[Interface, CanDetails, CanLinkConfig], Iterator[Verdict]]


def links_of(evidence: Evidence) -> Iterator[CanLinkConfig]:
    """Every bus of the configuration that is a network interface of this machine."""
    if evidence.house is None:
        return
    for link in evidence.house.config.links.values():
        if isinstance(link, CanLinkConfig) and link.interface == "socketcan":
            yield link


def wanted(evidence: Evidence) -> Iterator[tuple[Interface, CanLinkConfig]]:
    """Interfaces that the configuration names and that are there; without one all of them."""
    if isinstance(evidence.interfaces, Unseen):
        return
    if evidence.house is None:
        for name, interface in evidence.interfaces.items():
            yield interface, CanLinkConfig(type="can", channel=name)
        return
    for link in links_of(evidence):
        if link.channel in evidence.interfaces:
            yield evidence.interfaces[link.channel], link


def set_up(link: CanLinkConfig, is_: object = None) -> str:
    """The commands that bring an interface up as it should be (ip-link(8), type can).

    is_: its details, as far as they are known: a serial adapter refuses a restart time.
    """
    rate = link.bitrate or "RATE"
    restarts = not (isinstance(is_, CanDetails) and is_.is_serial)
    return (
        f"sudo ip link set {link.channel} down; sudo ip link set {link.channel} up "
        f"txqueuelen {QUEUE_FRAMES} type can bitrate {rate}"
        + (f" restart-ms {RESTART_MS}" if restarts else "")
    )


def present(evidence: Evidence) -> Iterator[Verdict]:
    """Each channel of the configuration is a CAN interface."""
    found = evidence.interfaces
    if isinstance(found, Unseen):
        yield unknown("", f"network interfaces: {found.why}")
        return
    for link in links_of(evidence):
        name = link.channel
        if name in found:
            yield ok(name, "is there")
        elif name in evidence.other_interfaces:
            yield bad(name, "is a network interface, but no CAN bus", _names(evidence, found))
        else:
            hint = nearest(name, found).rstrip()
            there = f"CAN interfaces here: {', '.join(sorted(found)) or 'none'}"
            yield bad(name, f"there is no such interface. {hint or there}", _names(evidence, found))


def _names(evidence: Evidence, found: object) -> str:
    if not found and evidence.boot is not None:
        return "gridzero setup FILE --write, then sudo reboot; dmesg | grep -i mcp251 tells more"
    return "gridzero setup FILE --write names them; or correct links in the file"


def up(evidence: Evidence) -> Iterator[Verdict]:
    """Interfaces are up."""
    for interface, link in wanted(evidence):
        if interface.is_up is None:
            yield unknown(interface.name, "whether it is up cannot be read")
        elif not interface.is_up:
            yield bad(interface.name, "is down", set_up(link, interface.details))
        else:
            yield ok(interface.name, "is up")


def _each(look: Look) -> Callable[[Evidence], Iterator[Verdict]]:
    """Apply a look to every interface whose details are known; the first row says why not."""

    def rows(evidence: Evidence) -> Iterator[Verdict]:
        for interface, link in wanted(evidence):
            if isinstance(interface.details, CanDetails) and interface.is_up is not False:
                yield from look(interface, interface.details, link)

    return rows


def readable(evidence: Evidence) -> Iterator[Verdict]:
    """The controller's state can be read at all."""
    for interface, _link in wanted(evidence):
        if isinstance(interface.details, Unseen):
            yield unknown(interface.name, f"its controller: {interface.details.why}")
        elif interface.details is None:
            yield unknown(interface.name, "ip knows nothing of its controller")


def _bitrate(interface: Interface, is_: CanDetails, link: CanLinkConfig) -> Iterator[Verdict]:
    if is_.kind in _NO_QUEUE_NEEDED:
        yield ok(interface.name, f"{is_.kind}: has no bit rate")
    elif is_.bitrate is None:
        yield bad(interface.name, "no bit rate is set", set_up(link, is_))
    elif link.bitrate is None:
        yield ok(interface.name, f"{is_.bitrate} bit/s; the file names none to compare with")
    elif is_.bitrate != link.bitrate:
        text = f"runs at {is_.bitrate} bit/s, the file wants {link.bitrate}"
        yield bad(interface.name, text, set_up(link, is_))
    else:
        yield ok(interface.name, f"{is_.bitrate} bit/s")


def _restart(interface: Interface, is_: CanDetails, link: CanLinkConfig) -> Iterator[Verdict]:
    if is_.kind in _NO_QUEUE_NEEDED or is_.restart_ms is None:
        return
    if is_.is_serial:
        text = "a serial adapter (slcan): after bus-off it stays dead, the kernel cannot restart it"
        yield warn(
            interface.name, text, "Use an MCP2515 or gs_usb; till then: " + set_up(link, is_)
        )
    elif is_.restart_ms == 0:
        yield warn(interface.name, "restart-ms is 0: after bus-off it stays dead", set_up(link))
    else:
        yield ok(interface.name, f"comes back {is_.restart_ms} ms after bus-off")


def _state(interface: Interface, is_: CanDetails, link: CanLinkConfig) -> Iterator[Verdict]:
    state, name = is_.state, interface.name
    if is_.kind in _NO_QUEUE_NEEDED or state is None:
        return
    if state == "BUS-OFF":
        mend = f"Check for a short of CANH and CANL, then: {set_up(link, is_)}"
        yield bad(name, "the controller is bus-off", mend)
    elif state == "ERROR-PASSIVE":
        mend = "Check that another node is powered, the bit rate, the crystal and both wires"
        yield bad(name, "the controller is error-passive: nobody acknowledges it", mend)
    elif state != "ERROR-ACTIVE":
        yield warn(name, f"the controller is {state}", "Check termination, cable and bit rate")
    else:
        yield ok(name, "the controller is error-active")


def _counters(interface: Interface, is_: CanDetails, _link: CanLinkConfig) -> Iterator[Verdict]:
    name, lost = interface.name, interface.after.overruns - interface.before.overruns
    if lost > 0:
        mend = "Use a 16 MHz board or a controller with a deeper buffer; look for a busy Pi: top"
        yield warn(name, f"{lost} frames came faster than they were fetched while looking", mend)
    elif is_.bus_offs:
        mend = "Check plugs, termination and cable; a short in a moving cable comes and goes"
        yield warn(name, f"was bus-off {is_.bus_offs} times since it was set up", mend)
    else:
        yield ok(name, "lost nothing while looking, and was never bus-off")


def queue(evidence: Evidence) -> Iterator[Verdict]:
    """The transmit queue is neither tiny nor a store of old commands."""
    for interface, _link in wanted(evidence):
        length, details = interface.queue_length, interface.details
        if length is None:
            yield unknown(interface.name, "its transmit queue cannot be read")
        elif isinstance(details, CanDetails) and details.kind in _NO_QUEUE_NEEDED:
            continue
        elif length not in _QUEUE_FITS:
            why = "loses bursts" if length < _QUEUE_FITS.start else "keeps old commands"
            mend = f"sudo ip link set {interface.name} txqueuelen {QUEUE_FRAMES}"
            yield warn(interface.name, f"a transmit queue of {length} frames {why}", mend)
        else:
            yield ok(interface.name, f"transmit queue of {length} frames")


bitrate, restart, state, counters = map(_each, (_bitrate, _restart, _state, _counters))
