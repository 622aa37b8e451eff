"""A simulated relay with its charge pump and its auxiliary contact."""

from __future__ import annotations

from gridzero.ports.twins import World
from gridzero_drivers.gpio_switch.codec import Feed
from gridzero_drivers.gpio_switch.options import GpioSwitchOptions

_HOLDS_BEATS = 3.0
_PUMPS_UP = 3


class RelayTwin:
    """Meets ports.twins.SwitchTwin; ``coil`` and ``contact`` are what hangs on its two lines.

    With a heartbeat the coil is held for three beats after an edge, once three edges have come;
    a line that stands still, high or low, lets it fall. Knobs: welded (the main contacts do not
    part, and the auxiliary contact moves with them), stuck (they do not close), wire_broken (the
    feedback line sees only its resistor).
    """

    def __init__(self, options: GpioSwitchOptions, world: World) -> None:
        self.welded = False
        self.stuck = False
        self.wire_broken = False
        self.coil = _Coil(self)
        self.contact = _Contact(self, active_low=options.feedback_active_low)
        self._options = options
        self._world = world
        self._high: bool | None = None
        self._edges = 0
        self._edge_at_s = float("-inf")

    @property
    def is_closed(self) -> bool:
        """Whether the main contacts conduct."""
        if self.welded:
            return True
        return not self.stuck and self._is_energised()

    def take(self, high: bool | None) -> None:
        """What the chip does with the line of the coil."""
        if high is not self._high:
            now_s = self._world.now_s
            self._edges = self._edges + 1 if self._pumped(now_s) else 1
            self._high, self._edge_at_s = high, now_s

    def _is_energised(self) -> bool:
        if self._options.feed is Feed.LEVEL:
            return self._high is not None and self._high is not self._options.active_low
        return self._edges >= _PUMPS_UP and self._pumped(self._world.now_s)

    def _pumped(self, now_s: float) -> bool:
        return now_s - self._edge_at_s < _HOLDS_BEATS * self._options.beat_s


class _Coil:
    """The line that drives the relay; meets ports.twins.GpioTwin."""

    def __init__(self, relay: RelayTwin) -> None:
        self._relay = relay
        self._high = False

    def drive(self, high: bool | None) -> None:
        """See ports.twins.GpioTwin."""
        self._high = bool(high)
        self._relay.take(high)

    def level(self) -> bool:
        """See ports.twins.GpioTwin."""
        return self._high


class _Contact:
    """The auxiliary contact; meets ports.twins.GpioTwin."""

    def __init__(self, relay: RelayTwin, *, active_low: bool) -> None:
        self._relay = relay
        self._active_low = active_low

    def drive(self, high: bool | None) -> None:
        """An input of the chip drives nothing."""

    def level(self) -> bool:
        """See ports.twins.GpioTwin."""
        closed = self._relay.is_closed and not self._relay.wire_broken
        return closed is not self._active_low
