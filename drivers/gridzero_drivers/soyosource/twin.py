"""A simulated SoyoSource inverter, or several equal ones, at the far end of an RS485 line.

Output follows the demand as in soyosource protocol notes, sections 3.1 and 3.6: dead time, a jump
out of zero, then a ramp; a demand of 0 acts at once. The figures come from the ramp capture in
syssi/esphome-soyosource-gtn-virtual-meter (docs/wifi-version-display-status-frames.txt).
"""

from __future__ import annotations

import random
from collections import deque
from typing import Final, NamedTuple

from gridzero.ports.twins import DeviceTwin, World
from gridzero_drivers.soyosource.codec import Demand, OperationStatus, Query, Status
from gridzero_drivers.soyosource.options import SoyosourceOptions
from gridzero_drivers.soyosource.stream import (
    DEMAND,
    DEMAND_UNCHECKED,
    STATUS_QUERY,
    FrameStream,
)

JUMP_W: Final = 57.0
RISE_W_PER_S: Final = 75.0
FALL_W_PER_S: Final = 100.0
REPLY_AFTER_S: Final = 0.03
LOSS_CHOICES_S: Final = (3.5, 10.0)
"""Time from the last frame to zero; sources disagree, so each seed draws one."""

_ROOM_C: Final = 22.0
_FULL_LOAD_RISE_C: Final = 25.0
_HEAT_TAU_S: Final = 600.0
_NEVER: Final = float("inf")


class DcWindow(NamedTuple):
    """Battery voltages at which the inverter starts and stops, V."""

    start_v: float
    stop_v: float


# lowest settings seen on 48 V and 24 V units (section 3.3); the others scaled from 48 V
DC_WINDOWS: Final = {
    24: DcWindow(22.0, 21.0),
    36: DcWindow(33.0, 32.25),
    48: DcWindow(44.0, 43.0),
    72: DcWindow(66.0, 64.5),
    96: DcWindow(88.0, 86.0),
}


def _window(options: SoyosourceOptions) -> DcWindow:
    """What is set, else that of the type."""
    of_type = DC_WINDOWS[options.system_v]
    if options.stop_v is None:
        return of_type
    return DcWindow(options.start_v or options.stop_v + 1.0, options.stop_v)


