"""A simulated meter that sends what a real one does."""

from __future__ import annotations

from random import Random

from gridzero.ports.twins import World
from gridzero_drivers.sma_meter.codec import Datagram, encode
from gridzero_drivers.sma_meter.options import SmaMeterOptions

_SUSY_ID = 349
_SERIAL = 1901234567
_SLACK_S = 1e-9


class SmaMeterTwin:
    """Sends the world's grid power each ``period_s``.

    Knobs: silent, garbage (a datagram sent instead), noise_w (standard deviation), ticker_ms.
    """

    def __init__(self, options: SmaMeterOptions, world: World, seed: int = 0) -> None:
        self.silent = False
        self.garbage: bytes | None = None
        self.noise_w = 2.0
        self.period_s = options.expected_interval_s
        self.serial = _SERIAL if options.serial is None else options.serial
        self.ticker_ms = 0.0
        self._world = world
        self._random = Random(seed)
        self._left_s = self.period_s
        self._counted_ws = [4_444_200_000.0, 244_080_000.0]

    def advance(self, seconds: float) -> list[bytes]:
        """See ports.twins.UdpTwin."""
        self.ticker_ms += 1000 * seconds
        self._counted_ws[self._world.grid_w < 0.0] += abs(self._world.grid_w) * seconds
        self._left_s -= seconds
        sent = []
        while self._left_s <= _SLACK_S:
            self._left_s += self.period_s
            sent.append(self._datagram())
        return [] if self.silent else sent

    def _datagram(self) -> bytes:
        if self.garbage is not None:
            return self.garbage
        power_w = round(self._world.grid_w + self._random.gauss(0, self.noise_w), 1)
        ticker = round(self.ticker_ms)
        powers = (max(power_w, 0.0), max(-power_w, 0.0))
        return encode(Datagram(_SUSY_ID, self.serial, ticker, *powers, *map(int, self._counted_ws)))
