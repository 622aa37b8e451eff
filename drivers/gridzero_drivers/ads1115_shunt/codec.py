"""Registers of the TI ADS1115 (data sheet SBAS444, section on the register map) and the shunt.

Register 0 holds the last conversion, two's complement. Register 1 is the configuration:

    15     OS     write 1: start one conversion. read: 1 = not converting
    14..12 MUX    which inputs are compared
    11..9  PGA    full scale
    8      MODE   0 = continuous, 1 = one conversion, then power down
    7..5   DR     conversions per second
    4..0   COMP   comparator, not used here: 0b00011 switches it off
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from gridzero.errors import FrameError

CONVERSION: Final = 0
CONFIG: Final = 1
POWER_ON_CONFIG: Final = 0x8583
RAW_MIN: Final = -0x8000
RAW_MAX: Final = 0x7FFF

_OS = 1 << 15
_SINGLE_SHOT = 1 << 8
_COMPARATOR_OFF = 0b00011

PAIRS: Final = {"0-1": 0, "0-3": 1, "1-3": 2, "2-3": 3}
"""Differential inputs and their MUX codes. Codes 4..7 compare one input with ground."""

FULL_SCALES_V: Final = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256)
"""By PGA code; codes 6 and 7 are 0.256 V too."""

RATES: Final = (8, 16, 32, 64, 128, 250, 475, 860)
"""Conversions per second by DR code, each +-10 %."""

_GROUND = tuple(f"{i}-gnd" for i in range(4))
_PAIR_OF_MUX = (*PAIRS, *_GROUND)


@dataclass(frozen=True, slots=True)
class AdcConfig:
    """The configuration register, as far as it matters here.

    pair: "0-1" ... or "0-gnd" ...; the first is the positive input. full_scale_v: one of
    FULL_SCALES_V. rate: conversions per second, one of RATES.
    """

    pair: str
    full_scale_v: float
    rate: int
    single_shot: bool = False

    def to_word(self, *, start: bool = False) -> int:
        """Register value, comparator off. start: begin a single conversion.

        Raises FrameError for settings that the converter does not have.
        """
        try:
            mux = _PAIR_OF_MUX.index(self.pair)
            pga = FULL_SCALES_V.index(self.full_scale_v)
            rate = RATES.index(self.rate)
        except ValueError:
            raise FrameError(f"the ADS1115 cannot do {self}") from None
        mode = _SINGLE_SHOT if self.single_shot else 0
        return (_OS if start else 0) | mux << 12 | pga << 9 | mode | rate << 5 | _COMPARATOR_OFF

    @classmethod
    def from_word(cls, word: int) -> Self:
        """Any 16-bit register value has a meaning."""
        return cls(
            pair=_PAIR_OF_MUX[word >> 12 & 7],
            full_scale_v=FULL_SCALES_V[min(word >> 9 & 7, 5)],
            rate=RATES[word >> 5 & 7],
            single_shot=bool(word & _SINGLE_SHOT),
        )


def is_idle(config_word: int) -> bool:
    """Whether the converter says that no conversion is going on (bit OS)."""
    return bool(config_word & _OS)


def raw_from_word(word: int) -> int:
    """Signed conversion result, -32768..32767, from the unsigned register 0."""
    return word - 0x10000 if word & 0x8000 else word


def word_from_raw(raw: int) -> int:
    """Unsigned register 0 for a signed result."""
    return raw & 0xFFFF


def is_saturated(raw: int) -> bool:
    """At either end of the range the true value is unknown."""
    return not RAW_MIN < raw < RAW_MAX


def volts(raw: int, full_scale_v: float) -> float:
    """Input voltage in V: full_scale_v / 32768 per step."""
    return raw * full_scale_v / 32768


def amps(voltage_v: float, rated_a: float, rated_mv: float) -> float:
    """Current in A through a shunt that drops rated_mv at rated_a."""
    return voltage_v * 1000 / rated_mv * rated_a
