from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import gridzero_drivers.vw_gte
from gridzero.errors import FrameError
from gridzero.ports.links import CanFrame
from gridzero_drivers.vw_gte import codec, ids, plugin, status
from gridzero_drivers.vw_gte.balancing import select_cells

FRAMES = yaml.safe_load(
    (Path(gridzero_drivers.vw_gte.__file__).parent / "frames.yaml").read_text("utf-8")
)
SHARED = Path(__file__).parents[4] / "shared" / "protocols" / "vectors" / "vw-gte.json"

cell_volts = st.integers(1000, 5091).map(lambda mv: mv / 1000)
anything = st.binary(min_size=8, max_size=8)


@pytest.mark.parametrize("vector", FRAMES, ids=lambda vector: vector["name"])
def test_frames_worked_out_by_hand(vector: Mapping[str, Any]) -> None:
    assert plugin.check_vector(vector) == ""


def test_every_shared_vector() -> None:
    if not SHARED.exists():
        pytest.skip("the shared test vectors are not beside this checkout")
    failed = {v["name"]: plugin.check_vector(v) for v in json.loads(SHARED.read_text("utf-8"))}
    assert {name: why for name, why in failed.items() if why} == {}


@given(st.lists(st.none() | cell_volts, min_size=4, max_size=4), st.integers(0, 15))
def test_what_a_module_says_is_what_is_read(volts: list[float | None], counter: int) -> None:
    data = codec.encode_cells(volts, counter)
    assert codec.decode_cells(data) == tuple(volts)
    assert codec.diagnostics(data).counter == counter


@given(st.floats(-10, 10))
def test_a_module_clamps_to_its_scale(volt: float) -> None:
    seen_v = codec.decode_cells(codec.encode_cells([volt]))[0]
    assert seen_v == pytest.approx(min(max(volt, 1.0), 5.091), abs=0.0005001)


@given(anything)
def test_no_voltage_leaves_the_scale(data: bytes) -> None:
    for volt in codec.decode_cells(data):
        assert volt is None or codec.CELL_MIN_V <= volt <= codec.CELL_MAX_V


@given(st.integers(-80, 142).map(lambda halves: halves / 2), st.integers(0, 0xFFF))
def test_temperatures_survive_the_wire(temp_c: float, bleeding: int) -> None:
    gte = status.decode_gte(status.encode_gte(temp_c, bleeding))
    assert gte.sensors[0].temp == (temp_c - 3, temp_c)
    assert gte.bleeding == bleeding
    for layout in (
        status.decode_13s(status.encode_13s(temp_c)),
        status.decode_meb(status.encode_meb(temp_c)),
    ):
        assert layout is not None
        assert layout.sensors[0].temp == (temp_c, temp_c)


@pytest.mark.parametrize("raw", range(256))
def test_a_sensor_has_three_states(raw: int) -> None:
    sensor = status.GTE_SENSORS[raw]
    if raw < 0xDF:
        assert (sensor.state, sensor.temp) == ("ok", (raw / 2 - 43, raw / 2 - 40))
    else:
        assert sensor.temp is None
        assert sensor.state == ("out_of_range" if raw < 0xFD else "not_available")


def test_absent_is_never_zero_degrees() -> None:
    absent = status.decode_gte(status.encode_gte(None))
    assert all(sensor.temp is None for sensor in absent.sensors)
    assert status.decode_meb(status.encode_meb(None)).sensors[0].temp is None


@given(st.integers(0, 0xFFFFF))
def test_meb_balancing_bits(mask: int) -> None:
    assert status.decode_meb_balance(status.encode_meb_balance(mask)).bleeding == mask


@pytest.mark.parametrize(
    ("index", "series_cells", "used"),
    [(0, 12, 4), (2, 12, 4), (3, 12, 0), (2, 10, 2), (3, 10, 0), (2, 13, 4), (3, 13, 1)],
)
def test_only_a_13s_module_has_a_frame_3(index: int, series_cells: int, used: int) -> None:
    assert codec.slots_used(index, series_cells) == used


@pytest.mark.parametrize(
    "frame",
    [
        CanFrame(0x1B0, bytes(7)),
        CanFrame(0x1B0, bytes(8), is_extended=True),
        CanFrame(0x1B0, bytes(8), is_remote=True),
        CanFrame(0x1B0, bytes(8), is_error=True),
        CanFrame(0x1A555401, bytes(8)),
        CanFrame(0x1F0, bytes(8)),
        CanFrame(0x1A555409, bytes(8), is_extended=True),
        CanFrame(0x1A5555FF, bytes(8), is_extended=True),
    ],
)
def test_frames_that_mean_nothing(frame: CanFrame) -> None:
    assert codec.decode(frame) is None


def test_ids_of_the_address_table() -> None:
    assert len(ids.VOLTAGE) == 64
    assert (ids.VOLTAGE[0x1B0], ids.VOLTAGE[0x1EF]) == ((1, 0), (16, 3))
    assert {n: ids.request_ids(n, "standard") for n in (1, 3, 9, 10, 12)} == {
        1: (0x1A55540A, 0x1A55540B),
        3: (0x1A55540E, 0x1A55540F),
        9: (0x1A55541A, 0x1A55541B),
        10: (0x1A5554AB, 0x1A5554AC),
        12: (0x1A5554AF, 0x1A5554B0),
    }
    assert ids.request_ids(3, "gte_gen1") == (0x1A55541E, 0x1A55541F)
    assert ids.request_ids(3, "meb") == (0x1A55540E, 0x1A55540F)


