"""What is known of one module: cells with an age each, judged as they arrive."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from math import inf
from typing import Final, NamedTuple, cast

from gridzero.domain.readings import ModuleReading, Temperature
from gridzero_drivers.vw_gte.codec import decode_cells, slots_used
from gridzero_drivers.vw_gte.options import Member
from gridzero_drivers.vw_gte.status import SensorState, Status

JUMP_V: Final = 0.5 + 1e-6
AGREE_V: Final = 0.05 + 1e-6
HOLD_S: Final = 2.0
"""How long an older value may stand in for samples that contradict it and each other."""
SENSOR_PROVEN: Final = 3
STATUS_LOST_S: Final = 30.0
"""A balancing status this old says nothing of what is bled now."""


class Rules(NamedTuple):
    """When a cell voltage is believed (vw-gte protocol notes, section 4.2).

    min_v, max_v: the plausible window. agree_s: within this time the next sample must agree
    with one that jumped.
    """

    min_v: float
    max_v: float
    agree_s: float


class Quad:
    """The up to four cells of one voltage frame."""

    __slots__ = (
        "_doubts",
        "_high_v",
        "_last",
        "_low_v",
        "_module",
        "_rules",
        "_used",
        "at_s",
        "heard_at_s",
        "repeats",
        "suspect",
        "volts",
    )

    def __init__(self, module: Module, used: int, rules: Rules) -> None:
        self._module = module
        self._used = used
        self._rules = rules
        self.volts: list[float | None] = [None] * used
        self.at_s: list[float | None] = [None] * used
        self.suspect = 0
        self.repeats = 0
        self.heard_at_s: float | None = None
        self._last = b""
        self._doubts: dict[int, tuple[float, float]] = {}
        self._low_v, self._high_v = -inf, inf

    def take(self, data: bytes, now_s: float) -> None:
        """A voltage frame of 8 bytes arrived."""
        self._module.changed()
        self.heard_at_s = now_s
        self.repeats = self.repeats + 1 if data == self._last else 0
        self._last = data
        volts = decode_cells(data)[: self._used]
        if None in volts or self._doubts or not self._is_calm(cast("tuple[float, ...]", volts)):
            self._judge_each(volts, now_s)
            return
        self.volts = list(volts)
        self.at_s = [now_s] * self._used
        self.suspect = 0

    def _is_calm(self, volts: tuple[float, ...]) -> bool:
        """Whether no cell can have jumped or left the window; remembers the extremes if so."""
        low_v, high_v = min(volts), max(volts)
        if (
            low_v < self._rules.min_v
            or high_v > self._rules.max_v
            or high_v - self._low_v > JUMP_V
            or self._high_v - low_v > JUMP_V
        ):
            return False
        self._low_v, self._high_v = low_v, high_v
        return True

    def _judge_each(self, volts: tuple[float | None, ...], now_s: float) -> None:
        for slot, volt in enumerate(volts):
            self._judge(slot, volt, now_s)
        known = [volt for volt in self.volts if volt is not None]
        complete = len(known) == self._used
        self._low_v, self._high_v = (min(known), max(known)) if complete else (-inf, inf)

    def _judge(self, slot: int, volt: float | None, now_s: float) -> None:
        if volt is None:
            # its time stays that of the last voltage: absent must not look fresh
            self._settle(slot, None, is_suspect=False)
            return
        is_trusted = not self._has_jumped(slot, volt) or self._agrees(slot, volt, now_s)
        if not is_trusted and self._age_s(slot, now_s) <= HOLD_S:
            self._doubts[slot] = volt, now_s
            self.suspect |= 1 << slot
            return
        is_wild = not is_trusted and slot in self._doubts
        is_plausible = self._rules.min_v <= volt <= self._rules.max_v
        self._settle(slot, volt, is_suspect=is_wild or not is_plausible)
        self.at_s[slot] = now_s

    def _settle(self, slot: int, volt: float | None, *, is_suspect: bool) -> None:
        self._doubts.pop(slot, None)
        self.volts[slot] = volt
        self.suspect = self.suspect & ~(1 << slot) | is_suspect << slot

    def _has_jumped(self, slot: int, volt: float) -> bool:
        before_v = self.volts[slot]
        return before_v is not None and abs(volt - before_v) > JUMP_V

    def _age_s(self, slot: int, now_s: float) -> float:
        at_s = self.at_s[slot]
        return inf if at_s is None else now_s - at_s

    def _agrees(self, slot: int, volt: float, now_s: float) -> bool:
        """Whether this sample confirms the one that jumped."""
        doubted_v, at_s = self._doubts.get(slot, (inf, -inf))
        return now_s - at_s <= self._rules.agree_s and abs(volt - doubted_v) <= AGREE_V


class Module:
    """One battery module on one bus."""

    def __init__(self, member: Member, rules: Rules) -> None:
        self.member = member
        self.name = member.name
        self.all_cells = (1 << member.series_cells) - 1
        used = (slots_used(index, member.series_cells) for index in range(4))
        self.quads = tuple(Quad(self, count, rules) for count in used if count)
        self.bleeding = 0
        self.status_at_s: float | None = None
        self._temps: tuple[Temperature, ...] = ()
        self._temp_at_s: float | None = None
        self._sensors: dict[int, tuple[Temperature, float, int]] = {}
        self._too_hot = 0
        self._cached: ModuleReading | None = None

    def changed(self) -> None:
        """The next reading has to be made anew."""
        self._cached = None

    def take_status(
        self, decode: Callable[[bytes], Status | None], data: bytes, now_s: float
    ) -> None:
        """A temperature or balancing frame of 8 bytes arrived; it says nothing of the cells."""
        status = decode(data)
        if status is None:
            return
        self.changed()
        self._take_temperatures(status, now_s)
        if status.bleeding is not None:
            self.bleeding = status.bleeding & self.all_cells
            self.status_at_s = now_s

    def forget_old_status(self, now_s: float) -> bool:
        """Whether the last word on balancing has become too old to blame anybody for.

        What was bled last stays: a margin on the readings is the safe side of not knowing.
        """
        if self.status_at_s is None or now_s - self.status_at_s <= STATUS_LOST_S:
            return False
        self.status_at_s = None
        return True

    def _take_temperatures(self, status: Status, now_s: float) -> None:
        """Each sensor has its own age: one that dies must not be forgotten because others live.

        A sensor counts for good once it was usable SENSOR_PROVEN times; before that, one that
        is gone again was never there (bytes 4 and 5 are empty on most modules).
        """
        for index, sensor in enumerate(status.sensors):
            times = self._sensors[index][2] if index in self._sensors else 0
            if sensor.temp is not None:
                self._sensors[index] = (sensor.temp, now_s, times + 1)
            elif 0 < times < SENSOR_PROVEN and len(self._sensors) > 1:
                del self._sensors[index]
        if self._sensors:
            self._temps = tuple(temp for temp, _, _ in self._sensors.values())
            self._temp_at_s = min(at_s for _, at_s, _ in self._sensors.values())
        for index, sensor in enumerate(status.sensors):
            if sensor.state is SensorState.OUT_OF_RANGE:
                self._too_hot |= 1 << index
            elif sensor.state is SensorState.OK:  # a sensor that dies when too hot stays too hot
                self._too_hot &= ~(1 << index)

    @property
    def repeats(self) -> int:
        """How often all frames came again without any bit changed."""
        return min(quad.repeats for quad in self.quads)

    @property
    def heard_at_s(self) -> float | None:
        """When the newest voltage frame arrived."""
        return max((at for quad in self.quads if (at := quad.heard_at_s) is not None), default=None)

    def reading(self) -> ModuleReading:
        """What is known now; the same object until a frame arrives."""
        if self._cached is None:
            self._cached = self._make()
        return self._cached

    def _make(self) -> ModuleReading:
        suspect = 0
        for index, quad in enumerate(self.quads):
            suspect |= quad.suspect << 4 * index
        return ModuleReading(
            bus=self.member.bus,
            number=self.member.number,
            cell_v=tuple(chain.from_iterable([quad.volts for quad in self.quads])),
            cell_at_s=tuple(chain.from_iterable([quad.at_s for quad in self.quads])),
            temps=self._temps,
            temp_at_s=self._temp_at_s,
            over_range_temp=self._too_hot != 0,
            bleeding=self.bleeding,
            suspect=suspect,
        )
