"""RS485 frames, checksums and the demand policy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.errors import FrameError
from gridzero_drivers.soyosource.codec import (
    QUERY,
    Demand,
    Query,
    Refusal,
    Status,
    demand_per_unit_w,
    implausible_fields,
    parse_demand,
    parse_query,
    parse_status,
    status_checksum,
    status_name,
)

STATUS = st.builds(
    Status,
    code=st.integers(0, 255),
    battery_v=st.integers(0, 500).map(lambda raw: raw / 10),
    battery_a=st.integers(0, 500).map(lambda raw: raw / 10),
    grid_v=st.integers(0, 300),
    grid_hz=st.one_of(st.just(0.0), st.integers(90, 130).map(lambda raw: raw / 2)),
    temp_c=st.integers(-300, 1200).map(lambda raw: max(raw, -300) / 10),
)


def test_every_demand_has_the_checksum_of_the_captures_and_reads_back() -> None:
    for power_w in range(65536):
        frame = Demand(power_w).to_bytes()
        total = 0x56 + 0x00 + 0x21 + power_w // 256 + power_w % 256 + 0x80
        assert frame[7] == 255 - total % 256
        assert parse_demand(frame) == Demand(power_w)


@pytest.mark.parametrize(
    ("power_w", "frame"),
    [
        (0, "2456002100008008"),
        (40, "24560021002880E0"),
        (8, "2456002100088000"),
        (900, "2456002103848081"),
    ],
)
def test_demands_look_as_recorded(power_w: int, frame: str) -> None:
    assert Demand(power_w).to_bytes() == bytes.fromhex(frame)


@pytest.mark.parametrize("power_w", [-1, 65536])
def test_a_demand_that_does_not_fit_is_refused(power_w: int) -> None:
    with pytest.raises(FrameError, match="does not fit"):
        Demand(power_w).to_bytes()


def test_a_demand_with_a_wrong_checksum_passes_only_where_that_is_asked_for() -> None:
    frame = Demand(450).to_bytes()[:-1] + b"\x00"
    assert parse_demand(frame) is Refusal.CHECKSUM
    assert parse_demand(frame, strict=False) == Demand(450)


def test_the_query_is_zeros_to_its_end() -> None:
    assert parse_query(QUERY) == Query()
    assert parse_query(QUERY[:-1] + b"\xff") is Refusal.HEADER
    assert parse_query(QUERY[:-1]) is Refusal.LENGTH


@given(status=STATUS)
def test_a_status_survives_the_wire(status: Status) -> None:
    back = parse_status(status.to_bytes())
    if implausible_fields(status):
        assert back is Refusal.IMPLAUSIBLE
    else:
        assert back == status


def test_either_split_of_the_reply_checksum_is_accepted() -> None:
    body = Status(0, 25.2, 30.3, 230, 50.0, 44.0).to_bytes()[:-1]
    first, second = status_checksum(body), status_checksum(body, split=8)
    assert first != second
    assert isinstance(parse_status(body + bytes([first])), Status)
    assert isinstance(parse_status(body + bytes([second])), Status)
    neither = next(value for value in range(256) if value not in (first, second))
    assert parse_status(body + bytes([neither])) is Refusal.CHECKSUM


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (Status(0, 150.1, 1.0, 230, 50.0, 20.0), ("battery_voltage",)),
        (Status(0, 10.0, 100.1, 230, 50.0, 20.0), ("battery_current",)),
        (Status(0, 50.0, 50.1, 230, 50.0, 20.0), ("battery_power",)),
        (Status(0, 50.0, 1.0, 301, 50.0, 20.0), ("grid_voltage",)),
        (Status(0, 50.0, 1.0, 230, 44.5, 20.0), ("grid_frequency",)),
        (Status(0, 50.0, 1.0, 230, 65.5, 20.0), ("grid_frequency",)),
        (Status(0, 50.0, 1.0, 230, 50.0, 120.1), ("temperature",)),
    ],
)
def test_each_gate_closes_just_outside_its_range(status: Status, fields: tuple[str, ...]) -> None:
    assert implausible_fields(status) == fields
    assert parse_status(status.to_bytes()) is Refusal.IMPLAUSIBLE


def test_a_status_that_does_not_fit_its_fields_is_refused() -> None:
    with pytest.raises(FrameError, match="does not fit"):
        Status(0, 7000.0, 0.0, 230, 50.0, 20.0).to_bytes()
    with pytest.raises(FrameError, match="15 bytes"):
        Status.from_bytes(b"")


def test_codes_nobody_explained_have_no_name_of_their_own() -> None:
    assert [status_name(code) for code in (0, 1, 16)] == ["normal", "startup", "unknown"]


@given(
    request_w=st.one_of(st.none(), st.floats(), st.integers(-(10**9), 10**9)),
    units=st.integers(1, 8),
    min_w=st.integers(0, 500),
    max_w=st.integers(500, 2500),
)
def test_units_together_never_get_more_than_asked(
    request_w: float | None, units: int, min_w: int, max_w: int
) -> None:
    each_w = demand_per_unit_w(request_w, units=units, min_per_unit_w=min_w, max_per_unit_w=max_w)
    assert each_w == 0 or min_w <= each_w <= max_w
    known = request_w is not None and math.isfinite(request_w) and request_w > 0
    assert each_w * units <= (request_w if known and request_w else 0)
    assert parse_demand(Demand(each_w).to_bytes()) == Demand(each_w)


@given(request_w=st.floats(0, 8 * 900), units=st.integers(1, 8))
def test_a_request_within_limits_loses_less_than_a_watt_per_unit(
    request_w: float, units: int
) -> None:
    each_w = demand_per_unit_w(request_w, units=units, min_per_unit_w=0, max_per_unit_w=7200)
    assert request_w - each_w * units < units


@given(data=st.binary(max_size=20))
def test_no_bytes_make_a_parser_raise(data: bytes) -> None:
    assert isinstance(parse_demand(data), Demand | Refusal)
    assert isinstance(parse_status(data), Status | Refusal)
    assert isinstance(parse_query(data), Query | Refusal)
