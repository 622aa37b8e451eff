"""The meter's own counters of energy, beside its power."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from mqtt_meter_site import House, Site, near, options

from gridzero_drivers.mqtt_meter.twin import MeterTwin

PATHS = {"path": "p", "import_kwh_path": "in", "export_kwh_path": "out"}


async def test_a_reading_carries_what_its_own_message_counts() -> None:
    site = Site(**PATHS)
    link = site.links.broker.attach()
    link.publish("m", '{"p": 120, "in": 1234.5, "out": "67,25"}')
    await _soon()
    reading = site.readings[-1]
    assert (reading.grid_w, reading.import_kwh, reading.export_kwh) == (120.0, 1234.5, 67.25)


async def test_tariffs_are_summed_and_wh_are_scaled() -> None:
    site = Site(path="p", import_kwh_path=["t1", "t2"], kwh_scale=0.001)
    site.links.broker.attach().publish("m", '{"p": 1, "t1": 500, "t2": 250}')
    await _soon()
    assert site.readings[-1].import_kwh == near(0.75)
    assert site.readings[-1].export_kwh is None


async def test_another_topic_counts_and_each_count_is_told_once() -> None:
    site = Site(**PATHS, counter_topic="totals")
    link = site.links.broker.attach()
    for topic, payload in (("totals", '{"in": 5, "out": 6}'), ("m", '{"p": 1}'), ("m", '{"p": 2}')):
        link.publish(topic, payload)
    await _soon()
    assert [reading.import_kwh for reading in site.readings] == [5.0, None]


@pytest.mark.parametrize("count", ['"in": null', '"in": "1.5 kWh"', '"in": true', '"other": 1'])
async def test_a_count_that_is_none_leaves_the_power_as_it_is(count: str) -> None:
    site = Site(**PATHS)
    site.links.broker.attach().publish("m", f'{{"p": 40, {count}, "out": 3}}')
    await _soon()
    assert site.readings[-1].grid_w == 40.0
    assert site.readings[-1].import_kwh is None
    assert site.readings[-1].export_kwh == 3.0
    assert not site.reports.said


async def test_a_retained_count_is_old() -> None:
    site = Site(**PATHS, counter_topic="totals")
    site.hear('{"in": 5}', "totals", retained=True)  # the counters' subscription is the first
    site.links.broker.attach().publish("m", '{"p": 1}')
    await _soon()
    assert site.readings[-1].import_kwh is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"import_kwh_path": "in"}, "plain number"),
        ({"path": "p", "counter_topic": "x"}, "needs import_kwh_path"),
        ({"path": "p", "import_kwh_path": "a..b"}, "key"),
        ({"sources": [{"topic": "a"}], "import_kwh_path": "in"}, "need counter_topic"),
        ({**PATHS, "kwh_scale": 0}, "greater than 0"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        options(**given)


def test_the_twin_counts_what_flows() -> None:
    house = House()
    twin = MeterTwin(options(**PATHS, latency_s=0.0), house)
    house.grid_w = 3600.0
    told = [payload for _ in range(10) for _, payload in twin.advance(1.0)]
    house.grid_w = -7200.0
    told += [payload for _ in range(10) for _, payload in twin.advance(1.0)]
    assert b'"in": 1234.51' in told[-1]
    assert b'"out": 67.82' in told[-1]


async def _soon() -> None:
    await asyncio.sleep(0.1)


REGISTERS = [
    {"obis": "01-00:01.08.00*ff", "value": 5121700.0, "unit": "Wh"},
    {"obis": "01-00:02.08.00*ff", "value": 303200.0, "unit": "Wh"},
    {"obis": "01-00:10.07.00*ff", "value": -487, "unit": "W"},
]
FRONIUS = {
    "PowerReal_P_Sum": -487.0,
    "EnergyReal_WAC_Plus_Absolute": 5121700,
    "EnergyReal_WAC_Minus_Absolute": 303200,
}
DSMR = {
    "electricity_currently_delivered": 0.0,
    "electricity_currently_returned": 0.487,
    "electricity_delivered_1": 5000.0,
    "electricity_delivered_2": 121.7,
    "electricity_returned_1": 300.0,
    "electricity_returned_2": 3.2,
}
HOMEWIZARD = {
    "active_power_w": -487,
    "total_power_import_kwh": 5121.7,
    "total_power_export_kwh": 303.2,
}
SML = {"Total_in": 5121.7, "Total_out": 303.2, "Power_curr": -487}


@pytest.mark.parametrize(
    ("profile", "body"),
    [
        ("tasmota_sml", {"SML": SML}),
        ("dsmr_reader_json", DSMR),
        ("fronius_mqtt", {"Body": {"Data": {"0": FRONIUS}}}),
        ("homewizard_mqtt", HOMEWIZARD),
        ("iometer_mqtt", {"meter": {"reading": {"registers": REGISTERS}}}),
    ],
)
async def test_a_profile_knows_where_its_meter_counts(profile: str, body: Any) -> None:
    site = Site(profile=profile, topic="m", time_path=None)
    site.links.broker.attach().publish("m", json.dumps(body))
    await _soon()
    reading = site.readings[-1]
    assert reading.grid_w == near(-487)
    assert (reading.import_kwh, reading.export_kwh) == (near(5121.7), near(303.2))
