"""A meter that is asked: its profiles, the age of its answers, and servers that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gridzero.domain.readings import MeterReading
from gridzero.links.memory import MemoryHttp, MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.http_meter import plugin
from gridzero_drivers.http_meter.driver import HttpMeter
from gridzero_drivers.http_meter.options import HttpMeterOptions
from gridzero_drivers.http_meter.vectors import read
from gridzero_drivers.metering import sml

P, IN, OUT, L1 = "1-0:16.7.0*255", "1-0:1.7.0*255", "1-0:2.7.0*255", "1-0:36.7.0*255"
PROFILES = {profile.name: profile for profile in plugin.profiles}


def options(**given: Any) -> HttpMeterOptions:
    section = {"driver": "http_meter", "link": "meter", **given}
    return HttpMeterOptions.model_validate(section)


def answer(profile: str, body: Any, **given: Any) -> float | None:
    id_ = PROFILES[profile].example_id
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    result = read({"profile": profile, **({"id": id_} if id_ else {}), **given}, payload)
    return result.grid_w if isinstance(result, MeterReading) else None


def sns(**values: Any) -> dict[str, Any]:
    return {"StatusSNS": {"Time": "2026-02-03T07:15:20", **values}}


def body(**values: Any) -> dict[str, Any]:
    return {"Body": {"Data": values}}


def iometer(code: str, value: Any) -> dict[str, Any]:
    registers = [{"obis": "01-00:01.08.00*ff", "value": 1.0}, {"obis": code, "value": value}]
    return {"meter": {"reading": {"time": "2026-02-03T06:15:20Z", "registers": registers}}}


def tuples(value: Any) -> dict[str, Any]:
    return {"data": [{"uuid": "5b1c", "tuples": [[1770102920123, value]]}]}


CAPTURES = [
    ("tasmota_sml_http", sns(SML={"Power_curr": 7}), sns(SML={"Power_curr": -7}), sns()),
    ("tasmota_energy_http", sns(ENERGY={"Power": [5, 2]}), sns(ENERGY={"Power": -7}), {}),
    ("shelly_3em_http", {"total_power": 7.0}, {"total_power": -7.0}, {"emeters": []}),
    ("shelly_pro_3em_http", {"total_act_power": 7}, {"total_act_power": -7}, {"code": 401}),
    ("tibber_pulse", sml.list_of({P: 70}), sml.list_of({P: -70}), sml.list_of({P: 70})[:-1]),
    ("tibber_pulse", sml.list_of({L1: 70}), sml.list_of({L1: -70}), sml.list_of({IN: 70})),
    (
        "tibber_pulse_two_registers",
        sml.list_of({IN: 70, OUT: 0}),
        sml.list_of({IN: 0, OUT: 70}),
        sml.list_of({IN: 70}),
    ),
    ("vzlogger_http", tuples(7.0), tuples(-7.0), {"data": [{"tuples": []}]}),
    (
        "fronius_meter",
        body(**{"0": {"PowerReal_P_Sum": 7.0}}),
        body(**{"0": {"PowerReal_P_Sum": -7.0}}),
        body(),
    ),
    ("fronius_flow", body(Site={"P_Grid": 7}), body(Site={"P_Grid": -7}), body(Site={"P_Grid": None})),
    ("homewizard_p1", {"active_power_w": 7}, {"active_power_w": -7}, b"<html>"),
    ("powerfox", {"Watt": 7.0}, {"Outdated": False, "Watt": -7}, {"Outdated": True, "Watt": 7}),
    ("poweropti_local", {"Watt": 7.0}, {"Watt": -7.0}, {"Outdated": True, "Watt": 7}),
    ("iometer", iometer("01-00:10.07.00*ff", 7), iometer("01-00:24.07.00*ff", -7), iometer("x", 7)),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "import_7", "export_7", "none"), CAPTURES)
def test_what_it_answers_is_read_as_it_means_it(
    profile: str, import_7: Any, export_7: Any, none: Any
) -> None:
    assert answer(profile, import_7) == pytest.approx(7)
    assert answer(profile, export_7) == pytest.approx(-7)
    assert answer(profile, none) is None


def test_every_profile_has_a_capture() -> None:
    assert {row[0] for row in CAPTURES} == set(PROFILES)


@settings(max_examples=40)
@given(data=st.data())
def test_no_answer_at_all_raises_or_reads_beyond_the_window(data: Any) -> None:
    profile, *bodies = data.draw(st.sampled_from(CAPTURES))
    good = data.draw(st.sampled_from(bodies))
    bent = bytearray(good if isinstance(good, bytes) else json.dumps(good).encode())
    for _ in range(data.draw(st.integers(0, 3))):
        bent[data.draw(st.integers(0, len(bent) - 1))] = data.draw(st.integers(0, 255))
    payload = data.draw(st.binary(max_size=60) | st.just(bytes(bent)))
    read_w = answer(profile, payload)
    assert read_w is None or abs(read_w) <= 30_000


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "request"),
        ({"request": "api"}, "pattern"),
        ({"request": "/a b"}, "pattern"),
        ({"request": "/a", "export_path": "b"}, "path is missing"),
        ({"request": "/a", "format": "sml"}, "path is missing"),
        ({"request": "/a", "path": "b", "export_path": "b"}, "always 0"),
        ({"request": "/a", "expected_interval_s": 0.1}, "greater than or equal"),
        ({"profile": "homewizard"}, "did you mean 'homewizard_p1'"),
        ({"profile": "vzlogger_http"}, "profile vzlogger_http needs id: the channel's uuid"),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        options(**given)


def test_the_cloud_is_no_meter_to_control_with() -> None:
    what = [doubt.what for doubt in options(profile="powerfox").doubts()]
    assert "through the cloud" in what[0]
    assert options(profile="homewizard_p1").doubts() == ()


class Server:
    """A web server in memory that answers what the test puts into ``body``."""

    def __init__(self) -> None:
        self.target = "/api/v1/data"
        self.body: bytes | None = b'{"active_power_w": 100}'
        self.asked_at_s: list[float] = []

    def answer(self, target: str) -> bytes:
        assert target == self.target
        self.asked_at_s.append(asyncio.get_running_loop().time())
        if self.body is None:
            raise OSError
        return self.body


class Site:
    def __init__(self, **given: Any) -> None:
        self.links, self.server = MemoryLinks(), Server()
        self.link: MemoryHttp = self.links.http("meter")
        self.link.server = self.server
        self.faults: dict[str, str] = {}
        context = DriverContext("meter", LoopClock(), self.links, self._report)
        given.setdefault("profile", "homewizard_p1")
        self.meter = HttpMeter(options(**given), context)
        self.readings: list[MeterReading] = []
        self.meter.on_reading(self.readings.append)

    def _report(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.faults[code] = text
        if not active:
            del self.faults[code]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.meter.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.meter.stop()


async def test_it_asks_once_an_interval_and_readings_are_as_old_as_the_question() -> None:
    site = Site(latency_s=0.2)
    site.link.delay_s = 0.4
    async with site.running():
        await asyncio.sleep(5.3)
    assert site.server.asked_at_s == pytest.approx([0.4, 1.4, 2.4, 3.4, 4.4])
    assert [r.at_s for r in site.readings] == pytest.approx([-0.2, 0.8, 1.8, 2.8, 3.8])
    assert [r.received_at_s for r in site.readings] == pytest.approx([0.4, 1.4, 2.4, 3.4, 4.4])


async def test_a_slow_server_is_never_asked_twice_at_once() -> None:
    site = Site()
    site.link.delay_s = 3.0
    async with site.running():
        await asyncio.sleep(10.0)
    assert site.link.health.tx == 4
    assert [r.received_at_s - r.at_s for r in site.readings] == pytest.approx([3.3] * 3)


async def test_a_silent_server_ends_readings_and_its_return_brings_them_back() -> None:
    site = Site()
    async with site.running():
        await asyncio.sleep(2.5)
        site.server.body = None
        await asyncio.sleep(10.0)
        assert len(site.readings) == 3
        site.server.body = b'{"active_power_w": -40}'
        await asyncio.sleep(1.5)
    assert site.readings[-1].grid_w == -40
    assert site.faults == {}


async def test_an_answer_that_is_no_reading_is_quoted_and_the_next_good_one_clears_it() -> None:
    site = Site()
    async with site.running():
        site.server.body = b"<html>log in</html>"
        await asyncio.sleep(1.5)
        assert site.readings == []
        assert "not json: /api/v1/data answered '<html>" in site.faults["meter_garbage"]
        site.server.body = b'{"active_power_w": 1}'
        await asyncio.sleep(1.0)
    assert (site.faults, site.readings[-1].grid_w) == ({}, 1)


async def test_answers_without_the_path_are_a_mistake_only_when_they_go_on() -> None:
    site = Site()
    site.server.body = b"{}"
    async with site.running():
        await asyncio.sleep(5.5)
        assert site.faults == {}
        await asyncio.sleep(6.0)
        assert "path missing" in site.faults["meter_garbage"]


async def test_a_stamp_that_does_not_move_is_no_new_reading() -> None:
    site = Site(time_path="t")
    async with site.running():
        site.server.body = b'{"active_power_w": 1, "t": 1770102920}'
        await asyncio.sleep(5.5)
        assert len(site.readings) == 1
        site.server.body = b'{"active_power_w": 1, "t": 1770102926}'
        await asyncio.sleep(1.0)
    assert len(site.readings) == 2


async def test_the_meters_own_counters_come_along() -> None:
    site = Site()
    site.server.body = b'{"active_power_w": 1, "total_power_import_kwh": 1234.5}'
    async with site.running():
        await asyncio.sleep(0.5)
        site.server.body = b'{"active_power_w": 1, "total_power_export_kwh": "?"}'
        await asyncio.sleep(1.0)
    counted = [(reading.import_kwh, reading.export_kwh) for reading in site.readings]
    assert counted == [(1234.5, None), (None, None)]


IMPORTED, EXPORTED = "1-0:1.8.0*255", "1-0:2.8.0*255"
FRONIUS = {
    "PowerReal_P_Sum": 7.0,
    "EnergyReal_WAC_Plus_Absolute": 5121700,
    "EnergyReal_WAC_Minus_Absolute": 303200,
}
REGISTERS = [
    {"obis": "01-00:01.08.00*ff", "value": 5121700.0},
    {"obis": "01-00:02.08.00*ff", "value": 303200.0},
    {"obis": "01-00:10.07.00*ff", "value": 7},
]


@pytest.mark.parametrize(
    ("profile", "body"),
    [
        ("tasmota_sml_http", sns(SML={"Power_curr": 7, "Total_in": 5121.7, "Total_out": 303.2})),
        ("tibber_pulse", sml.list_of({P: 70, IMPORTED: 51217000, EXPORTED: 3032000})),
        (
            "tibber_pulse_two_registers",
            sml.list_of({IN: 70, OUT: 0, IMPORTED: 51217000, EXPORTED: 3032000}),
        ),
        ("fronius_meter", body(**{"0": FRONIUS})),
        ("iometer", {"meter": {"reading": {"registers": REGISTERS}}}),
    ],
)
async def test_a_profile_knows_where_its_meter_counts(profile: str, body: Any) -> None:
    site = Site(profile=profile)
    site.server.target = str(PROFILES[profile].settings["request"])
    site.server.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with site.running():
        await asyncio.sleep(0.5)
    reading = site.readings[-1]
    assert reading.grid_w == 7.0
    assert reading.import_kwh == pytest.approx(5121.7)
    assert reading.export_kwh == pytest.approx(303.2)
