"""Bytes of VW GTE, e-Golf and MEB battery modules <-> values (vw-gte protocol notes, 2 and 3).

Pure: no I/O, no clock. Every 8 bytes can be decoded, nothing raises; the hot path is a table
look-up per value. Temperatures are in ``status``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from gridzero.errors import FrameError
from gridzero.ports.links import CanFrame
from gridzero_drivers.vw_gte import ids
from gridzero_drivers.vw_gte.ids import Variant
from gridzero_drivers.vw_gte.status import (
    Status,
    decode_13s,
    decode_gte,
    decode_meb,
    decode_meb_balance,
)

CELL_MIN_V: Final = 1.000
CELL_MAX_V: Final = 5.091
PROVEN_MINUTES: Final = 16  # duration byte 0x08, what every field-proven firmware sends

_FIRST_UNAVAILABLE = 4092
_CELL_V: Final[tuple[float | None, ...]] = tuple(
    (1000 + raw) / 1000 if raw < _FIRST_UNAVAILABLE else None for raw in range(4096)
)

FourCells = tuple[float | None, float | None, float | None, float | None]


def decode_cells(data: bytes) -> FourCells:
    """Voltages of the four slots of a voltage frame, V, 1.000 to 5.091 (section 2.1).

    None: not available, initialising or absent. A dead short reads 1.000 V: the scale ends there.
    """
    bits = int.from_bytes(data, "little")
    return (
        _CELL_V[bits >> 12 & 0xFFF],
        _CELL_V[bits >> 24 & 0xFFF],
        _CELL_V[bits >> 36 & 0xFFF],
        _CELL_V[bits >> 48 & 0xFFF],
    )


def encode_cells(volts: Sequence[float | None], counter: int = 0) -> bytes:
    """The module's side of decode_cells; clamped to the scale, missing slots not available."""
    bits = (counter & 0xF) << 8
    shift = 12
    for volt in volts:
        raw = 0xFFF if volt is None else round(volt * 1000) - 1000
        if not 0 <= raw <= 4091 and volt is not None:
            raw = 0 if raw < 0 else 4091
        bits |= raw << shift
        shift += 12
    while shift < 60:
        bits |= 0xFFF << shift
        shift += 12
    return bits.to_bytes(8, "little")


def slots_used(index: int, series_cells: int) -> int:
    """How many slots of frame ``index`` hold cells of a module, 0 to 4.

    Frame 3 thereby means something only for 13 cells; on MEB modules it carries other data.
    """
    return max(0, min(4, series_cells - 4 * index))


class Diagnostics(NamedTuple):
    """The parts of a voltage frame whose rules are not known; never a reason to reject it."""

    byte0: int
    counter: int
    byte7_high_nibble: int


def diagnostics(data: bytes) -> Diagnostics:
    """Presumed checksum, message counter and measurement time of a voltage frame."""
    return Diagnostics(data[0], data[1] & 0xF, data[7] >> 4)


class Voltages(NamedTuple):
    """A voltage frame. frame_index: 0 to 3. cells: number (from 1) -> V or None."""

    module: int
    frame_index: int
    cells: dict[int, float | None]


class ModuleStatus(NamedTuple):
    """A temperature or balancing frame."""

    module: int
    status: Status


def decode(frame: CanFrame, series_cells: int = 12) -> Voltages | ModuleStatus | None:
    """Any frame that a module may send; None for what has to be ignored."""
    if len(frame.data) != 8 or frame.is_remote or frame.is_error:
        return None
    if frame.is_extended:
        return _decode_status(frame.can_id, frame.data)
    return _decode_voltages(frame.can_id, frame.data, series_cells)


def _decode_voltages(can_id: int, data: bytes, series_cells: int) -> Voltages | None:
    if can_id not in ids.VOLTAGE:
        return None
    module, index = ids.VOLTAGE[can_id]
    used = slots_used(index, series_cells)
    if not used:
        return None
    cells = enumerate(decode_cells(data)[:used], start=4 * index + 1)
    return Voltages(module, index, dict(cells))


def _decode_status(can_id: int, data: bytes) -> ModuleStatus | None:
    for table, decoder in (
        (ids.GTE_TEMPERATURE, decode_gte),
        (ids.S13_TEMPERATURE, decode_13s),
        (ids.MEB_TEMPERATURE, decode_meb),
        (ids.MEB_BALANCE, decode_meb_balance),
    ):
        if can_id in table:
            status = decoder(data)
            return None if status is None else ModuleStatus(table[can_id], status)
    return None


POLL_PAIR: Final = (
    CanFrame(ids.POLL_ID, bytes(8)),
    CanFrame(ids.POLL_ID, bytes.fromhex("4501280000000030")),
)
"""Asks every module on the bus for its voltages (section 1.1); verbatim, the checksum is unknown.

Modules ignore a poll whose counter (byte 1) did not change, so neither frame goes alone.
"""


def duration_byte(minutes: int) -> int:
    """A bleed duration on the wire: 2 minutes per bit, 1 to 253.

    Raises FrameError beyond; 0xFE and 0xFF have other meanings and are never sent by this.
    """
    if minutes % 2 or not 2 <= minutes <= 506:
        raise FrameError(
            f"a bleed duration of {minutes} min cannot be sent",
            where="vw_gte",
            remedy="Use an even number from 2 to 506",
        )
    return minutes // 2


def balance_pair(
    module: int,
    cells: int,
    *,
    variant: Variant,
    series_cells: int = 12,
    minutes: int = PROVEN_MINUTES,
) -> tuple[CanFrame, CanFrame]:
    """Ask a module to bleed cells (bit i = cell i+1) and no others (section 3.2).

    Raises FrameError for a module without ids, a cell that does not exist or a duration that
    cannot be sent.
    """
    if not 0 <= cells <= 0x1FFF or cells >> min(series_cells, 13):
        raise FrameError(
            f"module {module} has only {series_cells} cells",
            where="vw_gte",
            remedy="Ask for cells that exist",
        )
    return _pair(ids.request_ids(module, variant), cells, series_cells, duration_byte(minutes))


def other_stop_pair(
    module: int, *, variant: Variant, series_cells: int
) -> tuple[CanFrame, CanFrame] | tuple[()]:
    """Stop frames for module 3 at the ids of the other generation; nothing for other modules."""
    other = ids.other_request_ids(module, variant)
    return () if other is None else _pair(other, 0, series_cells, 0)


def _pair(
    can_ids: tuple[int, int], cells: int, series_cells: int, duration: int
) -> tuple[CanFrame, CanFrame]:
    orders = [
        duration if cells >> cell & 1 else 0 for cell in range(13 if series_cells == 13 else 12)
    ]
    first, second = bytes(orders[:8]), bytes(orders[8:]).ljust(8, b"\xfe")
    return (
        CanFrame(can_ids[0], first, is_extended=True),
        CanFrame(can_ids[1], second, is_extended=True),
    )


def end_of_balancing(
    *, variant_of_3: Variant, thirteen: Collection[int] = ()
) -> tuple[CanFrame, ...]:
    """24 frames that end balancing in all of modules 1 to 12, there or not (section 3.3).

    All first frames in the order of the modules, then all second ones. thirteen: the modules
    that have 13 cells.
    """
    pairs = [
        balance_pair(module, 0, variant=variant_of_3, series_cells=13 if module in thirteen else 12)
        for module in range(1, ids.LARGEST_BALANCED_MODULE + 1)
    ]
    return tuple(pair[half] for half in (0, 1) for pair in pairs)
