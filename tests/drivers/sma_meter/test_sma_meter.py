"""SMA's datagrams: what counts, what does not, and which of two meters is meant."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.domain.readings import MeterReading
from gridzero.links.memory import MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.sma_meter.codec import Datagram, NotOurs, decode, encode
from gridzero_drivers.sma_meter.driver import SmaMeter
from gridzero_drivers.sma_meter.options import SmaMeterOptions

OWN, OTHER = 1901234567, 1901234568
TURN_MS = 1 << 32


def said(grid_w: float, ticker_ms: int = 0, serial: int = OWN) -> bytes:
    return encode(Datagram(349, serial, ticker_ms, max(grid_w, 0.0), max(-grid_w, 0.0)))


class Site:
    def __init__(self, **given: Any) -> None:
        section = {"driver": "sma_meter", "link": "lan", **given}
        self.links = MemoryLinks()
        self.faults: dict[str, str] = {}
        context = DriverContext("meter", LoopClock(), self.links, self._report)
        self.meter = SmaMeter(SmaMeterOptions.model_validate(section), context)
        self.readings: list[MeterReading] = []
        self.meter.on_reading(self.readings.append)

    def _report(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.faults[subject] = f"{code}: {text}"
        if not active:
            del self.faults[subject]

    def hear(self, *datagrams: bytes) -> list[float]:
        """What the datagrams made of themselves."""
        before = len(self.readings)
        for data in datagrams:
            self.links.udp("lan").take(data)
        return [reading.grid_w for reading in self.readings[before:]]

    @property
    def skipped(self) -> dict[str, int]:
        return self.links.udp("lan").health.skipped


@given(
    st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_what_is_sent_is_what_is_read(
    susy_id: int, serial: int, ticker: int, import_: int, export: int
) -> None:
    datagram = Datagram(susy_id, serial, ticker, round(import_ / 10, 1), round(export / 10, 1))
    assert decode(encode(datagram)) == datagram


def test_import_is_positive_and_the_read_bytes_are_those_of_the_document() -> None:
    data = said(2172.8)
    assert data[:4] == b"SMA\0"
    assert data[16:18] == b"\x60\x69"
    assert data[28:36] == bytes.fromhex("00010400000054e0")
    assert data[-4:] == bytes(4)


@given(st.binary(max_size=120), st.integers(0, 47), st.integers(0, 255))
def test_noise_raises_nothing(noise: bytes, at: int, byte: int) -> None:
    bent = bytearray(said(-500.0))
    bent[at] = byte
    for data in (noise, bytes(bent), bytes(bent[:at])):
        read = decode(data)
        assert isinstance(read, NotOurs | Datagram)


async def test_each_datagram_is_a_reading_of_import_minus_export() -> None:
    site = Site()
    assert site.hear(said(810.5, 1000)) == [810.5]
    assert site.hear(said(-640.5, 2000), said(0.0, 3000)) == [-640.5, 0.0]


async def test_repeated_and_late_datagrams_are_dropped() -> None:
    site = Site()
    assert site.hear(said(1, 5000), said(1, 5000), said(2, 4000), said(3, 6000)) == [1, 3]
    assert site.skipped == {"repeated": 2}


async def test_the_ticker_may_begin_again() -> None:
    site = Site()
    assert site.hear(said(1, TURN_MS - 1000), said(2, 0), said(9, TURN_MS - 500), said(3, 1000)) == [
        *(1, 2, 3)
    ]  # fmt: skip


async def test_a_restarted_meter_is_heard_again_after_a_while() -> None:
    site = Site()
    site.hear(said(1, 50_000_000))
    heard = []
    for second in range(1, 16):
        await asyncio.sleep(1.0)
        heard += site.hear(said(second, 1000 * second))
    assert heard[0] == 11
    assert heard[-1] == 15


async def test_of_two_meters_neither_counts_until_the_serial_is_set() -> None:
    site = Site()
    assert site.hear(said(100, 1000)) == [100]
    assert site.hear(said(-5, 1000, OTHER), said(101, 2000), said(-6, 2000, OTHER)) == []
    assert f"meters {OWN} and {OTHER} both speak" in site.faults["other meters"]
    chosen = Site(serial=OTHER)
    assert chosen.hear(said(100, 1000), said(-5, 1000, OTHER)) == [-5]
    assert chosen.faults == {}


async def test_a_second_meter_that_falls_silent_is_forgotten_but_never_followed() -> None:
    site = Site()
    site.hear(said(100, 1000), said(-5, 1000, OTHER))
    await asyncio.sleep(61.0)
    assert site.hear(said(102, 62_000)) == [102]
    assert site.faults == {}
    site.hear(said(-5, 62_000, OTHER))
    await asyncio.sleep(600.0)
    assert site.hear(said(-7, 662_000, OTHER)) == []


async def test_a_power_beyond_the_fuse_is_no_reading() -> None:
    site = Site(plausible_w=10_000)
    assert site.hear(said(12_000, 1000)) == []
    assert "implausible: 12000 W" in site.faults[""]
    assert site.hear(said(9_000, 2000)) == [9000]
    assert site.faults == {}


async def test_what_others_say_in_the_group_is_counted() -> None:
    site = Site()
    inverter = bytearray(said(5.0))
    inverter[16:18] = b"\x60\x65"
    assert site.hear(bytes(inverter), b"", b"M-SEARCH * HTTP/1.1") == []
    assert site.skipped == {"other_protocol": 3}
    assert site.meter.latest() is None


@pytest.mark.parametrize("given", [{"serial": -1}, {"link": ""}, {"expected_interval_s": 0}])
def test_options_that_do_not_fit(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="SmaMeterOptions"):
        SmaMeterOptions.model_validate({"driver": "sma_meter", "link": "lan", **given})


async def test_the_meters_own_counters_come_along() -> None:
    site = Site()
    site.hear(encode(Datagram(349, OWN, 1000, 5.0, 0.0, 3_600_000_000, 36_000_000)))
    assert (site.readings[0].import_kwh, site.readings[0].export_kwh) == (1000.0, 10.0)
    site.hear(said(5.0, 2000))
    assert (site.readings[1].import_kwh, site.readings[1].export_kwh) == (None, None)
