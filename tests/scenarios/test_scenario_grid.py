"""The main job, a minute at a time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from scenario import DEMO, house

from gridzero.domain.reasons import Because
from gridzero.outputs.mqtt_in import MqttIn
from gridzero.sim.sources import steps


async def test_a_constant_load_is_held_at_zero_and_nothing_is_complained_about() -> None:
    async with house(load_w=420.0) as story:
        await story.until(180)
    settled = story.between(60, 180)
    assert abs(sum(m.grid_w for m in settled) / len(settled)) < 2.0
    assert max(abs(m.grid_w) for m in settled) < 20.0
    assert {e.code for e in story.events if e.active} == {"charger_no_contactor"}


async def test_a_kettle_of_two_kilowatts_on_and_off() -> None:
    async with house(load_w=steps((0.0, 250.0), (60.0, 2250.0), (180.0, 250.0))) as story:
        await story.until(260)
    assert max(abs(m.grid_w) for m in story.between(45, 59)) < 20.0
    full_s = story.first(60.0, lambda m: m.battery_w > 850.0)
    assert 8.0 < full_s < 14.0, "the inverter climbs with 75 W/s"
    assert story.at(120).because is Because.INVERTER_MAXIMUM
    assert story.first(180.0, lambda m: m.set_w < 300.0) < 1.6, "decided within two messages"
    back_s = story.first(180.0, lambda m: abs(m.grid_w) < 25.0)
    assert back_s < 9.0, "and falls with 100 W/s"
    assert max(abs(m.grid_w) for m in story.between(195, 260)) < 25.0
    exported_wh = sum(-m.grid_w for m in story.between(180, 200) if m.grid_w < 0) * 0.1 / 3600
    assert exported_wh < 1.2


async def test_from_sun_to_night_through_zero() -> None:
    ramp = [(float(t), 1800.0 - 15.0 * (t - 60)) for t in range(60, 180)]
    sun_w = steps((0.0, 1800.0), *ramp, (180.0, 0.0))
    async with house(load_w=400.0, sun_w=sun_w, config=DEMO) as story:
        await story.until(260)
    assert story.at(58).battery_w < -1300.0
    assert max(abs(m.grid_w) for m in story.between(40, 59)) < 40.0
    assert all(m.inverter_w == 0.0 or m.charger_w > -15.0 for m in story.moments), "never both"
    last_charge_s = max(m.at_s for m in story.moments if m.set_w < 0)
    first_discharge_s = min(m.at_s for m in story.moments if m.set_w > 0)
    assert 0.5 < first_discharge_s - last_charge_s < 6.0, "as long as the rectifier needs to stop"
    assert max(abs(m.grid_w) for m in story.between(220, 260)) < 20.0
    directions = [m.set_w > 0 for m in story.moments if m.set_w != 0]
    assert sum(a != b for a, b in pairwise(directions)) == 1, "changed direction once"


async def test_the_target_is_held_instead_of_zero() -> None:
    async with house(load_w=500.0) as story:
        await story.until(40)
        story.site.app.site.settings.change(target_w=60)
        await story.until(90)
    held = story.between(60, 90)
    assert abs(sum(m.grid_w for m in held) / len(held) - 60.0) < 3.0


async def test_modes_change_by_mqtt_and_a_wrong_one_is_refused_with_a_reason() -> None:
    async with house(load_w=200.0) as story:
        client = story.site.links.broker.attach()
        await story.until(40)
        client.publish("gridzero/power_w/set", "600")
        client.publish("gridzero/mode/set", "discharge")
        await story.until(60)
        client.publish("gridzero/mode/set", "warp")
        await story.until(80)
        client.publish("gridzero/mode/set", "hold")
        await story.until(90)
    assert abs(story.at(79).battery_w - 600.0) < 15.0
    assert story.at(79).because is Because.MODE_DISCHARGE
    assert story.told("setting_refused", active=False)[0].text.startswith("mode: there is no mode")
    assert -5.0 <= story.at(89).battery_w <= 0.0, "only the rectifier's own standby"
    assert story.at(89).because is Because.MODE_HOLD


async def test_the_target_topic_charges_and_ends_with_zero_or_by_time() -> None:
    async with house(load_w=200.0) as story:
        story.site.app.output.follow_target("meterbox/chargeTarget")
        client = story.site.links.broker.attach()
        await story.until(30)
        for second in range(30, 60):
            client.publish("meterbox/chargeTarget", "800")
            await story.until(second + 1)
        charging = story.at(59)
        client.publish("meterbox/chargeTarget", "0")
        await story.until(75)
        stopped = story.at(66)
        client.publish("meterbox/chargeTarget", "800")
        await story.until(80)
        asked = story.at(79)
        await story.until(100)
    assert -830.0 < charging.battery_w < -740.0
    assert charging.because is Because.TARGET_TOPIC
    assert stopped.charger_w > -15.0
    assert asked.because in (Because.TARGET_TOPIC, Because.ZERO_CROSS_HOLD, Because.RESTART_DWELL)
    assert story.at(98).because is Because.COVERING_LOAD


async def test_an_old_retained_wish_is_not_obeyed() -> None:
    async with house(load_w=300.0) as story:
        story.site.links.broker.retained["gridzero/mode/set"] = b"off"
        story.site.links.broker.retained["meterbox/chargeTarget"] = b"2000"
        story.site.app.output.follow_target("meterbox/chargeTarget")
        app = story.site.app
        MqttIn(app.orders, story.site.links.mqtt(), "gridzero", app.output.publish)
        await story.until(40)
    assert story.at(39).because is Because.COVERING_LOAD


@pytest.mark.slow
async def test_an_empty_battery_stops_giving_and_says_so() -> None:
    async with house(load_w=600.0, soc=0.055) as story:
        await story.until(600)
    assert story.at(599).battery_w < 60.0
    assert story.at(599).because in (
        Because.CELL_EMPTY,
        Because.CELL_LOW,
        Because.BELOW_MINIMUM,
        Because.RECOVERING,
    )
    lowest_v = min(min(story.site.house.cell_v(m)) for m in story.site.house.pack.modules)
    assert lowest_v > 3.15


@pytest.mark.slow
async def test_a_full_battery_stops_taking_before_any_cell_is_over() -> None:
    async with house(load_w=100.0, sun_w=2600.0, soc=0.85) as story:
        highest_v = 0.0
        for minute in range(1, 15):
            await story.until(60.0 * minute)
            pack = story.site.house.pack
            highest_v = max(highest_v, *(max(pack.cell_v(m)) for m in pack.modules))
    assert 4.0 < highest_v < 4.09
    assert story.at(830).charger_w > -150.0
    assert not story.told("cell_over")


async def test_a_change_is_not_held_up_by_the_repeat_of_the_last_demand() -> None:
    sent: list[tuple[float, bytes]] = []
    asked: list[tuple[float, float]] = []
    wobble = [(0.5 * i, 300.0 + 60.0 * (i % 7)) for i in range(240)]
    async with house(load_w=steps(*wobble)) as story:
        await story.until(30)
        story.site.links.wire("inverter").device.listen(lambda d: sent.append((story.now_s, d)))
        story.site.app.site.on_decision(
            lambda now, decision: asked.append((now.now_s, round(decision.battery_w)))
        )
        await story.until(110)
    changes = [b[0] for a, b in pairwise(asked) if abs(b[1] - a[1]) > 5]
    late_s = [min(at_s for at_s, _ in sent if at_s >= change) - change for change in changes[:-1]]
    assert len(late_s) > 100
    assert sorted(late_s)[int(0.9 * len(late_s))] < 0.03, "nine of ten leave at once"
