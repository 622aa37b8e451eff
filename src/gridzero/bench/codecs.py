"""How fast each codec decodes, beside code that gets the same numbers without looking twice.

The plain code unpacks and scales. It trusts every byte: no length, no checksum, no header, no
"not available", no plausibility.
"""

from __future__ import annotations

import json
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from gridzero.bench.figures import Figure
from gridzero_drivers.ads1115_shunt import codec as ads1115
from gridzero_drivers.metering import codec as meter
from gridzero_drivers.metering import path
from gridzero_drivers.soyosource import codec as soyosource
from gridzero_drivers.soyosource.stream import STATUS, FrameStream
from gridzero_drivers.vertiv_r48 import codec as vertiv
from gridzero_drivers.vw_gte import codec as vw_gte

_FRAMES = 1000
_CHUNK = 32  # bytes that a USB adapter hands over at once, about
_STATUS = struct.Struct(">4xBHHHBHx")
_ANSWER = struct.Struct(">BBHf")
_AMPS_PER_BIT = ads1115.amps(ads1115.volts(1, 0.256), 100, 75)


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of frame. inputs: what each function is called with; they hold _FRAMES frames.

    numbers: what the codec's result says, for comparison with the plain function's result.
    """

    key: str
    title: str
    inputs: Sequence[Any]
    decode: Callable[[Any], Any]
    plain: Callable[[Any], Any]
    numbers: Callable[[Any], Any] = lambda result: result


def measure(seconds: float) -> Iterator[Figure]:
    """Three figures for each kind of frame; seconds for each function."""
    for case in cases():
        ours = _FRAMES / _best_s(case.decode, case.inputs, seconds)
        plain = _FRAMES / _best_s(case.plain, case.inputs, seconds)
        yield Figure(f"{case.key}_per_s", case.title, ours, "frames/s")
        yield Figure(f"{case.key}_plain_per_s", "  plain unpacking", plain, "frames/s")
        yield Figure(f"{case.key}_ratio", "  codec against plain", ours / plain, "x")


def _best_s(function: Callable[[Any], Any], inputs: Iterable[Any], seconds: float) -> float:
    """Shortest time for all inputs: what disturbs only ever makes it longer."""
    best_s = float("inf")
    ends_s = time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < ends_s:
        deque(map(function, inputs), maxlen=0)
        best_s = min(best_s, time.perf_counter() - began_s)
    return best_s


def cases(seed: int = 1) -> Iterator[Case]:
    """Every codec of the reference house, with frames that differ from each other."""
    random = Random(seed)
    yield _voltages(random)
    yield _answers(random)
    yield from _statuses(random)
    yield from _payloads(random)
    yield _conversions(random)


def _voltages(random: Random) -> Case:
    frames = [
        vw_gte.encode_cells([random.randint(3300, 4100) / 1000 for _ in range(4)], number % 16)
        for number in range(_FRAMES)
    ]
    title = "vw_gte voltage frame"
    return Case("vw_gte_voltage", title, frames, vw_gte.decode_cells, _plain_cells)


def _plain_cells(data: bytes) -> tuple[float, ...]:
    bits = int.from_bytes(data, "little")
    return (
        (bits >> 12 & 0xFFF) / 1000 + 1,
        (bits >> 24 & 0xFFF) / 1000 + 1,
        (bits >> 36 & 0xFFF) / 1000 + 1,
        (bits >> 48 & 0xFFF) / 1000 + 1,
    )


def _answers(random: Random) -> Case:
    frames = [
        vertiv.encode(
            vertiv.Value(0, False, random.randint(1, 5), vertiv.NO_ERROR, random.uniform(0, 60))
        )
        for _ in range(_FRAMES)
    ]
    return Case(
        "vertiv_r48_answer",
        "vertiv_r48 answer",
        frames,
        vertiv.decode,
        lambda frame: _ANSWER.unpack(frame.data)[2:],
        lambda message: (message.parameter, message.value),
    )


def _statuses(random: Random) -> Iterator[Case]:
    frames = [_status(random).to_bytes() for _ in range(_FRAMES)]
    yield Case(
        "soyosource_status",
        "soyosource status",
        frames,
        soyosource.parse_status,
        _plain_status,
    )
    stream = b"".join(frames)
    yield Case(
        "soyosource_stream",
        f"soyosource stream, {_CHUNK} bytes at once",
        [stream[at : at + _CHUNK] for at in range(0, len(stream), _CHUNK)],
        FrameStream((STATUS,)).feed,
        _PlainStream().feed,
    )


def _status(random: Random) -> soyosource.Status:
    return soyosource.Status(
        code=0,
        battery_v=random.randint(420, 500) / 10,
        battery_a=random.randint(0, 200) / 10,
        grid_v=random.randint(220, 240),
        grid_hz=50.0,
        temp_c=random.randint(200, 600) / 10,
    )


def _plain_status(data: bytes) -> tuple[float, ...]:
    code, deci_v, deci_a, grid_v, half_hz, deci_c = _STATUS.unpack(data)
    return code, deci_v / 10, deci_a / 10, grid_v, half_hz / 2, (deci_c - 300) / 10


class _PlainStream:
    """Cuts every fifteen bytes: one lost byte spoils all that follows."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[tuple[float, ...]]:
        """Bytes in, frames out."""
        buffer = self._pending + data
        whole = len(buffer) // _STATUS.size * _STATUS.size
        self._pending = buffer[whole:]
        return [
            _plain_status(buffer[at : at + _STATUS.size]) for at in range(0, whole, _STATUS.size)
        ]


def _payloads(random: Random) -> Iterator[Case]:
    watts = [random.randint(-3000, 3000) for _ in range(_FRAMES)]
    number = meter.Shape((None,))
    yield Case(
        "mqtt_meter_number",
        "mqtt_meter payload, a number",
        [str(power_w).encode() for power_w in watts],
        lambda payload: meter.decode(payload, number),
        float,
        _only_number,
    )
    document = meter.Shape((path.parse("em.power"),))
    yield Case(
        "mqtt_meter_json",
        "mqtt_meter payload, JSON",
        [json.dumps({"time": 0, "em": {"power": power_w}}).encode() for power_w in watts],
        lambda payload: meter.decode(payload, document),
        lambda payload: float(json.loads(payload)["em"]["power"]),
        _only_number,
    )


def _only_number(content: meter.Content) -> float:
    return content.numbers[0]


def _conversions(random: Random) -> Case:
    return Case(
        "ads1115_word",
        "ads1115_shunt conversion",
        [ads1115.word_from_raw(random.randint(-32000, 32000)) for _ in range(_FRAMES)],
        _amps,
        lambda word: (word - 0x10000 if word & 0x8000 else word) * _AMPS_PER_BIT,
    )


def _amps(word: int) -> float | None:
    """As the driver does it."""
    raw = ads1115.raw_from_word(word)
    return None if ads1115.is_saturated(raw) else raw * _AMPS_PER_BIT
