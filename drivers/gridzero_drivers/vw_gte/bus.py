"""One CAN bus with its modules: asking, listening and balancing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import structlog

from gridzero.errors import LinkError
from gridzero.ports.links import CanFrame, CanLink
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.vw_gte import codec, ids, status
from gridzero_drivers.vw_gte.balancing import BleedOrder
from gridzero_drivers.vw_gte.module import Module
from gridzero_drivers.vw_gte.options import Member, VwGteOptions
from gridzero_drivers.vw_gte.watch import BusWatch

log = structlog.get_logger()

SPACING_S: Final = 0.001

_OFFSETS_C: Final = {
    "worse_of_both": (43.0, 40.0),
    "minus_40": (40.0, 40.0),
    "minus_43": (43.0, 43.0),
}

Taker = Callable[[bytes, float], None]
Decoder = Callable[[bytes], status.Status | None]


class GteBus:
    """Polls the modules of one bus and keeps what they say."""

    def __init__(
        self,
        key: str,
        link: CanLink,
        modules: Sequence[Module],
        options: VwGteOptions,
        context: DriverContext,
    ) -> None:
        self.key = key
        self.modules = modules
        self.orders = {
            module.name: BleedOrder(module.member, options.bleed_minutes)
            for module in modules
            if module.member.number <= ids.LARGEST_BALANCED_MODULE
        }
        self._link = link
        self._clock = context.clock
        self._now_s = context.clock.now_s
        self._period_s, self._gap_s = options.poll_period_s, options.poll_gap_s
        self._heard_at_s = self._now_s()
        self._watch = BusWatch(
            key, link.name, modules, self.orders, context.report, self._heard_at_s
        )
        self._is_sending = True
        self._seen_restarts = self._restarts()
        self._must_end = False
        self._standard = self._voltage_takers()
        self._extended = self._status_takers(options)
        self._end_frames = self._frames_that_end(options)
        link.listen(self.receive, ids.FILTERS)

    def _voltage_takers(self) -> dict[int, Taker]:
        """Who takes which of all 64 voltage ids; a module that is not configured is a stranger."""
        by_number = {module.member.number: module for module in self.modules}

        def taker(number: int, index: int) -> Taker:
            if number not in by_number:
                return partial(self._take_stranger, number)
            quads = by_number[number].quads
            return quads[index].take if index < len(quads) else self._take_nothing

        return {can_id: taker(*place) for can_id, place in ids.VOLTAGE.items()}

    def _status_takers(self, options: VwGteOptions) -> dict[int, Taker]:
        low_c, high_c = _OFFSETS_C[options.temperature_offset]
        sensors = status.sensor_table(
            low_offset_c=low_c, high_offset_c=high_c, first_out_of_range=0xDF
        )
        decode_gte = partial(status.decode_gte, sensors=sensors)
        return {
            can_id: partial(module.take_status, decode)
            for module in self.modules
            for table, decode in _layouts(module.member, decode_gte)
            for can_id, number in table.items()
            if number == module.member.number
        }

    def _frames_that_end(self, options: VwGteOptions) -> tuple[CanFrame, ...]:
        """24 frames in the documented order, then those for the other kind of module 3."""
        members = {module.member.number: module.member for module in self.modules}
        thirteen = {number for number, member in members.items() if member.series_cells == 13}
        variant = members[3].variant if 3 in members else options.variant
        frames = codec.end_of_balancing(variant_of_3=variant, thirteen=thirteen)
        if 3 not in members:
            return frames
        cells = members[3].series_cells
        return frames + codec.other_stop_pair(3, variant=variant, series_cells=cells)

    # -- listening

    def receive(self, frame: CanFrame) -> None:
        """Take a frame from the bus; what cannot be used is counted. Raises nothing."""
        can_id, data, is_extended, is_remote, is_error = frame
        take = self._extended.get(can_id) if is_extended else self._standard.get(can_id)
        if take is None or len(data) != 8 or is_remote or is_error:
            self._count_unusable(frame)
            return
        self._heard_at_s = now_s = self._now_s()
        take(data, now_s)

    def _count_unusable(self, frame: CanFrame) -> None:
        if frame.can_id in ids.REQUEST_IDS or frame.can_id == ids.POLL_ID:
            return  # our own or another master's, not a module's
        if frame.is_remote or frame.is_error:
            self._link.health.skip("remote or error frame")
        elif len(frame.data) != 8:
            self._link.health.skip("not 8 bytes")
        else:
            self._link.health.skip("unknown id")

    def _take_nothing(self, _data: bytes, _now_s: float) -> None:
        """Frame index 3 of a module without a 13th cell."""

    def _take_stranger(self, number: int, _data: bytes, now_s: float) -> None:
        self._watch.stranger(number, now_s)

    # -- asking

    async def run(self) -> None:
        """Poll until cancelled; balancing ends on every way out. Raises nothing by itself."""
        try:
            await self.end_balancing()
            self._heard_at_s = next_s = self._now_s()
            while True:
                await self._poll()
                self._notice(self._now_s())
                await self._balance()
                next_s = max(next_s + self._period_s, self._now_s())
                await self._clock.sleep_s(next_s - self._now_s())
        finally:
            await self.end_balancing()

    async def _poll(self) -> None:
        """Both frames or none: modules ignore the second when it is repeated alone."""
        if self._send(codec.POLL_PAIR[0]):
            await self._clock.sleep_s(self._gap_s)
            self._send(codec.POLL_PAIR[1])

    def _send(self, frame: CanFrame) -> bool:
        try:
            self._link.send(frame)
        except LinkError as error:
            if self._is_sending:
                log.warning("bus.lost", bus=self.key, link=self._link.name, what=error.what)
            self._is_sending = False
            return False
        if not self._is_sending:
            log.info("bus.restored", bus=self.key, link=self._link.name)
            self._is_sending = self._must_end = True
        return True

    async def _send_spaced(self, frames: Iterable[CanFrame]) -> int:
        """Send frames 1 ms apart; returns how many could not be sent."""
        failed = 0
        for frame in frames:
            failed += not self._send(frame)
            await self._clock.sleep_s(SPACING_S)
        return failed

    # -- balancing

    async def _balance(self) -> None:
        """Send what is due; after a reconnect nobody knows what the modules do, so end it first."""
        if not self._is_sending:
            return
        if self._must_end:
            await self.end_balancing()
        for module in self.modules:
            if module.name in self.orders:
                await self._send_order(self.orders[module.name], module.bleeding)

    async def _send_order(self, order: BleedOrder, reported: int) -> None:
        """A request that left only in part is followed by the end that follows every failure."""
        cells = order.due(self._now_s(), reported)
        if cells is not None and not await self._send_spaced(order.frames(cells)):
            order.was_sent(cells, self._now_s())

    async def end_balancing(self) -> None:
        """Tell every module to stop bleeding; about 30 ms, also on a dead bus. Raises nothing."""
        failed = await self._send_spaced(self._end_frames)
        self._must_end = failed > 0
        for order in self.orders.values():
            order.was_ended()

    def _notice(self, now_s: float) -> None:
        is_back = self._watch.check(now_s, self._heard_at_s)
        if is_back or self._restarts() != self._seen_restarts:
            self._seen_restarts = self._restarts()
            self._must_end = True
        for name in self._watch.returned():
            if name in self.orders:
                self.orders[name].was_away()

    def _restarts(self) -> int:
        return self._link.health.reopened + self._link.health.bus_off


def _layouts(member: Member, decode_gte: Decoder) -> list[tuple[dict[int, int], Decoder]]:
    """Ids and layouts of temperature that may come from a module of this kind."""
    if member.variant == "meb":
        return [
            (ids.MEB_TEMPERATURE, status.decode_meb),
            (ids.MEB_BALANCE, status.decode_meb_balance),
        ]
    gte: list[tuple[dict[int, int], Decoder]] = [(ids.GTE_TEMPERATURE, decode_gte)]
    if member.series_cells == 13:
        gte.append((ids.S13_TEMPERATURE, status.decode_13s))
    return gte
