"""Each part of the law can be left out, by its name."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from gridzero.control.switches import ALL_ON, PARTS


def test_a_house_has_all_of_them() -> None:
    assert all(asdict(ALL_ON).values())


@pytest.mark.parametrize("part", PARTS)
def test_one_part_can_be_left_out(part: str) -> None:
    off = [name for name, on in asdict(ALL_ON.without(part)).items() if not on]
    assert off == [part]


def test_a_part_that_does_not_exist_is_told() -> None:
    with pytest.raises(ValueError, match="no such part: jumping"):
        ALL_ON.without("jumps", "jumping")
