"""Blocks: what goes in comes out, and nothing else is taken for a block."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.outputs.history.blocks import LARGEST, BadBlock, decode, encode

NUMBERS = st.one_of(
    st.none(), st.integers(-3, 3), st.integers(-40000, 40000), st.integers(-LARGEST, LARGEST)
)
TABLES = st.integers(0, 40).flatmap(
    lambda rows: st.lists(st.lists(NUMBERS, min_size=rows, max_size=rows), max_size=6)
)


@settings(max_examples=80)
@given(columns=TABLES)
def test_what_goes_in_comes_out(columns: list[list[int | None]]) -> None:
    assert decode(encode(columns)) == dict(enumerate(columns))


@settings(max_examples=60)
@given(columns=TABLES, wanted=st.sets(st.integers(0, 7)))
def test_columns_that_nobody_asked_for_are_skipped(
    columns: list[list[int | None]], wanted: set[int]
) -> None:
    expected = {n: column for n, column in enumerate(columns) if n in wanted}
    assert decode(encode(columns), wanted) == expected


@settings(max_examples=80)
@given(noise=st.binary(max_size=60))
def test_noise_is_no_block_or_a_harmless_one(noise: bytes) -> None:
    try:
        found = decode(noise)
    except BadBlock:
        return
    assert all(isinstance(values, list) for values in found.values())


@given(cut=st.integers(1, 20))
def test_a_block_that_was_cut_is_refused(cut: int) -> None:
    body = encode([[n * n * 12345 for n in range(60)], list(range(60))])
    with pytest.raises(BadBlock):
        decode(body[:-cut])
