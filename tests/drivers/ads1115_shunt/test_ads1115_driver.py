from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import isfinite
from random import Random

import pytest
from ads1115_site import Site, near
from structlog.testing import capture_logs

from gridzero.errors import DeviceError, DeviceSilent
from gridzero.ports.devices import CurrentSensor

STEP_A = 0.0105


async def test_the_current_is_followed_both_ways() -> None:
    async with Site() as site:
        assert isinstance(site.shunt, CurrentSensor)
        assert site.shunt.latest() is None
        for true_a in (40.0, -63.5, 0.0, 100.0):
            site.world.battery_a = true_a
            await asyncio.sleep(1)
            assert site.current_a == near(true_a, 3 * STEP_A)
            assert site.age_s < 0.4
    assert site.reports.said == []


@pytest.mark.parametrize("invert", [False, True])
async def test_sign_and_zero(invert: bool) -> None:
    async with Site(invert=invert, zero_a=0.8, pair="2-3") as site:
        site.world.battery_a = 12.5
        await asyncio.sleep(1)
        assert site.current_a == near(12.5, 3 * STEP_A)


async def test_a_small_current_is_not_hidden() -> None:
    async with Site() as site:
        site.twin.noise_bits = 0.0
        site.world.battery_a = 0.0208
        await asyncio.sleep(1)
        assert site.current_a == near(2 * 0.0104166, 1e-5)


async def test_an_unplugged_converter_is_reported_and_never_reads_zero() -> None:
    async with Site() as site:
        site.world.battery_a = 30.0
        await asyncio.sleep(1)
        site.twin.unplugged = True
        await asyncio.sleep(2)
        assert site.running is not None
        with pytest.raises(DeviceSilent, match="I2C wiring"):
            site.running.result()
    assert "does not answer" in site.reports.active["shunt_silent"]
    assert site.current_a == near(30, 3 * STEP_A)
    assert site.age_s > 2


async def test_a_pulled_cable_is_the_same_as_an_absent_converter() -> None:
    site = Site()
    site.bus.plugged = False
    with pytest.raises(DeviceError, match="no device answers at 0x48"):
        await asyncio.wait_for(site.shunt.run(), 5)
    assert site.shunt.latest() is None


async def test_it_comes_back_when_run_again() -> None:
    site = Site()
    site.twin.unplugged = True
    with pytest.raises(DeviceSilent):
        await asyncio.wait_for(site.shunt.run(), 5)
    site.twin.unplugged = False
    site.twin.brown_out()
    async with site:
        await asyncio.sleep(1)
        assert site.reports.said == [("shunt_silent", True), ("shunt_silent", False)]
        assert site.age_s < 0.4


async def test_a_single_failed_transfer_is_not_an_outage() -> None:
    async with Site() as site:
        await asyncio.sleep(1)
        site.twin.unplugged = True
        await asyncio.sleep(0.4)
        site.twin.unplugged = False
        await asyncio.sleep(1)
        assert site.running is not None
        assert not site.running.done()
        assert site.age_s < 0.4
    assert site.reports.said == []


async def test_a_brown_out_is_noticed_before_its_zero_is_believed() -> None:
    seen: set[float] = set()
    async with Site() as site:
        site.world.battery_a = 50.0
        await asyncio.sleep(1.01)
        with capture_logs() as logs:
            for i in range(40):
                if i == 20:
                    site.twin.brown_out()
                await asyncio.sleep(0.05)
                seen.add(site.current_a)
        assert all(current_a == near(50, 3 * STEP_A) for current_a in seen)
        assert site.age_s < 0.7
    assert [(line["event"], line["config"]) for line in logs] == [("adc.reset", "0x8583")]
    assert site.reports.said == []


async def test_a_supply_that_keeps_dipping_is_a_lost_device() -> None:
    async with Site() as site:
        site.world.battery_a = 50.0
        await asyncio.sleep(1)
        for _ in range(40):
            site.twin.brown_out()
            await asyncio.sleep(0.05)
        assert site.running is not None
        with pytest.raises(DeviceSilent, match="does not keep its settings"):
            site.running.result()
    assert site.current_a == near(50, 3 * STEP_A)


async def test_a_converter_that_stands_still_is_found_out() -> None:
    async with Site() as site:
        site.world.battery_a = 20.0
        await asyncio.sleep(5)
        site.twin.frozen = True
        await asyncio.sleep(11)
        assert site.running is not None
        with pytest.raises(DeviceSilent, match="does not end a conversion"):
            site.running.result()
    assert "shunt_silent" in site.reports.active
    before = site.shunt.latest()
    with pytest.raises(DeviceSilent, match="does not end a conversion"):
        await asyncio.wait_for(site.shunt.run(), 5)
    assert site.shunt.latest() is before


