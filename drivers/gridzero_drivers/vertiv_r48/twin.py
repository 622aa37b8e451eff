"""A simulated R48 rectifier: its bytes, its forgetting, and its power.

What a real unit does without a controller is here on purpose: it powers up with AC and DC on at
its stored values, and goes back to them about 30 s (set-points) and 40 s (control byte) after
they were last repeated.
"""

from __future__ import annotations

import math
import random
from collections import deque

from gridzero.ports.links import CanFrame
from gridzero.ports.twins import World
from gridzero_drivers.vertiv_r48 import requests
from gridzero_drivers.vertiv_r48.codec import (
    Ack,
    Broadcast,
    ErrorCode,
    Message,
    Parameter,
    Refusal,
    Status,
    Value,
    encode,
)
from gridzero_drivers.vertiv_r48.ids import (
    COMPAT_ID,
    EVERY_MODULE_ID,
    IDENTIFY_ID,
    request_id,
)
from gridzero_drivers.vertiv_r48.status import STATUS_BITS
from gridzero_drivers.vertiv_r48.twin_power import PowerStage
from gridzero_drivers.vertiv_r48.twin_registers import Registers

_HEARTBEAT_S = 5.0
_IDENTIFY_S = 2.0
_QUANTUM = 1024
_GROUPS = {
    0x80: (0x01, 0x02, 0x03, 0x04, 0x05, 0x07, 0x0B, 0x40, 0x54, 0x58),
    0x01: (0x01, 0x02, 0x03, 0x04, 0x05, 0x40),
}
_INFO = (0x5A, 0x5B, 0x5D)
_FIXED = {0x06: 59.0, 0x07: 0.0, 0x08: 437.7, 0x09: 23.6, 0x0B: 23.6, 0x14: 1.0}
_FIXED |= dict.fromkeys((0x0A, 0x0C, 0x16, 0x20, 0x54, 0x58, 0x68, 0x6C, 0x70, 0x76), 0.0)
_ALWAYS_IN_DOUBT = {0x0A, 0x0B, 0x0C}  # answered with code F4 in the captured scan


