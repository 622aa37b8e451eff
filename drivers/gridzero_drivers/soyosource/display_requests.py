"""What a display, WiFi module or dongle asks of the inverter at the second UART; pure.

Requests are only understood here, never sent: writes go to the inverter's EEPROM unacknowledged.

Source: soyosource protocol notes, section 2.6, derived from the captures in docs of
syssi/esphome-soyosource-gtn-virtual-meter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gridzero_drivers.soyosource.codec import Refusal, family_checksum

_REQUEST: Final = 0x55
_SHORT: Final = 6
_LONG: Final = 12
_WRITTEN_MODES: Final = {
    0x01: "pv",
    0x02: "battery_constant_power",
    0x11: "pv_limit",
    0x12: "battery_limit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayRequest:
    """What a display or dongle asks of the inverter; absent values are None."""

    function: int
    kind: str
    checksum: int
    start_v: int | None = None
    stop_v: int | None = None
    limit_w: int | None = None
    grid_hz: float | None = None
    start_delay_s: int | None = None
    mode_code: int | None = None
    mode: str | None = None


def parse_display_request(data: bytes) -> DisplayRequest | Refusal:
    """Decode a request of 6 (display) or 12 bytes (WiFi, dongle)."""
    if len(data) not in (_SHORT, _LONG):
        return Refusal.LENGTH
    if data[0] != _REQUEST:
        return Refusal.HEADER
    if data[-1] != family_checksum(data):
        return Refusal.CHECKSUM
    kind, fields = _short_request(data) if len(data) == _SHORT else _long_request(data)
    return DisplayRequest(function=data[1], checksum=data[-1], kind=kind, **fields)


def _short_request(data: bytes) -> tuple[str, Mapping[str, Any]]:
    function, first, second, third = data[1:5]
    match function:
        case 0x01:
            return "status_request", {}
        case 0x03 if not any(data[2:5]):
            return "settings_request", {}
        case 0x03:
            return "write_mode", {"mode_code": third}
        case 0x0B:
            return "write_voltages", {"start_v": first, "stop_v": second}
        case 0x13:
            return "write_limit", {"limit_w": first * 10, "grid_hz": second / 2}
        case 0x83:
            return "write_start_delay", {"start_delay_s": first}
    return "other", {}


def _long_request(data: bytes) -> tuple[str, Mapping[str, Any]]:
    if data[1] == 0x0B:
        return "write_settings", _written_settings(data)
    names = {0x01: "status_request", 0x03: "settings_request", 0x11: "reboot"}
    return names.get(data[1], "other"), {}


def _written_settings(data: bytes) -> Mapping[str, Any]:
    return {
        "start_v": data[2],
        "stop_v": data[3],
        "limit_w": data[4] * 10,
        "grid_hz": data[5] / 2,
        "start_delay_s": data[9],
        "mode_code": data[10],
        "mode": _WRITTEN_MODES.get(data[10], "unknown"),
    }
