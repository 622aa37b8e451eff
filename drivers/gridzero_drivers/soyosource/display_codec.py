"""Answers at the second UART (display, WiFi socket, dongle; 9600 baud 8N1); pure, reading only.

The driver does not use this port. The decoder is here to understand recordings and for readers
that listen beside the display. Settings live in EEPROM, so nothing here writes them.

Source: soyosource protocol notes, sections 2.7 to 2.9, derived from the captures in docs of
syssi/esphome-soyosource-gtn-virtual-meter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gridzero_drivers.soyosource.codec import Refusal, family_checksum


class Generation(StrEnum):
    """Which hardware sits at the port."""

    DISPLAY = "display"
    WIFI = "wifi"
    DISPLAY_WIFI = "display_wifi"
    DONGLE = "dongle"
    DONGLE_V2 = "dongle_v2"


_A6: Final = 0xA6  # answers of the inverter itself
_5A: Final = 0x5A  # answers of a dongle between inverter and user
_LIMITER_CONNECTED: Final = 0x40
_STATUS_FUNCTIONS: Final = (0, 1)  # old 24 V display units leave the function nibble 0
_SETTINGS_FUNCTION: Final = 3
_VARIANTS: Final = {0x01: ("5a", 17), 0x17: ("5a_v2", 25), 0x19: ("5a_v2", 25)}

ERROR_NAMES: Final = {
    0x01: "reserved_0",
    0x02: "dc_voltage_low",
    0x04: "dc_voltage_high",
    0x08: "ac_voltage_high",
    0x10: "ac_voltage_low",
    0x20: "overheat",
    0x80: "reserved_7",
}
_MODES: Final = {
    0x1: "battery_constant_power",
    0x5: "battery_constant_power",
    0x2: "pv",
    0x6: "pv",
    0x9: "battery_limit",
    0xD: "battery_limit",
    0xA: "pv_limit",
    0xE: "pv_limit",
}
_DISPLAY_MODES: Final = {**_MODES, 0x8: "battery_limit", 0xC: "battery_limit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What status and settings frames begin with.

    variant: ``a6``, ``5a`` or ``5a_v2``. mode_code: high nibble; its bit 2 says standby.
    error_bits: without the information bit "limiter connected".
    """

    variant: str
    mode_code: int
    mode: str
    error_bits: int
    limiter_connected: bool
    checksum: int

    @property
    def errors(self) -> tuple[str, ...]:
        """Names of the set error bits, lowest bit first."""
        return tuple(name for bit, name in ERROR_NAMES.items() if self.error_bits & bit)

    @property
    def status(self) -> str:
        """``normal`` without any error bit, else ``standby``."""
        return "standby" if self.error_bits else "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayStatus:
    """Measured values.

    rs485_demand_w: A6 only; the demand as it arrived over RS485. It reads like an output power
    and is often published as one, but it stays when nothing flows. output_w and energy_kwh: 5A
    only, reckoned by the dongle; the energy counter sticks near 650 kWh.
    """

    flags: Flags
    battery_v: float
    battery_a: float
    grid_v: int
    grid_hz: float
    temp_c: float
    rs485_demand_w: int | None = None
    output_w: int | None = None
    energy_kwh: float | None = None

    @property
    def battery_w(self) -> float:
        """DC power, W."""
        return self.battery_v * self.battery_a


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplaySettings:
    """Stored settings and rating.

    model_w: nominal power. system_v: battery class, 24..96 V. limit_w: upper limit of any demand.
    grid_v, grid_hz: None where the generation sends something else in their place.
    """

    flags: Flags
    model_w: int
    system_v: int
    start_v: int
    stop_v: int
    limit_w: int
    start_delay_s: int
    grid_v: int | None = None
    grid_hz: float | None = None
    pv_min_v: int | None = None
    pv_max_v: int | None = None


