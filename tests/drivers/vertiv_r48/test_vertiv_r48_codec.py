"""Bytes to values and back."""

from __future__ import annotations

import math
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.errors import FrameError
from gridzero.ports.links import CanFrame
from gridzero_drivers.vertiv_r48 import codec, ids, requests, status, stored
from gridzero_drivers.vertiv_r48.codec import Ack, Broadcast, Refusal, Status, Value

modules = st.integers(0, 127)
parameters = st.integers(0, 0xFF).filter(lambda p: p != 0x40)
codes = st.integers(0, 0xFF)
singles = st.floats(width=32, allow_nan=False, allow_infinity=False)


def single(frame: CanFrame) -> float:
    return float(struct.unpack(">f", frame.data[4:])[0])


@given(
    st.integers(0, 0x1FF), st.booleans(), st.integers(0, 255), st.integers(0, 255), st.booleans()
)
def test_identifiers_survive_the_round_trip(
    protocol: int, ptp: bool, destination: int, source: int, more: bool
) -> None:
    fields = ids.Identifier(protocol, ptp, destination, source, more)
    assert ids.unpack_id(ids.pack_id(fields)) == fields


@pytest.mark.parametrize("can_id", [0x060F8000, 0x060F8001, 1 << 29 | 3, -1])
def test_foreign_identifiers_are_refused(can_id: int) -> None:
    with pytest.raises(FrameError, match="R48 family"):
        ids.unpack_id(can_id)


@pytest.mark.parametrize("bad", [-1, 128, 240])
def test_only_module_addresses_can_be_asked(bad: int) -> None:
    with pytest.raises(ValueError, match="0 to 127"):
        ids.request_id(bad)


@pytest.mark.parametrize(
    "fields",
    [ids.Identifier(0x200, True, 0, 0, False), ids.Identifier(0x60, True, 256, 0, False)],
)
def test_fields_that_do_not_fit_are_refused(fields: ids.Identifier) -> None:
    with pytest.raises(ValueError):
        ids.pack_id(fields)


def test_well_known_identifiers() -> None:
    assert ids.EVERY_MODULE_ID == 0x0607FF83
    assert ids.COMPAT_ID == 0x06000783
    assert [ids.request_id(n) for n in (0, 1, 3)] == [0x06080783, 0x06080F83, 0x06081F83]
    assert ids.answer_id(2, more=True) == 0x060F8017
    assert ids.broadcast_id(1) == 0x0707F80B


@given(modules, st.booleans(), parameters, codes, singles)
def test_values_and_acks_survive_the_round_trip(
    module: int, more: bool, parameter: int, code: int, value: float
) -> None:
    for message in (
        Value(module, more, parameter, code, value),
        Ack(module, more, parameter, code, value),
    ):
        assert codec.decode(codec.encode(message)) == message


@given(modules, st.booleans(), codes, st.integers(0, 0xFFFFFFFF))
def test_status_words_survive_the_round_trip(module: int, more: bool, code: int, word: int) -> None:
    message = Status(module, more, 0x40, code, word)
    assert codec.decode(codec.encode(message)) == message


@given(modules, st.integers(0, 0xFF), codes, st.booleans())
def test_refusals_survive_the_round_trip(
    module: int, parameter: int, code: int, of_write: bool
) -> None:
    message = Refusal(module, False, parameter, code, of_write)
    assert codec.decode(codec.encode(message)) == message


@given(modules, st.binary(min_size=4, max_size=4))
def test_identities_survive_the_round_trip(module: int, identity: bytes) -> None:
    message = Broadcast(module, 0x03, identity)
    assert codec.decode(codec.encode(message)) == message


@given(st.floats(41.0, 58.5), st.floats(0.0, 1.21))
def test_what_is_asked_for_is_what_is_sent(volts: float, fraction: float) -> None:
    assert single(requests.online_volts(1, volts)) == pytest.approx(volts, rel=1e-6)
    assert single(requests.online_limit(1, fraction)) == pytest.approx(fraction, rel=1e-6, abs=1e-9)


def test_too_much_is_cut_down_and_never_the_other_way() -> None:
    assert single(requests.online_volts(1, 80.0)) == 58.5
    assert single(requests.online_limit(1, 2.0)) == pytest.approx(1.21)
    with pytest.raises(ValueError, match=r"41 to 58\.5"):
        requests.online_volts(1, 40.9)
    with pytest.raises(ValueError, match=r"0 to 1\.21"):
        requests.online_limit(1, -0.01)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_no_request_carries_nonsense(bad: float) -> None:
    for make in (
        requests.online_volts,
        requests.online_limit,
        requests.ac_limit,
        stored.stored_volts,
        stored.stored_limit,
        stored.walk_in_time,
    ):
        with pytest.raises(ValueError, match="is not within"):
            make(1, bad)


@pytest.mark.parametrize("volts", [40.9, 58.6])
def test_stored_values_are_never_rounded(volts: float) -> None:
    with pytest.raises(ValueError, match="is not within"):
        stored.stored_volts(1, volts)


