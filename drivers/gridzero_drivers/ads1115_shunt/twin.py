"""A simulated ADS1115 across a shunt: registers, conversion times, steps and limits."""

from __future__ import annotations

from math import floor
from random import Random

from gridzero.ports.twins import World
from gridzero_drivers.ads1115_shunt.codec import (
    CONFIG,
    CONVERSION,
    POWER_ON_CONFIG,
    RAW_MAX,
    RAW_MIN,
    AdcConfig,
    raw_from_word,
    word_from_raw,
)
from gridzero_drivers.ads1115_shunt.options import ShuntOptions

_THRESHOLDS = {2: 0x8000, 3: 0x7FFF}
_OS = 0x8000


class ShuntTwin:
    """Meets ports.twins.I2cTwin.

    Conversions end at the data rate after the configuration was written; a result is taken from
    the world when it is read. Bit OS reads 0 while a conversion goes on, so in continuous mode
    always. Knobs: unplugged (OSError), frozen (no conversion ends any more), noise_bits
    (standard deviation), extra_a (an offset that drifted in), reversed (wires exchanged), stuck
    (conversions end, always with the same result), ``brown_out()``.
    """

    def __init__(self, options: ShuntOptions, world: World, seed: int = 0) -> None:
        self.unplugged = False
        self.frozen = False
        self.noise_bits = 0.5
        self.extra_a = 0.0
        self.reversed = False
        self.stuck = False
        self._options = options
        self._world = world
        self._random = Random(seed)
        self.brown_out()

    def brown_out(self) -> None:
        """The supply dips: all registers are as after power-on, and nothing converts."""
        self._registers = {CONVERSION: 0, CONFIG: POWER_ON_CONFIG, **_THRESHOLDS}
        self._config = AdcConfig.from_word(POWER_ON_CONFIG)
        self._started_at_s = self._world.now_s
        self._ended = 0
        self._busy = False

    def read_word(self, register: int) -> int:
        """Raises OSError when unplugged."""
        self._answer()
        self._convert()
        return self._registers[register & 3]

    def write_word(self, register: int, value: int) -> None:
        """Raises OSError when unplugged. Register 0 cannot be written."""
        self._answer()
        self._convert()
        if register & 3 == CONFIG:
            self._configure(value & 0xFFFF)
        elif register & 3 != CONVERSION:
            self._registers[register & 3] = value & 0xFFFF

    def _answer(self) -> None:
        if self.unplugged:
            raise OSError(121, "Remote I/O error")

    def _configure(self, word: int) -> None:
        self._config = AdcConfig.from_word(word)
        self._busy = not self._config.single_shot or bool(word & _OS)
        self._started_at_s, self._ended = self._world.now_s, 0
        self._show(word)

    def _show(self, word: int) -> None:
        self._registers[CONFIG] = word & ~_OS if self._busy else word | _OS

    def _convert(self) -> None:
        if not self._busy or self.frozen:
            return
        elapsed_s = self._world.now_s - self._started_at_s
        ended = floor(elapsed_s * self._config.rate + 1e-6)
        if ended > self._ended:
            self._ended = ended
            self._registers[CONVERSION] = word_from_raw(self._raw())
            self._busy = not self._config.single_shot
            self._show(self._registers[CONFIG])

    def _raw(self) -> int:
        if self.stuck:
            return raw_from_word(self._registers[CONVERSION])
        steps = self._input_v() / self._config.full_scale_v * 0x8000
        noisy = round(steps + self._random.gauss(0, self.noise_bits))
        return min(max(noisy, RAW_MIN), RAW_MAX)

    def _input_v(self) -> float:
        """The shunt is on the configured pair; the other inputs are at its negative end."""
        if self._config.pair != self._options.pair:
            return 0.0
        options = self._options
        current_a = self._world.battery_a + options.zero_a + self.extra_a
        across_v = current_a / options.rated_a * options.rated_mv / 1000
        return -across_v if options.invert is not self.reversed else across_v
