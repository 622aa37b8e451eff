"""What a person may store in the rectifier for the time in which nobody speaks to it.

The vertiv-r48 notes, sections 1.5 and 3.2: 0x24 and 0x19 are stored; neither can be read back, so
that silence is the proof. The notes' lowest values: 42 V (older units 48 V), fraction 0.
"""

from __future__ import annotations

import asyncio

from gridzero.errors import DeviceError, DeviceSilent, FrameError
from gridzero.ports.devices import OfflineValue
from gridzero.ports.links import CanFrame
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.vertiv_r48.codec import Parameter, Value, decode
from gridzero_drivers.vertiv_r48.commissioning import (
    ARMING_WORDS,
    PAUSE_BETWEEN_WRITES_S,
    Commissioning,
    NotArmed,
)
from gridzero_drivers.vertiv_r48.ids import answer_filters, request_id
from gridzero_drivers.vertiv_r48.options import VertivR48Options
from gridzero_drivers.vertiv_r48.requests import MAX_FRACTION, MAX_V, MIN_V, read

_ANSWER_S = 1.0
_FORGOTTEN_S = 60.0
_TOLERANCE_V = 0.5


class R48Offline:
    """Meets ports.devices.OfflineValues."""

    words = ARMING_WORDS
    silence_s = _FORGOTTEN_S
    tolerance_v = _TOLERANCE_V
    values: tuple[OfflineValue, ...] = (
        OfflineValue(
            "volts",
            "Voltage in silence",
            "V",
            MIN_V,
            MAX_V,
            "as low as the unit takes: 42; where it refuses that, 48",
        ),
        OfflineValue(
            "fraction",
            "Current limit in silence",
            "of the rating",
            0.0,
            MAX_FRACTION,
            "0; where it refuses that, 0.10. Whether it is honoured only silence tells",
        ),
    )

    def __init__(self, options: VertivR48Options, context: DriverContext) -> None:
        self._link = context.links.can(options.link)
        self._clock, self._module = context.clock, options.module
        self._where = context.name
        self._work = Commissioning(self._link, options.module, context.clock)
        self._written_s = float("-inf")
        self._heard: asyncio.Future[float] | None = None
        self.stored_v: float | None = None
        self._link.listen(self._receive, answer_filters(options.module))

    async def store(self, key: str, value: float, operator_says: str) -> float:
        """See ports.devices.OfflineValues."""
        try:
            token = self._work.arm(operator_says)
            await self._clock.sleep_s(
                self._written_s + PAUSE_BETWEEN_WRITES_S - self._clock.now_s()
            )
            self._written_s = self._clock.now_s() + 0.1
            if key == "volts":
                ack = await self._work.store_voltage(token, value)
                self.stored_v = value
            else:
                ack = await self._work.store_limit(token, value)
        except NotArmed as error:
            raise DeviceError(error.what, where=self._where, remedy=error.remedy) from None
        return value if ack.value is None else ack.value

    async def measured_v(self) -> float:
        """See ports.devices.OfflineValues."""
        self._heard = asyncio.get_running_loop().create_future()
        self._link.send(read(request_id(self._module), Parameter.OUTPUT_V))
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await self._heard
        except TimeoutError:
            raise DeviceSilent(
                "it does not answer", where=self._where, remedy="Look at mains and plug"
            ) from None
        finally:
            self._heard = None

    def _receive(self, frame: CanFrame) -> None:
        try:
            message = decode(frame)
        except FrameError:
            return  # noise; what was asked for comes or does not
        if not isinstance(message, Value) or message.parameter != Parameter.OUTPUT_V:
            return
        heard, volts = self._heard, message.value
        if volts is not None and heard is not None and not heard.done():
            heard.set_result(volts)
