"""Battery current from a shunt; meets ports.devices.CurrentSensor.

A converter that lost its supply for a moment comes back in single-shot mode: its result register
then stands still, first at zero. So each reading is followed by a look at the configuration, and
a result that never changes must prove that conversions still end. Unknown never becomes 0 A.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from math import ceil
from statistics import fmean
from typing import Final

import structlog

from gridzero.domain.readings import CurrentReading
from gridzero.errors import DeviceError, DeviceSilent, LinkError
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.ads1115_shunt.codec import (
    CONFIG,
    CONVERSION,
    is_idle,
    is_saturated,
    raw_from_word,
)
from gridzero_drivers.ads1115_shunt.options import ShuntOptions

log = structlog.get_logger()

TRIES = 3
"""Failed transfers in a row before the device counts as lost."""

UNCHANGED_S = 10.0
"""After this long without any change the converter must prove that it converts."""

_OS: Final = 0x8000
_MIN_SAMPLES = 8
_MAX_SPREAD = 0.003  # of the rated current: about 30 steps, far above noise
_MAX_ZERO = 0.02  # of the rated current: more is a current, not an offset


@dataclass(frozen=True, slots=True)
class ZeroCalibration:
    """Result of measuring with no current. mean_a: the value for ``zero_a``."""

    mean_a: float
    spread_a: float
    samples: int


class Ads1115Shunt:
    """Reads the converter each ``period_s``."""

    def __init__(self, options: ShuntOptions, context: DriverContext) -> None:
        self._name = context.name
        self._clock = context.clock
        self._report = context.report
        self._bus = context.links.i2c(options.link)
        self._options = options
        self._word = options.adc.to_word()
        self._probe = replace(options.adc, single_shot=True).to_word(start=True)
        self._amps_per_bit = options.amps_per_bit
        self._turn = asyncio.Lock()
        self._converting = False
        self._last_raw: int | None = None
        self._changed_at_s = 0.0
        self._failed = 0
        self._reported: set[str] = set()
        self._latest: CurrentReading | None = None

    @property
    def name(self) -> str:
        """The device's key in the configuration."""
        return self._name

    def latest(self) -> CurrentReading | None:
        """Newest valid reading, None before the first."""
        return self._latest

    async def run(self) -> None:
        """Keep ``latest`` fresh.

        Raises DeviceError when the bus fails three times in a row, DeviceSilent when the
        converter answers but does not convert.
        """
        self._converting, self._failed = False, 0
        while True:
            await self._read_or_count()
            await self._clock.sleep_s(self._options.period_s)

    async def stop(self) -> None:
        """Nothing to leave safe: the converter only measures."""

    async def calibrate_zero(self, seconds: float = 10.0) -> ZeroCalibration:
        """Measure the offset while no current flows; may be used while ``run`` is alive.

        Raises DeviceError when the readings spread or are so large that a current must flow,
        and when one fails or is saturated.
        """
        count = max(_MIN_SAMPLES, ceil(seconds / self._options.period_s))
        samples_a = []
        for _ in range(count):
            samples_a.append(await self._calibration_sample_a())
            await self._clock.sleep_s(self._options.period_s)
        mean_a, spread_a = fmean(samples_a), max(samples_a) - min(samples_a)
        if spread_a > _MAX_SPREAD * self._options.rated_a:
            raise self._refused(f"readings spread over {spread_a:.3f} A")
        if abs(mean_a) > _MAX_ZERO * self._options.rated_a:
            raise self._refused(f"{mean_a:.2f} A is a current, not an offset")
        return ZeroCalibration(mean_a, spread_a, count)

    async def _read_or_count(self) -> None:
        measured_at_s = self._clock.now_s() - self._options.conversion_s
        try:
            raw = await self._sample()
        except (LinkError, OSError) as error:
            self._failed += 1
            self._converting = False
            if self._failed >= TRIES:
                raise self._lost(_words(error)) from error
            return
        self._failed = 0
        self._take(raw, measured_at_s)

    def _take(self, raw: int, at_s: float) -> None:
        self._clear("shunt_silent")
        if is_saturated(raw):
            end_a = abs(self._amps_per_bit) * 0x8000
            self._raise("shunt_saturated", f"the current is beyond the range of {end_a:.0f} A")
            return
        self._clear("shunt_saturated")
        current_a = raw * self._amps_per_bit - self._options.zero_a
        self._latest = CurrentReading(at_s, current_a)

    async def _sample(self) -> int:
        """The newest conversion, proven to be one. Raises LinkError, OSError, DeviceSilent."""
        async with self._turn:
            if not self._converting:
                await self._start()
            raw = raw_from_word(await self._bus.read_word(self._options.address, CONVERSION))
            word = await self._bus.read_word(self._options.address, CONFIG)
            if not self._is_ours(word):
                log.warning("adc.reset", device=self._name, config=f"0x{word:04x}")
                raise self._unsettled("has lost its settings")
            await self._watch(raw)
            return raw

    async def _start(self) -> None:
        """See one conversion end, then convert continuously. Raises LinkError, DeviceSilent."""
        await self._configure(self._probe)
        if not is_idle(await self._bus.read_word(self._options.address, CONFIG)):
            raise self._lost("the ADC answers but does not end a conversion")
        await self._configure(self._word)
        if not self._is_ours(await self._bus.read_word(self._options.address, CONFIG)):
            raise self._unsettled("does not keep its settings")
        self._converting = True
        self._changed_at_s = self._clock.now_s()

    async def _configure(self, word: int) -> None:
        await self._bus.write_word(self._options.address, CONFIG, word)
        await self._clock.sleep_s(2 * self._options.conversion_s)

    async def _watch(self, raw: int) -> None:
        now_s = self._clock.now_s()
        if raw != self._last_raw:
            self._last_raw, self._changed_at_s = raw, now_s
        elif now_s - self._changed_at_s >= UNCHANGED_S:
            await self._start()

    def _is_ours(self, word: int) -> bool:
        return (word ^ self._word) & ~_OS == 0

    async def _calibration_sample_a(self) -> float:
        try:
            raw = await self._sample()
        except (LinkError, OSError) as error:
            raise self._refused(_words(error)) from error
        if is_saturated(raw):
            raise self._refused("a reading is saturated")
        return raw * self._amps_per_bit

    def _unsettled(self, what: str) -> LinkError:
        self._converting = False
        return LinkError(
            f"the ADC {what}",
            where=self._name,
            remedy="Check its supply, and that nothing else uses it",
        )

    def _refused(self, what: str) -> DeviceError:
        return DeviceError(
            f"no zero: {what}",
            where=self._name,
            remedy="Switch chargers, inverters and loads off, and try again",
        )

    def _lost(self, what: str) -> DeviceSilent:
        self._raise("shunt_silent", what)
        return DeviceSilent(what, where=self._name, remedy="Check I2C wiring and address")

    def _raise(self, code: str, text: str) -> None:
        if code not in self._reported:
            self._reported.add(code)
            self._report(code, active=True, text=text)

    def _clear(self, code: str) -> None:
        if code in self._reported:
            self._reported.remove(code)
            self._report(code, active=False)


def _words(error: LinkError | OSError) -> str:
    return error.what if isinstance(error, LinkError) else f"the ADC does not answer ({error})"