def parse_display(data: bytes, generation: Generation) -> DisplayStatus | DisplaySettings | Refusal:
    """Decode an A6 or 5A frame of exactly one frame's length."""
    form = _form(data)
    if isinstance(form, Refusal):
        return form
    variant, length, mode_at = form
    if len(data) != length:
        return Refusal.LENGTH
    if data[-1] != family_checksum(data):
        return Refusal.CHECKSUM
    return _parse_checked(data, variant, mode_at, generation)


def _form(data: bytes) -> tuple[str, int, int] | Refusal:
    """Variant, length and index of the mode byte."""
    if len(data) < 2:
        return Refusal.LENGTH
    if data[0] == _A6:
        return "a6", 15, 3
    if data[0] == _5A and data[1] in _VARIANTS:
        return *_VARIANTS[data[1]], 2
    return Refusal.HEADER


def _parse_checked(
    data: bytes, variant: str, mode_at: int, generation: Generation
) -> DisplayStatus | DisplaySettings | Refusal:
    flags = _flags(data, variant, mode_at, generation)
    function = data[mode_at] & 0x0F
    if function == _SETTINGS_FUNCTION:
        return _settings(data, flags, generation)
    if function in _STATUS_FUNCTIONS:
        return _a6_status(data, flags) if variant == "a6" else _5a_status(data, flags, function)
    return Refusal.HEADER


def _flags(data: bytes, variant: str, mode_at: int, generation: Generation) -> Flags:
    modes = _DISPLAY_MODES if generation is Generation.DISPLAY else _MODES
    mode_code, bits = data[mode_at] >> 4, data[mode_at + 1]
    return Flags(
        variant=variant,
        mode_code=mode_code,
        mode=modes.get(mode_code, "unknown"),
        error_bits=bits & ~_LIMITER_CONNECTED,
        limiter_connected=bool(bits & _LIMITER_CONNECTED),
        checksum=data[-1],
    )


def _word(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _a6_status(data: bytes, flags: Flags) -> DisplayStatus:
    return DisplayStatus(
        flags=flags,
        rs485_demand_w=_word(data, 1),
        battery_v=_word(data, 5) / 10,
        battery_a=_word(data, 7) / 10,
        grid_v=_word(data, 9),
        grid_hz=data[11] / 2,
        temp_c=(_word(data, 12) - 300) / 10,
    )


def _5a_status(data: bytes, flags: Flags, function: int) -> DisplayStatus | Refusal:
    grid_v, temp_c = _word(data, 8), data[15]
    if function == 0 or (grid_v == 0 and temp_c == 0):
        return Refusal.EMPTY  # the dongle has not heard from its inverter yet
    return DisplayStatus(
        flags=flags,
        battery_v=_word(data, 4) / 10,
        battery_a=_word(data, 6) / 10,
        grid_v=grid_v,
        grid_hz=float(data[10]),
        output_w=_word(data, 11),
        energy_kwh=_word(data, 13) / 10,
        temp_c=float(temp_c),
    )


def _settings(data: bytes, flags: Flags, generation: Generation) -> DisplaySettings | Refusal:
    """A6 and 5A differ by one byte up to the frequency, then in what follows."""
    at = 5 if flags.variant == "a6" else 4
    if flags.variant != "a6" and data[at] == data[at + 1] == 0:
        return Refusal.EMPTY
    has_grid = flags.variant != "5a_v2" and generation is not Generation.DISPLAY_WIFI
    return DisplaySettings(
        flags=flags,
        model_w=data[at] % 100 * 100,
        system_v=data[at + 1],
        start_v=data[at + 2],
        stop_v=data[at + 3],
        grid_v=_word(data, at + 4) if has_grid else None,
        grid_hz=data[at + 6] / 2 if has_grid else None,
        limit_w=data[at + 7] * 10,
        start_delay_s=data[13],
        pv_min_v=None if flags.variant == "a6" else data[14],
        pv_max_v=None if flags.variant == "a6" else data[15],
    )