def test_a_group_read_is_checked() -> None:
    assert requests.read_group(1, 1).data == bytes.fromhex("00F0000100000000")
    with pytest.raises(ValueError, match="filler"):
        requests.read_group(1, filler=b"\0")


@pytest.mark.parametrize(
    ("rated_w", "amps"), [(1000, 20.8), (2000, 41.7), (2900, 60.4), (3000, 62.5), (3500, 72.9)]
)
def test_121_percent_is_the_data_sheet_current(rated_w: float, amps: float) -> None:
    assert requests.amps_of(1.21, rated_w) == pytest.approx(amps, abs=0.05)
    assert requests.fraction_of(requests.max_amps(rated_w), rated_w) == pytest.approx(1.21)


@given(st.floats(0.0, 90.0), st.sampled_from([1000.0, 3000.0, 4000.0]))
def test_amperes_survive_the_round_trip(amps: float, rated_w: float) -> None:
    there_and_back = requests.amps_of(requests.fraction_of(amps, rated_w), rated_w)
    assert there_and_back == pytest.approx(amps)


@pytest.mark.parametrize("parameter", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("content", ["7FC00000", "7F800000", "FF800000"])
def test_a_physical_value_that_is_no_number_is_a_bad_frame(parameter: int, content: str) -> None:
    frame = CanFrame(
        ids.answer_id(0), bytes([0x41, 0xF0, 0, parameter]) + bytes.fromhex(content), True
    )
    with pytest.raises(FrameError, match="not a number"):
        codec.decode(frame)


def test_an_ident_word_that_is_no_number_has_no_value() -> None:
    message = codec.decode(CanFrame(ids.answer_id(0), bytes.fromhex("41F000547FC00000"), True))
    assert message == Value(0, False, 0x54, 0xF0, None)


@pytest.mark.parametrize("length", [0, 1, 7])
def test_short_frames_are_bad(length: int) -> None:
    with pytest.raises(FrameError, match="where 8 are due"):
        codec.decode(CanFrame(ids.answer_id(0), bytes(length), True))


def test_a_request_type_is_no_answer() -> None:
    with pytest.raises(FrameError, match="is no answer"):
        codec.decode(CanFrame(ids.answer_id(0), bytes.fromhex("01F0000100000000"), True))


def test_flagged_frames_and_standard_ids_are_left_alone() -> None:
    frame = codec.encode(Value(0, False, 1, 0xF0, 44.0))
    assert codec.decode(frame._replace(is_extended=False)) is None
    assert codec.decode(frame._replace(is_remote=True)) is None
    assert codec.decode(frame._replace(is_error=True)) is None


def test_filters_pass_one_module_only() -> None:
    filters = ids.answer_filters(5)

    def passes(can_id: int) -> bool:
        return any((can_id ^ f.can_id) & f.mask == 0 for f in filters)

    assert passes(ids.answer_id(5))
    assert passes(ids.answer_id(5, more=True))
    assert passes(ids.broadcast_id(5))
    heard = [can_id for can_id in ids.KNOWN_SENDERS if passes(can_id)]
    assert {ids.KNOWN_SENDERS[can_id][1] for can_id in heard} == {5}


def test_there_are_32_status_bits() -> None:
    assert len(status.STATUS_BITS) == 32
    assert sum(status.STATUS_BITS.values()) == 0xFFFFFFFF
    assert status.status_flags(1 << 24 | 1 << 7) == (
        "temp_limited_power",
        "slight_current_imbalance",
    )


def test_everyday_states_are_no_alarms() -> None:
    everyday = status.STATUS_BITS["walk_in_active"] | status.STATUS_BITS["module_switch"]
    assert status.alarms(everyday) == ()
    assert status.alarms(everyday | status.STATUS_BITS["fan_failure"]) == ("fan_failure",)


def test_error_codes_have_words() -> None:
    assert codec.error_text(0xF2) == "invalid command"
    assert codec.error_text(0x12) == "error code 0x12"


def test_noise_never_gets_past_the_codec(fuzz_frames: int) -> None:
    chance = random.Random(48)
    known = list(ids.KNOWN_SENDERS)
    understood = refused = 0
    for _ in range(fuzz_frames):
        can_id = chance.choice(known) if chance.random() < 0.9 else chance.getrandbits(29)
        data = chance.randbytes(8 if chance.random() < 0.9 else chance.randrange(8))
        if chance.random() < 0.5:
            data = bytes([chance.choice([0x41, 0x43, 0xC1, 0xC3]), 0xF0, 0]) + data[3:]
        try:
            message = codec.decode(CanFrame(can_id, data, chance.random() < 0.95))
        except FrameError:
            refused += 1
            continue
        if isinstance(message, Value) and message.value is not None:
            assert math.isfinite(message.value)
        understood += message is not None
    assert understood > fuzz_frames / 4
    assert refused > fuzz_frames / 20
