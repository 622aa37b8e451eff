"""Every frame that a driver knows has words for the person who watches the bus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import gridzero_drivers
from gridzero.ports.links import CanFrame
from gridzero_drivers import soyosource, vertiv_r48, vw_gte

DRIVERS = Path(gridzero_drivers.__file__).parent
PLUGINS = {"vw_gte": vw_gte.plugin, "vertiv_r48": vertiv_r48.plugin}


def vectors(driver: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((DRIVERS / driver / "frames.yaml").read_text())
    return found


def can_vectors() -> Iterator[Any]:
    for driver in PLUGINS:
        for vector in vectors(driver):
            yield pytest.param(driver, vector, id=f"{driver}-{vector['name']}")


def frame_of(vector: dict[str, Any]) -> CanFrame:
    return CanFrame(
        int(vector["can_id"], 16), bytes.fromhex(vector["data_hex"]), vector["is_extended"]
    )


@pytest.mark.parametrize(("driver", "vector"), list(can_vectors()))
def test_every_can_frame_is_explained_unless_it_is_of_nobody(
    driver: str, vector: dict[str, Any]
) -> None:
    words = PLUGINS[driver].explain(None, frame_of(vector))
    ignored = vector["expect"].get("kind") in {"ignored", "ignore"}
    assert words.isascii()
    assert len(words) < 160
    assert words or ignored


@pytest.mark.parametrize("vector", vectors("soyosource"), ids=lambda vector: vector["name"])
def test_every_piece_of_the_serial_line_is_explained(vector: dict[str, Any]) -> None:
    data, expect = bytes.fromhex(vector["data_hex"]), vector["expect"]
    words = soyosource.plugin.explain(None, data)
    assert words.isascii()
    if expect.get("valid") and "kind" not in expect:
        assert words
    if expect["frame"] == "rs485_power_demand" and expect["valid"]:
        assert f"{expect['power_demand_w']} W" in words
    if expect["frame"] == "rs485_status" and expect["valid"]:
        assert f"{expect['battery_voltage']:.1f} V" in words


def test_what_the_words_say() -> None:
    cells = CanFrame(0x1B0, bytes.fromhex("00C5A88DEAA88F0A"))
    assert vw_gte.plugin.explain(None, cells) == "module 1 cells 1-4: 3.700 3.701 3.702 3.703 V"
    volts = CanFrame(0x0607FF83, bytes.fromhex("03F0002142680000"), is_extended=True)
    assert vertiv_r48.plugin.explain(None, volts) == "to all rectifiers: set voltage 58.00 V"
    demand = bytes.fromhex("2456002100648 0A4".replace(" ", ""))
    assert soyosource.plugin.explain(None, demand) == "asks each inverter for 100 W"
    assert (
        soyosource.plugin.explain(None, demand[:-1] + b"\x00")
        == "a frame that is refused: checksum"
    )


@given(
    can_id=st.integers(0, 0x1FFFFFFF)
    | st.sampled_from([0x1B0, 0x1A555401, 0x0607FF83, 0x060F8007]),
    data=st.binary(max_size=8),
    extended=st.booleans(),
)
@settings(max_examples=150)
def test_nothing_on_a_bus_breaks_the_words(can_id: int, data: bytes, extended: bool) -> None:
    frame = CanFrame(can_id, data, extended)
    for plugin in PLUGINS.values():
        assert plugin.explain(None, frame).isascii()
        assert plugin.explain(None, data) == ""
    assert soyosource.plugin.explain(None, data).isascii()
    assert soyosource.plugin.explain(None, frame) == ""
