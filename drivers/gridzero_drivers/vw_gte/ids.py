"""CAN identifiers of VW GTE, e-Golf and MEB battery modules (vw-gte protocol notes, section 2.8).

Every table holds exact ids. The firmwares this protocol was learnt from work with ranges, and so
take balancing requests and bridged packs for temperatures of modules that do not exist.
"""

from __future__ import annotations

from typing import Literal

from gridzero.errors import FrameError
from gridzero.ports.links import CanFilter

Variant = Literal["gte_gen1", "standard", "meb"]

POLL_ID = 0x0BA

LARGEST_MODULE = 16
LARGEST_BALANCED_MODULE = 12

VOLTAGE: dict[int, tuple[int, int]] = {
    0x1B0 + 4 * (module - 1) + index: (module, index)
    for module in range(1, LARGEST_MODULE + 1)
    for index in range(4)
}
"""11-bit id -> (module, frame index); frame index k carries cells 4k+1 to 4k+4."""

GTE_TEMPERATURE: dict[int, int] = {0x1A555400 + module: module for module in range(1, 9)}
S13_TEMPERATURE: dict[int, int] = {0x1A555420 + 2 * (module - 1): module for module in range(1, 9)}
MEB_TEMPERATURE: dict[int, int] = {0x1A5555F0 + module - 1: module for module in range(1, 16)}
MEB_BALANCE: dict[int, int] = {0x16A95470 + module - 1: module for module in range(1, 17)}

FILTERS: tuple[CanFilter, ...] = (
    CanFilter(0x1B0, 0x7F0, is_extended=False),
    CanFilter(0x1C0, 0x7E0, is_extended=False),
    CanFilter(0x1E0, 0x7F0, is_extended=False),
    CanFilter(0x1A555400, 0x1FFFFFC0, is_extended=True),
    CanFilter(0x1A5555F0, 0x1FFFFFF0, is_extended=True),
    CanFilter(0x16A95470, 0x1FFFFFF0, is_extended=True),
)
"""What may come from a module (section 1.3); the poll and most requests do not pass."""

_REGULAR_3 = (0x1A55540E, 0x1A55540F)
_GEN1_3 = (0x1A55541E, 0x1A55541F)


def request_ids(module: int, variant: Variant) -> tuple[int, int]:
    """29-bit ids of the two balancing requests of a module (section 3.2).

    Module 3 of the first Golf/Passat GTE generation listens elsewhere than all others. Raises
    FrameError for a module without known ids: guessing would overwrite another module's request.
    """
    if not 1 <= module <= LARGEST_BALANCED_MODULE:
        raise FrameError(
            f"module {module} has no known balancing id",
            where="vw_gte",
            remedy=f"Only modules 1 to {LARGEST_BALANCED_MODULE} can be balanced",
        )
    if module == 3 and variant == "gte_gen1":
        return _GEN1_3
    first = 0x1A55540A + 2 * (module - 1) if module <= 9 else 0x1A5554AB + 2 * (module - 10)
    return first, first + 1


def other_request_ids(module: int, variant: Variant) -> tuple[int, int] | None:
    """The pair that a module 3 of the other generation listens to; None for all other modules.

    Only "stop" may be sent there (section 7.1).
    """
    if module != 3:
        return None
    return _REGULAR_3 if variant == "gte_gen1" else _GEN1_3


REQUEST_IDS: frozenset[int] = frozenset(
    can_id
    for module in range(1, LARGEST_BALANCED_MODULE + 1)
    for variant in ("gte_gen1", "standard")
    for can_id in request_ids(module, variant)
)
"""Ids that only masters send; some pass the filters and mean nothing to a master."""