async def test_a_steady_current_is_not_taken_for_a_standstill() -> None:
    async with Site() as site:
        site.twin.noise_bits = 0.0
        for true_a in (0.0, 20.0):
            site.world.battery_a = true_a
            for _ in range(400):
                await asyncio.sleep(0.5)
                assert site.age_s < 0.7
            assert site.current_a == near(true_a, STEP_A)
    assert site.reports.said == []


async def test_saturation_is_no_reading() -> None:
    async with Site() as site:
        site.world.battery_a = 100.0
        await asyncio.sleep(1)
        for over_a in (400.0, -400.0):
            site.world.battery_a = over_a
            await asyncio.sleep(3)
            assert site.current_a == near(100, 3 * STEP_A)
            assert site.age_s > 2
            assert "341 A" in site.reports.active["shunt_saturated"]
        site.world.battery_a = 300.0
        await asyncio.sleep(0.5)
        assert site.current_a == near(300, 3 * STEP_A)
    assert site.reports.said == [("shunt_saturated", True), ("shunt_saturated", False)]


async def test_a_foreign_master_that_changes_the_settings_is_undone() -> None:
    async with Site() as site:
        site.world.battery_a = 50.0
        await asyncio.sleep(1)
        site.twin.write_word(1, 0x0463)
        for _ in range(20):
            await asyncio.sleep(0.1)
            assert site.current_a == near(50, 3 * STEP_A)
        assert site.age_s < 0.4


async def test_a_register_that_does_not_keep_settings_is_a_lost_device() -> None:
    class Deaf:
        def read_word(self, register: int) -> int:
            return 0x8583 if register == 1 else 0

        def write_word(self, register: int, value: int) -> None:
            return None

    site = Site()
    site.bus.devices[0x48] = Deaf()
    with pytest.raises(DeviceSilent, match="does not keep its settings"):
        await asyncio.wait_for(site.shunt.run(), 5)
    assert site.shunt.latest() is None


async def test_the_zero_is_measured_at_rest() -> None:
    site = Site()
    site.world.battery_a = -0.35
    found = await site.shunt.calibrate_zero(10)
    assert found.samples == 40
    assert found.mean_a == near(-0.35, STEP_A)
    assert 0 < found.spread_a < 0.1


async def test_the_zero_can_be_measured_beside_the_running_driver() -> None:
    async with Site(zero_a=0.5) as site:
        await asyncio.sleep(1)
        found = await site.shunt.calibrate_zero(1)
        assert found.mean_a == near(0.5, STEP_A)
        assert found.samples == 8
        assert site.age_s < 0.4


async def test_the_zero_is_not_measured_while_current_flows() -> None:
    site = Site()
    site.world.battery_a = 15.0
    with pytest.raises(DeviceError, match="is a current, not an offset"):
        await site.shunt.calibrate_zero(3)
    site.world.battery_a = 900.0
    with pytest.raises(DeviceError, match="saturated"):
        await site.shunt.calibrate_zero(3)
    site.twin.unplugged = True
    with pytest.raises(DeviceError, match="no zero: the ADC does not answer"):
        await site.shunt.calibrate_zero(3)


async def test_the_zero_is_not_measured_from_restless_readings() -> None:
    site = Site()
    site.twin.noise_bits = 30.0
    with pytest.raises(DeviceError, match="spread"):
        await site.shunt.calibrate_zero(5)


def misbehaving(random: Random, site: Site) -> Callable[[int], int]:
    """Reads that are sometimes noise, sometimes fail."""
    honest = site.twin.read_word

    def read(register: int) -> int:
        kind = random.random()
        if kind < 0.05:
            raise OSError(121, "Remote I/O error")
        return random.getrandbits(16) if kind < 0.3 else honest(register)

    return read


async def test_noise_on_the_bus_never_escapes(fuzz_frames: int) -> None:
    random = Random(9)
    site = Site()
    site.twin.read_word = misbehaving(random, site)  # type: ignore[assignment, method-assign] # a bad bus
    lost = 0
    for _ in range(fuzz_frames // 200):
        try:
            await asyncio.wait_for(site.shunt.run(), 10)
        except DeviceError:
            lost += 1
        except TimeoutError:
            latest = site.shunt.latest()
            assert latest is None or isfinite(latest.current_a)
            assert latest is None or abs(latest.current_a) < 341.34
    assert lost > 0
    assert site.shunt.latest() is not None
    assert site.shunt.name == "shunt"
