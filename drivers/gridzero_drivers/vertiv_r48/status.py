"""The status word, parameter 0x40: 32 flags in bytes 4 to 7.

Names and order are those of R48.c (endless-sphere thread 114785), the only source that counts
from byte 4; sergeyshadow/esphome-emerson-r48 counts from byte 7. No capture has settled it, so
the raw word is logged with every change.
"""

from __future__ import annotations

_BYTES: tuple[tuple[str, ...], ...] = (
    (
        "temp_limited_power",
        "ac_power_limitation",
        "eeprom_error",
        "fan_failure",
        "module_protection",
        "module_fault",
        "overtemperature",
        "overvoltage",
    ),
    (
        "can_error",
        "power_balance_error",
        "module_identifying",
        "overvoltage_shutdown_relay",
        "walk_in_active",
        "fan_full_speed",
        "module_switch",
        "power_limit",
    ),
    (
        "pfc_error",
        "ac_overvoltage",
        "duplicate_module_id",
        "severe_current_imbalance",
        "comm_phase_loss",
        "comm_imbalance",
        "ac_undervoltage",
        "sequential_start",
    ),
    (
        "reserved0",
        "reserved1",
        "fuse_fault_output",
        "internal_comm_error",
        "undervoltage_output",
        "overload",
        "pnp_alarm",
        "slight_current_imbalance",
    ),
)

STATUS_BITS: dict[str, int] = {
    name: 1 << (24 - 8 * byte + bit)
    for byte, names in enumerate(_BYTES)
    for bit, name in enumerate(names)
}
"""Name of each flag (bit 0 of byte 4 first) and its mask in the word of bytes 4 to 7."""

_EVERYDAY = {
    "ac_power_limitation",
    "walk_in_active",
    "fan_full_speed",
    "module_switch",
    "power_limit",
    "sequential_start",
}


def status_flags(word: int) -> tuple[str, ...]:
    """Names of the bits that are set, in the order of the table."""
    return tuple(name for name, mask in STATUS_BITS.items() if word & mask)


def alarms(word: int) -> tuple[str, ...]:
    """Names of the set bits that a person should know of, sorted.

    Everything but the states that belong to normal work. Reserved bits count: the order of the
    table has one source only, so an unexpected bit is worth a look.
    """
    return tuple(sorted(name for name in status_flags(word) if name not in _EVERYDAY))