class R48Twin:
    """One module; meets CanTwin and ConverterTwin.

    Knobs: silent (answers nothing), deaf (takes nothing in, but answers), refuse (parameters whose
    writes are refused), power.stuck_at_a, power.accuracy_a, registers.lowest_fraction,
    alarm_word (bits that are reported on top of its own).
    """

    def __init__(self, module: int, rated_w: float, world: World, seed: int = 0) -> None:
        self.module = module
        self.registers = Registers()
        self.power = PowerStage(rated_w)
        self.silent = False
        self.deaf = False
        self.refuse: set[int] = set()
        self.alarm_word = 0
        self._world = world
        self._now_s = 0.0
        self._identifying_until_s = -1.0
        self._out: deque[CanFrame] = deque()
        chance = random.Random(seed)
        self.identity = chance.randbytes(4)
        self._heartbeat_s = chance.uniform(0.5, _HEARTBEAT_S)
        self._own_id = request_id(module)

    @property
    def ac_w(self) -> float:
        """AC power toward the house, W, <= 0."""
        return -self.power.ac_w

    @property
    def dc_a(self) -> float:
        """Battery current out of the battery, A, <= 0."""
        return -self.power.amps

    @property
    def offline(self) -> bool:
        """Whether it has fallen back to its stored voltage and current."""
        return self.registers.offline(self._now_s)

    # --- time -------------------------------------------------------------------------------

    def advance(self, seconds: float) -> list[CanFrame]:
        """Let time pass; answers and heartbeats that are sent now."""
        if seconds > 0.0:
            self._now_s += seconds
            registers = self.registers
            self.power.advance(
                seconds,
                self._world,
                volts=registers.volts(self._now_s),
                fraction=registers.fraction(self._now_s),
                ac_limit_a=registers.ac_limit_a,
                on=registers.on(self._now_s),
            )
            self._beat(seconds)
        frames = list(self._out)
        self._out.clear()
        return frames

    def _beat(self, seconds: float) -> None:
        self._heartbeat_s -= seconds
        if self._heartbeat_s <= 0.0:
            self._heartbeat_s += _HEARTBEAT_S
            self._say(Broadcast(self.module, 0x02, None))

    # --- hearing ----------------------------------------------------------------------------

    def receive(self, frame: CanFrame) -> None:
        """Take a frame; frames for other modules and odd ones are left alone."""
        if not frame.is_extended or frame.is_remote or frame.is_error or len(frame.data) != 8:
            return
        can_id = frame.can_id
        if can_id == self._own_id or (can_id == COMPAT_ID and self.module == 0):
            self._asked(frame.data, everybody=False)
        elif can_id == EVERY_MODULE_ID:
            self._asked(frame.data, everybody=True)
        elif can_id == IDENTIFY_ID and frame.data[0] == 0x04:
            self._identify()

    def _asked(self, data: bytes, *, everybody: bool) -> None:
        kind, parameter = data[0], data[3]
        if kind == 0x00:
            if not everybody:
                self._control(data[2])
            self._burst(_GROUPS.get(parameter, ()))
        elif kind == 0x01 and not everybody:  # a single read does not work as a broadcast
            self._say(self._answer(parameter, more=False))
        elif kind == 0x03:
            self._written(parameter, data, everybody=everybody)
        elif kind == 0x20:
            self._burst(_INFO)

    def _control(self, byte: int) -> None:
        if byte & 1 and not self.deaf:
            self.registers.control(byte, self._now_s)

    def _written(self, parameter: int, data: bytes, *, everybody: bool) -> None:
        code: int = ErrorCode.INVALID_DATA if parameter in self.refuse else ErrorCode.NONE
        if code == ErrorCode.NONE and not self.deaf:
            code = self.registers.write(parameter, data, self._now_s)
        if everybody:
            return
        if code == ErrorCode.NONE:
            value = requests.number_in(data)
            self._say(Ack(self.module, False, parameter, code, value))
        else:
            self._say(Refusal(self.module, False, parameter, code, of_write=True))

    def _identify(self) -> None:
        self._identifying_until_s = self._now_s + _IDENTIFY_S
        self._say(Broadcast(self.module, 0x03, self.identity))

    # --- speaking ---------------------------------------------------------------------------

    def _say(self, message: Message) -> None:
        if not self.silent:
            self._out.append(encode(message))

    def _burst(self, parameters: tuple[int, ...]) -> None:
        for parameter in parameters:
            self._say(self._answer(parameter, more=parameter != parameters[-1]))

    def _answer(self, parameter: int, *, more: bool) -> Message:
        if parameter == Parameter.STATUS:
            return Status(self.module, more, parameter, self._code(parameter), self._status())
        value = self._value(parameter)
        if value is None:
            return Refusal(self.module, more, parameter, ErrorCode.INVALID_COMMAND, of_write=False)
        return Value(self.module, more, parameter, self._code(parameter), value)

    def _code(self, parameter: int) -> int:
        doubtful = self._now_s < self._identifying_until_s or parameter in _ALWAYS_IN_DOUBT
        return ErrorCode.IDENTIFYING if doubtful else ErrorCode.NONE

    def _value(self, parameter: int) -> float | None:
        if parameter == Parameter.OUTPUT_V:
            return _grained(self.power.output_v)
        if parameter == Parameter.OUTPUT_A:
            return _grained(self.power.amps)
        if parameter == Parameter.LIMIT:  # 1.0 was captured as 1023/1024
            return max(0, math.ceil(self.registers.fraction(self._now_s) * _QUANTUM) - 1) / _QUANTUM
        if parameter == Parameter.TEMPERATURE:
            return _grained(self.power.temp_c)
        if parameter == Parameter.AC_V:
            return _grained(self._world.mains_v)
        if parameter in _INFO:
            return float(parameter)
        return _FIXED.get(parameter)

    def _status(self) -> int:
        word = self.alarm_word
        for name, is_set in (
            ("walk_in_active", self.power.walking_in),
            ("module_switch", self.power.on),
            ("fan_full_speed", self.registers.fan_full(self._now_s)),
            ("module_identifying", self._now_s < self._identifying_until_s),
            ("ac_undervoltage", self._world.mains_v < PowerStage.MAINS_MIN_V),
            ("ac_overvoltage", self._world.mains_v > PowerStage.MAINS_MAX_V),
        ):
            word |= STATUS_BITS[name] if is_set else 0
        return word


def _grained(value: float) -> float:
    """A measured value as the unit tells it: whole 1024ths."""
    return math.floor(value * _QUANTUM) / _QUANTUM
