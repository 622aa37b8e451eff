"""Simulated modules on one bus: the codec the other way round, and the bleed timers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random
from typing import Final

from gridzero.ports.links import CanFrame
from gridzero.ports.twins import DeviceTwin, World
from gridzero_drivers.vw_gte import codec, ids, status
from gridzero_drivers.vw_gte.options import Member, VwGteOptions

TEMPERATURE_PERIOD_S: Final = 1.0
_SEND_VOLTAGES = 0x10  # flag in byte 7 of a poll
_NO_REQUEST = 0xFE
_ERROR = 0xFF


class ModuleTwin:
    """One slave board. counter: message counter; bleeding: bit i = cell i+1."""

    def __init__(self, member: Member, random: Random) -> None:
        self.member = member
        self.name = member.name
        self.counter = random.randrange(16)
        self.temperature_in_s = random.uniform(0.0, TEMPERATURE_PERIOD_S)
        self.bleeding = 0
        self.last_answer: list[CanFrame] = []
        self._ends_s = [0.0] * member.series_cells
        first_id = 0x1B0 + 4 * (member.number - 1)
        self._frames = [
            (first_id + index, 4 * index, 4 * index + used)
            for index in range(4)
            if (used := codec.slots_used(index, member.series_cells))
        ]

    def answer(self, volts: Sequence[float | None]) -> list[CanFrame]:
        """Voltage frames."""
        self.counter = counter = (self.counter + 1) & 0xF
        self.last_answer = [
            CanFrame(can_id, codec.encode_cells(volts[start:end], counter))
            for can_id, start, end in self._frames
        ]
        return self.last_answer

    def order(self, first_cell: int, orders: bytes, now_s: float) -> None:
        """Take one half of a balancing request; each cell has a timer of its own."""
        for cell, value in enumerate(orders, start=first_cell):
            if cell < self.member.series_cells and value not in (_NO_REQUEST, _ERROR):
                self._ends_s[cell] = now_s + 120.0 * value

    def active(self, now_s: float) -> int:
        """Cells whose timer runs, as bits."""
        return sum(1 << cell for cell, end_s in enumerate(self._ends_s) if end_s > now_s)

    def status(self, temp_c: float) -> list[CanFrame]:
        """Temperature and balancing frames, as far as the ids of this module are known."""
        number = self.member.number
        if self.member.variant == "meb":
            balance = status.encode_meb_balance(self.bleeding)
            frames = [_status_frame(0x16A95470 + number - 1, balance)]
            if number <= 15:
                frames.append(_status_frame(0x1A5555F0 + number - 1, status.encode_meb(temp_c)))
            return frames
        if number > 8:
            return []
        if self.member.series_cells == 13:
            return [_status_frame(0x1A555420 + 2 * (number - 1), status.encode_13s(temp_c))]
        return [_status_frame(0x1A555400 + number, status.encode_gte(temp_c, self.bleeding))]


class GteBusTwin:
    """All modules on one bus; meets ports.twins.CanTwin.

    Faults to play with; cells are (module number, cell number from 1):
    silent: modules that send nothing (their bleed timers run on).
    frozen: modules that repeat their last voltage frames, counter included.
    no_temperature: modules that send no temperature.
    not_available: cells that read as not available. misread: cells that read this voltage.
    offset_v: cells that read so much more. stuck: cells that go on to read what they read first.
    jumping: cells that read so much more at every second poll.
    swapped: cells whose upper sense wire is exchanged with that of the next cell.
    """

    def __init__(self, members: Sequence[Member], world: World, seed: int = 0) -> None:
        random = Random(seed)
        self.modules = [ModuleTwin(member, random) for member in members]
        self.silent: set[int] = set()
        self.frozen: set[int] = set()
        self.no_temperature: set[int] = set()
        self.not_available: set[tuple[int, int]] = set()
        self.misread: dict[tuple[int, int], float] = {}
        self.offset_v: dict[tuple[int, int], float] = {}
        self.stuck: set[tuple[int, int]] = set()
        self.jumping: dict[tuple[int, int], float] = {}
        self.swapped: set[tuple[int, int]] = set()
        self._stuck_v: dict[tuple[int, int], float] = {}
        self._world = world
        self._now_s = 0.0
        self._poll_counter: int | None = None
        self._is_asked = False
        self._requests = {
            can_id: (module, 8 * half)
            for module in self.modules
            if module.member.number <= ids.LARGEST_BALANCED_MODULE
            for half, can_id in enumerate(
                ids.request_ids(module.member.number, module.member.variant)
            )
        }

    def receive(self, frame: CanFrame) -> None:
        """Take a poll or a balancing request; everything else means nothing to a module."""
        if len(frame.data) != 8 or frame.is_remote or frame.is_error:
            return
        if frame.is_extended:
            self._take_request(frame)
        elif frame.can_id == ids.POLL_ID:
            self._take_poll(frame.data)

    def _take_poll(self, data: bytes) -> None:
        counter = data[1] & 0xF
        if counter != self._poll_counter:
            self._poll_counter = counter
            self._is_asked = self._is_asked or bool(data[7] & _SEND_VOLTAGES)

    def _take_request(self, frame: CanFrame) -> None:
        if frame.can_id in self._requests:
            module, first_cell = self._requests[frame.can_id]
            module.order(first_cell, frame.data, self._now_s)
            self._switch(module)

    def _switch(self, module: ModuleTwin) -> None:
        active = module.active(self._now_s)
        if active != module.bleeding:
            module.bleeding = active
            self._world.bleed(module.name, active)

    def advance(self, seconds: float) -> list[CanFrame]:
        """Let time pass; returns temperatures that are due and the answer to a poll."""
        sent: list[CanFrame] = []
        if seconds > 0:
            self._now_s += seconds
            for module in self.modules:
                sent += self._advance(module, seconds)
        if self._is_asked:
            self._is_asked = False
            for module in self.modules:
                sent += self._answer(module)
        return sent

    def _advance(self, module: ModuleTwin, seconds: float) -> list[CanFrame]:
        if module.bleeding:
            self._switch(module)
        module.temperature_in_s -= seconds
        if module.temperature_in_s > 0:
            return []
        module.temperature_in_s = max(module.temperature_in_s + TEMPERATURE_PERIOD_S, 0.0)
        number = module.member.number
        if number in self.silent or number in self.no_temperature:
            return []
        return module.status(self._world.temp_c(module.name))

    def _answer(self, module: ModuleTwin) -> list[CanFrame]:
        number = module.member.number
        if number in self.silent:
            return []
        if number in self.frozen and module.last_answer:
            return module.last_answer
        return module.answer(self._volts(module))

    def _volts(self, module: ModuleTwin) -> Sequence[float | None]:
        true_v = self._world.cell_v(module.name)
        if not (
            self.misread
            or self.not_available
            or self.offset_v
            or self.stuck
            or self.jumping
            or self.swapped
        ):
            return true_v
        number = module.member.number
        return [
            self._shown((number, cell), cell_v, is_odd_poll=bool(module.counter & 1))
            for cell, cell_v in enumerate(self._wired(number, true_v), start=1)
        ]

    def _wired(self, number: int, true_v: Sequence[float]) -> Sequence[float]:
        """What the taps show: cell i is what lies between tap i-1 and tap i."""
        swapped = [cell for module, cell in self.swapped if module == number]
        if not swapped:
            return true_v
        taps = [0.0, *accumulate(true_v)]
        for cell in swapped:
            taps[cell], taps[cell + 1] = taps[cell + 1], taps[cell]
        return [above - below for below, above in pairwise(taps)]

    def _shown(self, cell: tuple[int, int], volt_v: float, *, is_odd_poll: bool) -> float | None:
        if cell in self.not_available:
            return None
        volt_v = self.misread.get(cell, volt_v) + self.offset_v.get(cell, 0.0)
        if is_odd_poll:
            volt_v += self.jumping.get(cell, 0.0)
        if cell in self.stuck:
            return self._stuck_v.setdefault(cell, volt_v)
        self._stuck_v.pop(cell, None)
        return volt_v


def _status_frame(can_id: int, data: bytes) -> CanFrame:
    return CanFrame(can_id, data, is_extended=True)


def build_twin(options: VwGteOptions, world: World, seed: int) -> DeviceTwin:
    """One bus of simulated modules for each link."""
    members = list(options.members())
    return DeviceTwin(
        can={
            bus.link: GteBusTwin([m for m in members if m.bus == key], world, seed + place)
            for place, (key, bus) in enumerate(options.buses.items())
        }
    )