class SoyosourceTwin:
    """Meets ports.twins.SerialTwin and ConverterTwin.

    Knobs, all plain attributes: silent (answers no query, still obeys), answers (whether this
    board has status replies at all), stuck (output stays where it is), off_mains (no grid),
    slew_scale, dead_time_s, start_delay_s, loss_s, fault_code (operation status to pretend; no
    power then), echo (the adapter returns what it sends).
    """

    def __init__(
        self,
        options: SoyosourceOptions,
        world: World,
        seed: int = 0,
        *,
        answers: bool = True,
        strict_checksum: bool = True,
        loss_s: float | None = None,
    ) -> None:
        self._random = random.Random(seed)
        self.answers = answers
        self.silent = False
        self.stuck = False
        self.off_mains = False
        self.echo = False
        self.slew_scale = 1.0
        self.dead_time_s = 0.3
        self.start_delay_s = 6.0
        self.loss_s = self._random.choice(LOSS_CHOICES_S) if loss_s is None else loss_s
        self.fault_code: int | None = None
        self.window = _window(options)
        self.demand_w = 0
        self.temp_c = _ROOM_C
        self._world = world
        self._units = options.units
        self._gain = options.gain
        self._cap_w = float(options.max_w)
        self._dc_per_ac = 1.0 / options.efficiency
        self._stream: FrameStream[Demand | Query] = FrameStream(
            (DEMAND if strict_checksum else DEMAND_UNCHECKED, STATUS_QUERY)
        )
        self._now_s = 0.0
        self._unit_w = 0.0
        self._heard_at_s = -_NEVER
        self._reply_at_s = _NEVER
        self._ready_at_s = 0.0
        self._coming: deque[tuple[float, int]] = deque()
        self._echoed = b""

    @property
    def ac_w(self) -> float:
        """AC output of all units, W."""
        return self._unit_w * self._units

    @property
    def dc_a(self) -> float:
        """Current of all units out of the battery, A."""
        battery_v = self._world.battery_v
        return self.ac_w * self._dc_per_ac / battery_v if battery_v > 0 else 0.0

    @property
    def status_code(self) -> int:
        """What a status reply says now."""
        if self.fault_code is not None:
            return self.fault_code
        if self.off_mains or self._ready_at_s == _NEVER:
            return OperationStatus.STANDBY
        started = self._now_s >= self._ready_at_s
        return OperationStatus.NORMAL if started else OperationStatus.STARTUP

    def stopped_by_itself(self) -> None:
        """From now on as after a voltage below its window."""
        self._ready_at_s = _NEVER

    def receive(self, data: bytes) -> None:
        """Take bytes from the wire."""
        if self.echo:
            self._echoed += data
        for frame in self._stream.feed(data):
            if isinstance(frame, Demand):
                self._heard_at_s = self._now_s
                self._coming.append((self._now_s + self.dead_time_s, frame.power_w))
            elif self.answers and not self.silent:
                self._reply_at_s = self._now_s + REPLY_AFTER_S

    def advance(self, seconds: float) -> bytes:
        """Let time pass; returns echo and status reply if they are due."""
        until_s = self._now_s + seconds
        while self._coming and self._coming[0][0] <= until_s:
            at_s, demand_w = self._coming.popleft()
            self._glide_to(at_s)
            self.demand_w = demand_w
        lost_at_s = self._heard_at_s + self.loss_s
        if self.demand_w and lost_at_s <= until_s:
            self._glide_to(lost_at_s)
            self.demand_w = 0
        self._glide_to(until_s)
        self._warm(seconds)
        return self._outgoing()

    def _glide_to(self, at_s: float) -> None:
        """Follow the demand that holds until at_s."""
        seconds = max(at_s - self._now_s, 0.0)
        self._now_s = max(at_s, self._now_s)
        if not self._can_deliver():
            self._unit_w = 0.0
        elif not self.stuck:
            self._unit_w = self._followed(seconds * self.slew_scale)

    def _followed(self, slew_s: float) -> float:
        target_w = min(self._gain * self.demand_w, self._cap_w)
        if target_w <= 0:
            return 0.0
        if self._unit_w <= target_w:
            from_w = self._unit_w or JUMP_W
            return min(from_w + RISE_W_PER_S * slew_s, target_w)
        return max(self._unit_w - FALL_W_PER_S * slew_s, target_w)

    def _can_deliver(self) -> bool:
        """Watch battery and mains; coming back from either takes the start delay."""
        battery_v = self._world.battery_v
        if self.off_mains or battery_v < self.window.stop_v:
            self._ready_at_s = _NEVER
        elif self._ready_at_s == _NEVER and battery_v >= self.window.start_v:
            self._ready_at_s = self._now_s + self.start_delay_s
        return self._now_s >= self._ready_at_s and not self.fault_code

    def _warm(self, seconds: float) -> None:
        settled_c = _ROOM_C + _FULL_LOAD_RISE_C * self._unit_w / self._cap_w
        self.temp_c += (settled_c - self.temp_c) * min(seconds / _HEAT_TAU_S, 1.0)

    def _outgoing(self) -> bytes:
        echoed, self._echoed = self._echoed, b""
        if self._now_s < self._reply_at_s:
            return echoed
        self._reply_at_s = _NEVER
        return echoed + self._reply()

    def _reply(self) -> bytes:
        battery_v = max(self._world.battery_v, 0.0)
        reply = Status(
            code=self.status_code,
            battery_v=battery_v,
            battery_a=max(self.dc_a, 0.0) / self._units,
            grid_v=0 if self.off_mains else round(self._world.mains_v),
            grid_hz=0.0 if self.off_mains else 50.0,
            temp_c=self.temp_c,
        ).to_bytes()
        return reply if self._units == 1 else self._collided(reply)

    def _collided(self, reply: bytes) -> bytes:
        """All units answer at once: the line carries something, but no reply."""
        noise = self._random.randbytes(len(reply))
        return bytes(a | b for a, b in zip(reply, noise, strict=True))


def device_twin(options: SoyosourceOptions, world: World, seed: int) -> DeviceTwin:
    """The simulated device at the configured link."""
    twin = SoyosourceTwin(options, world, seed)
    return DeviceTwin(serial={options.link: twin}, converters=(twin,))
