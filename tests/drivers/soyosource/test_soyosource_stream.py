"""Resynchronising on a line that loses, inserts and merges bytes."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gridzero_drivers.soyosource.codec import QUERY, Demand, Query, Status
from gridzero_drivers.soyosource.stream import (
    DEMAND,
    DEMAND_UNCHECKED,
    STATUS,
    STATUS_QUERY,
    FrameStream,
)

IDLE = Status(0, 51.0, 0.0, 229, 50.0, 19.0)
BUSY = Status(0, 50.4, 13.4, 231, 50.0, 38.5)
SOUND = st.sampled_from(
    [IDLE.to_bytes(), BUSY.to_bytes(), Demand(333).to_bytes(), Demand(0x2323).to_bytes(), QUERY]
)
DAMAGED = SOUND.flatmap(
    lambda frame: st.integers(1, len(frame) - 1).map(lambda cut: b"\xff" + frame[:cut])
)


def host_stream(skip: Any = lambda _why: None) -> FrameStream[Any]:
    return FrameStream((STATUS, DEMAND, STATUS_QUERY), skip)


def test_two_merged_replies_lose_only_the_first() -> None:
    stream = host_stream()
    assert stream.feed(IDLE.to_bytes()[:7] + BUSY.to_bytes()) == [BUSY]
    assert stream.discarded_bytes == 7


def test_an_inserted_byte_spoils_one_reply_only() -> None:
    skipped: Counter[str] = Counter()
    stream = host_stream(lambda why: skipped.update([why]))
    spoiled = BUSY.to_bytes()[:6] + b"\xff" + BUSY.to_bytes()[6:]
    assert stream.feed(spoiled + IDLE.to_bytes()) == [IDLE]
    assert skipped == {"checksum": 1, "noise": 1}


def test_echoed_frames_are_told_apart_from_replies() -> None:
    stream = host_stream()
    data = Demand(0x2301).to_bytes() + QUERY + IDLE.to_bytes()
    assert stream.feed(data) == [Demand(0x2301), Query(), IDLE]
    assert stream.discarded_bytes == 0


@given(data=st.lists(SOUND | DAMAGED | st.binary(max_size=12)).map(b"".join), seed=st.integers())
def test_pieces_do_not_matter(data: bytes, seed: int) -> None:
    whole, pieces = host_stream(), host_stream()
    expected = whole.feed(data)
    dice, found, at = random.Random(seed), [], 0
    while at < len(data):
        size = dice.randint(1, 9)
        found += pieces.feed(data[at : at + size])
        at += size
    assert found == expected
    assert (pieces.pending, pieces.discarded_bytes) == (whole.pending, whole.discarded_bytes)


def test_a_sound_reply_survives_any_noise_before_it(fuzz_frames: int) -> None:
    """Noise may hide at most the frame it runs into; then the stream is in step again."""
    dice, stream = random.Random(7), host_stream()
    for _ in range(fuzz_frames // 4):
        stream.feed(dice.randbytes(dice.randint(0, 40)))
        found = [frame for _ in range(2) for frame in stream.feed(BUSY.to_bytes())]
        assert found[-1] == BUSY
        assert len(stream.pending) < 15


def test_noise_is_bounded_and_hardly_ever_a_reply(fuzz_frames: int) -> None:
    dice, stream = random.Random(3), host_stream()
    replies = 0
    for _ in range(fuzz_frames):
        # every piece starts like a reply, so only checksum and gates stand in the way
        found = stream.feed(b"\x23\x01\x01\x00" + dice.randbytes(11))
        replies += sum(isinstance(frame, Status) for frame in found)
        assert len(stream.pending) < 15
    assert replies <= fuzz_frames / 2000


def test_every_byte_is_accounted_for() -> None:
    dice, stream = random.Random(5), host_stream()
    fed = kept = 0
    for _ in range(5000):
        data = dice.choice([IDLE.to_bytes(), QUERY, dice.randbytes(5), b"\x23\x01", b"\x24\x56"])
        fed += len(data)
        kept += sum(15 if isinstance(frame, Status) else 8 for frame in stream.feed(data))
    assert fed == kept + stream.discarded_bytes + len(stream.pending)


def test_clearing_forgets_half_a_frame() -> None:
    stream = host_stream()
    stream.feed(BUSY.to_bytes()[:9])
    stream.clear()
    assert (stream.pending, stream.discarded_bytes) == (b"", 9)
    assert stream.feed(BUSY.to_bytes()) == [BUSY]


def test_a_lenient_listener_obeys_a_wrong_checksum() -> None:
    wrong = Demand(450).to_bytes()[:-1] + b"\x00"
    strict: FrameStream[Any] = FrameStream((DEMAND, STATUS_QUERY))
    lenient: FrameStream[Any] = FrameStream((DEMAND_UNCHECKED, STATUS_QUERY))
    assert strict.feed(wrong) == []
    assert lenient.feed(wrong) == [Demand(450)]
