"""Reads CAN interfaces: /sys/class/net and ``ip -details -json link``.

Sources: Documentation/ABI/testing/sysfs-class-net of the kernel (type, flags, tx_queue_len),
linux/if_arp.h (ARPHRD_CAN 280); ip-link(8) with the options -details and -json, whose keys are
read as optional, because they differ between versions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gridzero.doctor.evidence import CanDetails, Counters, Interface, Unseen
from gridzero.doctor.root import Root

NET = "/sys/class/net"
_ARPHRD_CAN = 280
_UP = 1  # IFF_UP of linux/if.h

Told = Mapping[str, CanDetails] | Unseen


def interfaces_of(root: Root, told: Told) -> Mapping[str, Interface] | Unseen:
    """Every CAN interface. told: what ip says of their controllers."""
    names = root.names(NET)
    if isinstance(names, Unseen):
        return names
    found = names or ()
    return {name: _interface(root, name, told) for name in found if is_can(root, name)}


def is_can(root: Root, name: str) -> bool:
    """Whether a network interface is a CAN bus."""
    return root.number(f"{NET}/{name}/type") == _ARPHRD_CAN


def others_of(root: Root) -> tuple[str, ...]:
    """Network interfaces that are none."""
    names = root.names(NET)
    found = names if isinstance(names, tuple) else ()
    return tuple(name for name in found if not is_can(root, name))


def _interface(root: Root, name: str, told: Told) -> Interface:
    flags = root.number(f"{NET}/{name}/flags")
    return Interface(
        name=name,
        is_up=None if flags is None else bool(flags & _UP),
        queue_length=root.number(f"{NET}/{name}/tx_queue_len"),
        details=told if isinstance(told, Unseen) else told.get(name),
        before=counters_of(root, name),
    )


def counters_of(root: Root, name: str) -> Counters:
    """Its counters now; 0 for one that cannot be read, so that it cannot rise."""

    def count(what: str) -> int:
        return root.number(f"{NET}/{name}/statistics/{what}") or 0

    return Counters(
        received=count("rx_packets"),
        sent=count("tx_packets"),
        receive_errors=count("rx_errors"),
        send_errors=count("tx_errors"),
        overruns=count("rx_over_errors"),
    )


def details_of(output: str) -> Told:
    """By interface what ``ip -details -json link`` printed."""
    try:
        links = json.loads(output)
    except (ValueError, RecursionError):
        return Unseen("ip printed something that is no JSON")
    if not isinstance(links, list):
        return Unseen("ip printed no list of interfaces")
    given = ((part.get("ifname"), _part(part.get("linkinfo"))) for part in map(_part, links))
    return {
        name: _details(info)
        for name, info in given
        if isinstance(name, str) and "can" in str(info.get("info_kind"))
    }


def _details(info: Mapping[str, Any]) -> CanDetails:
    data, counts = _part(info.get("info_data")), _part(info.get("info_xstats"))
    state = data.get("state")
    return CanDetails(
        kind=str(info.get("info_kind"))[:15],
        state=state[:15] if isinstance(state, str) else None,
        bitrate=_bitrate(data),
        restart_ms=_whole(data.get("restart_ms")) if "restart_ms" in data else _no_restart(data),
        clock_hz=_whole(data.get("clock")),
        bus_offs=_whole(counts.get("bus_off", data.get("bus_off"))) or 0,
    )


def _bitrate(data: Mapping[str, Any]) -> int | None:
    """Adapters with a list of rates instead of bit timing (slcan) have a key of their own."""
    return _whole(_part(data.get("bittiming")).get("bitrate", data.get("bittiming_bitrate")))


def _no_restart(data: Mapping[str, Any]) -> int | None:
    """Some versions of ip leave a restart time of 0 out."""
    return 0 if "bittiming" in data else None


def _part(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return int(value) if is_number and isinstance(value, int) and value >= 0 else None
