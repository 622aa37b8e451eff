"""Rows of whole numbers to few bytes and back: column by column, differences, deflated.

A block is n rows of the same columns. Neighbours in time resemble each other, so each column is
stored as its first value and the differences, each as wide as the largest of them needs, and zlib
does the rest. Decoding is C code (``array``, ``accumulate``) and skips columns that nobody asked
for. docs/decisions/0010-history.md compares this with rows in a table.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Collection, Sequence
from itertools import accumulate, pairwise

Value = int | None
Values = list[Value]

LARGEST = 2**48
"""No stored number is larger; what comes from outside is checked against it."""

_LEVEL = 6
_RAW = -15  # deflate without zlib's header and checksum: SQLite's pages need none either
_CONSTANT, _UNKNOWN, _HOLES = 0, 7, 8
_TYPES = {1: "b", 2: "h", 3: "i", 4: "q"}
_WIDTHS = {code: array(letter).itemsize for code, letter in _TYPES.items()}
_LARGEST_BLOCK = 4_000_000


class BadBlock(ValueError):
    """These bytes are no block."""


def encode(columns: Sequence[Sequence[Value]]) -> bytes:
    """Columns of equal length, None = unknown; every number within +-LARGEST."""
    count = len(columns[0]) if columns else 0
    parts = [_varint(count), _varint(len(columns))]
    parts.extend(_column(column) for column in columns)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return packer.compress(b"".join(parts)) + packer.flush()


def decode(body: bytes, wanted: Collection[int] | None = None) -> dict[int, Values]:
    """Columns by number; wanted: only these (None = all). Absent ones are left out.

    Raises BadBlock.
    """
    unpacker = zlib.decompressobj(_RAW)
    try:
        data = unpacker.decompress(body, _LARGEST_BLOCK)
        if not unpacker.eof:
            raise BadBlock("it ends too early, or is too long")
        return _Reader(data).columns(wanted)
    except (zlib.error, IndexError, KeyError, ValueError) as error:
        raise BadBlock(str(error)) from error


def _column(values: Sequence[Value]) -> bytes:
    known = [value for value in values if value is not None]
    if not known:
        return bytes([_UNKNOWN])
    has_holes = len(known) < len(values)
    filled = _filled(values, known[0]) if has_holes else known
    steps = [after - before for before, after in pairwise(filled)]
    code = _code(steps)
    head = bytes([code | (_HOLES if has_holes else 0)]) + _varint(_zigzag(filled[0]))
    holes = _bitmap(values) if has_holes else b""
    return head + holes + (_little(array(_TYPES[code], steps)) if code else b"")


def _filled(values: Sequence[Value], first: int) -> list[int]:
    """Unknown ones take the last known value: a difference of 0 costs next to nothing."""
    filled, last = [], first
    for value in values:
        last = last if value is None else value
        filled.append(last)
    return filled


def _code(steps: Sequence[int]) -> int:
    largest = max((step if step >= 0 else ~step for step in steps), default=0)
    if largest == 0 and not any(steps):
        return _CONSTANT
    fitting = (code for code, width in _WIDTHS.items() if largest < 1 << (8 * width - 1))
    return next(fitting, max(_WIDTHS))


def _bitmap(values: Sequence[Value]) -> bytes:
    bits = sum(1 << i for i, value in enumerate(values) if value is None)
    return bits.to_bytes((len(values) + 7) // 8, "little")


def _little(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class _Reader:
    """Reads a block from its begin to its end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def columns(self, wanted: Collection[int] | None) -> dict[int, Values]:
        rows, columns = self._number(), self._number()
        found: dict[int, Values] = {}
        for number in range(columns):
            if wanted is None or number in wanted:
                found[number] = self._column(rows)
            else:
                self._skip(rows)
        return found

    def _column(self, rows: int) -> Values:
        code = self._take(1)[0]
        if code == _UNKNOWN:
            return [None] * rows
        first, unknown = self._signed(), self._take((rows + 7) // 8) if code & _HOLES else b""
        code &= ~_HOLES
        if code == _CONSTANT:
            values: Values = [first] * rows
        else:
            values = list(accumulate(self._steps(code, rows), initial=first))
        if unknown:
            _punch(values, unknown)
        return values

    def _steps(self, code: int, rows: int) -> array[int]:
        steps = array(_TYPES[code])
        steps.frombytes(self._take((rows - 1) * _WIDTHS[code]))
        if sys.byteorder == "big":
            steps.byteswap()
        return steps

    def _skip(self, rows: int) -> None:
        code = self._take(1)[0]
        if code == _UNKNOWN:
            return
        self._number()
        holes = (rows + 7) // 8 if code & _HOLES else 0
        width = _WIDTHS.get(code & ~_HOLES, 0)
        self._take(holes + (rows - 1) * width)

    def _signed(self) -> int:
        number = self._number()
        return -((number + 1) >> 1) if number & 1 else number >> 1

    def _number(self) -> int:
        number = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise BadBlock("it ends too early")
        part, self._at = self._data[self._at : end], end
        return part


def _punch(values: Values, unknown: bytes) -> None:
    bits = int.from_bytes(unknown, "little")
    for i in range(len(values)):
        if bits >> i & 1:
            values[i] = None
