"""Who counts as one, when somebody guesses passwords."""

from __future__ import annotations

import ipaddress


def group_of(address: str) -> str:
    """An IPv4 address, or an IPv6 network of 64 bits: one person has all of its addresses."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