def test_no_request_id_is_read_as_a_temperature() -> None:
    read = {*ids.GTE_TEMPERATURE, *ids.S13_TEMPERATURE, *ids.MEB_TEMPERATURE, *ids.MEB_BALANCE}
    assert not read & ids.REQUEST_IDS


@pytest.mark.parametrize("module", [-1, 0, 13, 16, 99])
def test_a_module_without_request_id_is_refused(module: int) -> None:
    with pytest.raises(FrameError, match="no known balancing id"):
        codec.balance_pair(module, 1, variant="standard")


@pytest.mark.parametrize(
    ("cells", "series_cells", "minutes"),
    [(1 << 12, 12, 16), (1 << 10, 10, 16), (-1, 12, 16), (1, 12, 0), (1, 12, 3), (1, 12, 508)],
)
def test_what_cannot_be_asked_is_refused(cells: int, series_cells: int, minutes: int) -> None:
    with pytest.raises(FrameError):
        codec.balance_pair(1, cells, variant="standard", series_cells=series_cells, minutes=minutes)


@given(
    st.integers(1, 12),
    st.integers(0, 0x1FFF),
    st.sampled_from([10, 12, 13]),
    st.integers(1, 253).map(lambda raw: raw * 2),
)
def test_each_cell_has_its_byte_and_no_error_value_is_sent(
    module: int, cells: int, series_cells: int, minutes: int
) -> None:
    cells &= (1 << series_cells) - 1
    first, second = codec.balance_pair(
        module, cells, variant="standard", series_cells=series_cells, minutes=minutes
    )
    orders = first.data + second.data
    assert len(orders) == 16
    assert [value == minutes // 2 for value in orders[:series_cells]] == [
        bool(cells >> cell & 1) for cell in range(series_cells)
    ]
    assert 0xFF not in orders
    assert set(orders[max(12, series_cells) :]) == {0xFE}


def test_the_end_reaches_all_twelve_modules_once() -> None:
    frames = codec.end_of_balancing(variant_of_3="gte_gen1", thirteen={2})
    assert len({frame.can_id for frame in frames}) == len(frames) == 24
    assert [f.data.hex() for f in frames if f.can_id == 0x1A55540D] == ["0000000000fefefe"]
    assert [f.data.hex() for f in frames if f.can_id == 0x1A55541F] == ["00000000fefefefe"]


def test_nothing_is_selected_while_a_cell_is_unknown() -> None:
    assert select_cells([3900, 4000, None], 30) == 0
    assert select_cells([], 30) == 0
    assert select_cells([3900, 3930, 3931], 30) == 0b100


def mutated(vector: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {**vector, **changes}


def test_a_wrong_vector_is_told() -> None:
    for vector in FRAMES:
        if vector["expect"].get("kind") != "ignored":
            data_hex = f"{int(vector['data_hex'], 16) ^ 0x0101010101010101:016X}"
            assert plugin.check_vector(mutated(vector, data_hex=data_hex)), vector["name"]
    decoded = FRAMES[0]
    assert "has to be ignored" in plugin.check_vector(mutated(decoded, expect={"kind": "ignored"}))
    assert "kind" in plugin.check_vector(mutated(decoded, can_id="0x7FF"))


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": "up"},
        {"can_id": "zzz"},
        {"can_id": 5},
        {"data_hex": "0"},
        {"data_hex": None},
        {"expect": None},
        {"expect": {}},
        {"expect": {"kind": []}},
        {"expect": {"kind": "module_aggregate", "context_frames": [["0x1B0"]], "cells_mV": []}},
        {"direction": "tx", "expect": {"settings": {"command": "sing"}}},
        {"direction": "tx", "expect": {"settings": {"command": "poll"}, "position": 3}},
        {"direction": "tx", "expect": {"settings": {"cells_mV": ["x"], "hysteresis_mV": 1}}},
    ],
)
def test_a_malformed_vector_is_told_and_does_not_raise(changes: dict[str, Any]) -> None:
    assert plugin.check_vector(mutated(FRAMES[0], **changes))


def test_a_vector_of_nothing() -> None:
    assert "malformed" in plugin.check_vector({})


def test_noise_never_raises_and_never_leaves_the_scale(fuzz_frames: int) -> None:
    rng = random.Random(1)
    known = [*ids.VOLTAGE, *ids.GTE_TEMPERATURE, *ids.S13_TEMPERATURE, *ids.MEB_TEMPERATURE]
    for _ in range(fuzz_frames):
        can_id = rng.choice(known) if rng.random() < 0.8 else rng.randrange(1 << 29)
        data = rng.randbytes(rng.choice((8, 8, 8, rng.randrange(9))))
        got = codec.decode(CanFrame(can_id, data, can_id > 0x7FF), rng.choice((10, 12, 13)))
        if isinstance(got, codec.Voltages):
            assert all(v is None or 1.0 <= v <= 5.091 for v in got.cells.values())
        elif got is not None:
            for sensor in got.status.sensors:
                assert sensor.temp is None or -43 <= sensor.temp.low_c <= sensor.temp.high_c <= 86
