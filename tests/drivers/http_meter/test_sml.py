"""The binary language of German meters: round trips, noise, and forms that break readers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero_drivers.metering.sml import SmlError, crc16, framed, list_of, registers, unframed

P = "1-0:16.7.0*255"


def test_the_checksum_is_that_of_x25() -> None:
    assert crc16(b"123456789") == 0x906E  # the usual check value of CRC-16/X-25


@given(
    values=st.dictionaries(
        st.sampled_from([P, "1-0:1.8.0*255", "1-0:2.8.0*255", "1-0:36.7.0*255"]),
        st.integers(-(2**63), 2**63 - 1),
        min_size=1,
    ),
    scaler=st.integers(-4, 4),
    seconds=st.integers(0, 2**32 - 1),
)
def test_what_a_meter_sends_is_what_is_read(
    values: dict[str, int], scaler: int, seconds: int
) -> None:
    read = registers(list_of(values, scaler, seconds))
    assert read.pop("time") == seconds
    assert read == pytest.approx({code: raw * 10.0**scaler for code, raw in values.items()})


@given(body=st.binary(max_size=40) | st.lists(st.sampled_from([b"\x1b" * 4, b"\x1a\0", b"\x1b"])).map(b"".join))  # fmt: skip
def test_escapes_in_the_data_are_no_end(body: bytes) -> None:
    if body.replace(b"\x1b" * 4, b"").count(b"\x1b"):
        return  # a lone escape beside a whole one cannot be told apart by anybody
    assert unframed(framed(body))[: len(body)] == body


def test_a_list_of_more_than_fifteen_values_has_a_long_head() -> None:
    many = {f"1-0:{n}.8.0*255": n for n in range(40)}
    assert len(registers(list_of(many))) == 41


def test_what_stands_before_the_frame_is_skipped() -> None:
    assert registers(b"\x00\x1bnoise" + list_of({P: 15}))[P] == 1.5


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 20, -9, -8, -1])
def test_a_part_of_a_frame_is_none(cut: int) -> None:
    with pytest.raises(SmlError):
        registers(list_of({P: 15})[:cut])


@settings(max_examples=200)
@given(data=st.data())
def test_noise_with_a_good_checksum_raises_nothing_else(data: st.DataObject) -> None:
    body = bytearray(unframed(list_of({P: 15, "1-0:1.8.0*255": 7})))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = registers(framed(bytes(body)))
    except SmlError:
        return
    assert all(isinstance(value, int | float) for value in read.values())


@given(st.binary(max_size=200))
def test_random_messages_raise_nothing_else(body: bytes) -> None:
    with pytest.raises(SmlError):
        registers(framed(body))


def test_lists_in_lists_without_end_are_refused() -> None:
    with pytest.raises(SmlError, match="deep"):
        registers(framed(b"\x71" * 64))
