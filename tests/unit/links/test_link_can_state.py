"""The kernel's word on a controller: bytes of rtnetlink, and an interface that is none."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.links.can_state import controller_state, state_in


def attribute(kind: int, value: bytes) -> bytes:
    padding = bytes(-len(value) % 4)
    return struct.pack("=HH", 4 + len(value), kind) + value + padding


def answer(attributes: bytes, kind: int = 16) -> bytes:
    body = bytes(16) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


def link(data: bytes, name: bytes = b"can\0") -> bytes:
    """linkinfo behind a name and another attribute that is no multiple of four bytes long."""
    info = attribute(18, attribute(1, name) + attribute(2, data))
    return answer(attribute(3, b"can0\0") + attribute(13, b"\x01") + info)


@pytest.mark.parametrize(
    ("number", "state"),
    [(0, "up"), (1, "error-warning"), (2, "error-passive"), (3, "bus-off"), (4, None), (5, None)],
)
def test_each_state_of_the_kernel(number: int, state: str | None) -> None:
    assert state_in(link(attribute(4, struct.pack("=I", number)))) == state


def test_what_has_no_controller_has_no_state() -> None:
    assert state_in(link(attribute(4, bytes(4)), b"vcan\0")) is None
    assert state_in(link(b"")) is None
    assert state_in(answer(b"")) is None
    assert state_in(answer(attribute(18, b""), kind=2)) is None  # NLMSG_ERROR
    assert controller_state("lo") is None
    assert controller_state("gznone0") is None


@given(st.binary(max_size=80))
def test_bytes_that_are_no_answer_claim_nothing_and_end(noise: bytes) -> None:
    whole = answer(noise) if len(noise) % 2 else link(noise)
    assert state_in(whole) in {None, "up", "error-warning", "error-passive", "bus-off"}
