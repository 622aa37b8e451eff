from __future__ import annotations

import asyncio
from math import isfinite
from random import Random

import pytest
from mqtt_meter_site import Site, near, noise
from structlog.testing import capture_logs

from gridzero.domain.readings import MeterReading
from gridzero.ports.devices import Meter
from gridzero.ports.links import MqttMessage


async def test_a_message_is_a_reading_at_once() -> None:
    site = Site()
    assert isinstance(site.meter, Meter)
    assert site.meter.latest() is None
    await asyncio.sleep(100)
    site.links.broker.attach().publish("m", "-312")
    await asyncio.sleep(0)
    expected = MeterReading(near(99.7), 100.0, -312)
    assert site.readings == [expected]
    assert site.meter.latest() == expected


async def test_a_retained_message_is_never_a_reading() -> None:
    site = Site()
    site.hear("500", retained=True)
    assert site.meter.latest() is None
    assert site.skipped == {"retained": 1}
    assert site.reports.said == []


async def test_a_stored_message_at_the_start_is_skipped() -> None:
    site = Site(topic="other")
    site.links.broker.attach().publish("m", "500", retain=True)
    await asyncio.sleep(0)
    site.links.mqtt().subscribe("m", site.meter._on_message)
    await asyncio.sleep(0)
    assert site.meter.latest() is None
    assert site.skipped == {"retained": 1}


async def test_messages_for_others_are_ignored() -> None:
    site = Site()
    site.hear("500", topic="m2")
    assert site.meter.latest() is None
    assert site.reports.said == []


async def test_equal_values_are_new_readings() -> None:
    site = Site()
    site.hear("5", at_s=1.0)
    site.hear("5", at_s=1.5)
    assert [reading.received_at_s for reading in site.readings] == [1.0, 1.5]


async def test_garbage_is_reported_once_quoted_and_cleared_by_the_next_number() -> None:
    site = Site()
    for _ in range(3):
        site.hear("unavailable")
    assert site.meter.latest() is None
    assert site.reports.said == [
        ("meter_garbage", True, "unavailable: m said 'unavailable'", "m"),
    ]
    site.hear("12")
    assert site.reports.active == {}
    assert site.powers_w == [12]


async def test_garbage_keeps_the_last_reading_and_its_age() -> None:
    site = Site()
    site.hear("700", at_s=1.0)
    site.hear("nan", at_s=1.5)
    latest = site.meter.latest()
    assert latest is not None
    assert (latest.grid_w, latest.received_at_s) == (700, 1.0)


async def test_one_topic_does_not_clear_the_garbage_of_another() -> None:
    site = Site(sources=[{"topic": "a"}, {"topic": "b"}])
    site.hear("?", "a", at_s=0.0)
    site.hear("1", "b", at_s=0.1)
    assert list(site.reports.active) == [("meter_garbage", "a")]
    site.hear("1", "a", at_s=0.2)
    assert site.reports.active == {}
    assert site.powers_w == [2]


async def test_an_implausible_value_is_said_and_not_used() -> None:
    site = Site(plausible_w=10_000)
    site.hear("99999")
    assert site.readings == []
    assert "implausible: m said '99999'" in site.reports.active["meter_garbage", ""]
    site.hear("9999")
    assert site.reports.active == {}


async def test_other_events_on_a_shared_topic_are_normal() -> None:
    site = Site(path='params."em:0".total_act_power')
    for i in range(60):
        site.hear('{"params":{"wifi":{}}}', at_s=i + 0.5)
        site.hear('{"params":{"em:0":{"total_act_power":7}}}', at_s=i + 0.6)
    assert site.reports.said == []
    assert site.skipped == {"path_missing": 60}
    assert site.powers_w == [7] * 60


async def test_a_path_that_never_fits_is_said_after_ten_seconds() -> None:
    site = Site(path="SML.Power")
    for at_s in range(10):
        site.hear('{"SML":{"Power_curr":7}}', at_s=float(at_s))
    assert site.reports.said == []
    site.hear('{"SML":{"Power_curr":7}}', at_s=10.0)
    assert "path missing" in site.reports.active["meter_garbage", "m"]


async def test_a_silent_phase_is_named_in_the_log_once() -> None:
    site = Site(sources=[{"topic": "a"}, {"topic": "b"}, {"topic": "c"}])
    with capture_logs() as logs:
        for i in range(20):
            site.hear("5", "ab"[i % 2], at_s=i * 2.0)
    assert site.readings == []
    assert [(line["event"], line["missing"]) for line in logs] == [("round.incomplete", ("a", "c"))]


async def test_run_waits_and_stop_leaves_nothing() -> None:
    site = Site()
    running = asyncio.create_task(site.meter.run())
    await asyncio.sleep(3600)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await site.meter.stop()
    assert site.meter.name == "meter"


async def test_noise_never_escapes_and_never_becomes_power(fuzz_frames: int) -> None:
    random = Random(11)
    sites = [
        Site(),
        Site(path="power", time_path="time"),
        Site(topic="m", export_topic="x", scale=1000, plausible_w=12_000),
    ]
    for i in range(fuzz_frames // 2):
        site = random.choice(sites)
        site.hear(noise(random), random.choice("mmmxy"), at_s=i * 0.05, retained=i % 50 == 0)
    for site in sites:
        limit_w = site.options.plausible_w
        assert all(isfinite(r.grid_w) and abs(r.grid_w) <= limit_w for r in site.readings)
        assert all(isfinite(r.at_s) and r.at_s <= r.received_at_s for r in site.readings)
        assert len(site.reports.active) <= 3
    assert any(site.readings for site in sites)


async def test_a_megabyte_is_refused_and_quoted_briefly() -> None:
    site = Site()
    site.hear(b"9" * 1_000_000)
    text = site.reports.active["meter_garbage", "m"]
    assert text.startswith("too large")
    assert len(text) < 120


async def test_the_handler_takes_what_links_may_pass(fuzz_frames: int) -> None:
    site = Site(path="a.b")
    random = Random(3)
    for _ in range(fuzz_frames // 20):
        message = MqttMessage("m", random.randbytes(random.randrange(2000)), False, 1.0)
        site.meter._on_message(message)
    assert site.readings == []
    assert sum(site.skipped.values()) == fuzz_frames // 20
