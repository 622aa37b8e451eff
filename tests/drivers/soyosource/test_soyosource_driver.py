"""The driver at one end of a wire, its twin at the other, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import math
import random

import pytest
from soyosource_bench import Bench, make_bench

from gridzero.domain.converters import Setpoint
from gridzero.domain.readings import ConverterState
from gridzero.errors import LinkError
from gridzero.ports.devices import Inverter
from gridzero_drivers.soyosource.codec import QUERY, Demand, Status
from gridzero_drivers.soyosource.pacing import FRAME_S

SOON_S = 0.002


def powers(bench: Bench) -> list[int]:
    return [power_w for _, power_w in bench.demands]


async def test_it_meets_the_port_and_needs_no_answer() -> None:
    bench = make_bench()
    assert isinstance(bench.driver, Inverter)
    assert not bench.driver.telemetry_expected()
    assert bench.driver.reading() is None
    assert bench.driver.state is ConverterState.UNKNOWN


async def test_zero_is_sent_from_the_start_without_any_order() -> None:
    bench = make_bench()
    async with bench.running():
        await asyncio.sleep(2.2)
    assert powers(bench) == [0, 0, 0, 0, 0]
    assert bench.ledger == [(0.0, 0.0)]
    assert bench.driver.state is ConverterState.OFF


@pytest.mark.parametrize("period_s", [0.25, 0.5, 1.0])
async def test_the_demand_is_repeated_and_the_period_never_grows(period_s: float) -> None:
    bench = make_bench(send_period_s=period_s)
    async with bench.running():
        await bench.hold(500.0, 120.0)
    assert len(bench.gaps_s()) >= 119
    assert max(bench.gaps_s()) <= period_s + SOON_S
    assert set(powers(bench)[2:]) == {500}


async def test_an_order_is_on_the_wire_before_command_returns() -> None:
    bench = make_bench()
    host = bench.links.wire("rs485").host
    async with bench.running():
        await asyncio.sleep(0.4)
        before = host.health.tx
        bench.order(600.0)
        assert host.health.tx - before == 8
        assert bench.ledger[-1] == (bench.now_s(), 600.0)
        assert bench.driver.state is ConverterState.RUNNING


@pytest.mark.parametrize("second_w", [300.0, 0.0, 900.0])
async def test_a_second_change_waits_for_the_250_ms_mark_and_only_the_newest_goes(
    second_w: float,
) -> None:
    bench = make_bench()
    async with bench.running():
        await asyncio.sleep(0.4)
        start_s = bench.now_s()
        bench.order(600.0)
        for offset, power_w in [(0.05, 100.0), (0.1, 800.0), (0.15, second_w)]:
            await asyncio.sleep(start_s + offset - bench.now_s())
            bench.order(power_w)
        await asyncio.sleep(0.15)
    after = [(round(at_s - start_s, 3), w) for at_s, w in bench.demands if at_s >= start_s]
    assert after == [(0.0, 600), (0.25, int(second_w))]


async def test_no_storm_of_orders_breaks_the_pace() -> None:
    bench, dice = make_bench(), random.Random(1)
    async with bench.running():
        for _ in range(2000):
            bench.order(dice.choice([0.0, 50.0, 900.0, dice.uniform(-100, 1000)]))
            await asyncio.sleep(dice.choice([0.0, 0.01, 0.1, 0.4]))
    assert min(bench.gaps_s()[1:]) >= 0.25 - SOON_S
    assert max(bench.gaps_s()) <= 0.5 + SOON_S


async def test_an_order_that_is_not_renewed_ends_in_explicit_zeros() -> None:
    bench = make_bench()
    async with bench.running():
        await asyncio.sleep(0.3)
        bench.order(700.0, lease_s=3.3)
        end_s = bench.now_s() + 3.3
        await asyncio.sleep(5.0)
        assert ("lease_expired", True, "") in bench.reports
        first_zero_s = min(at_s for at_s, w in bench.demands if w == 0 and at_s > 1.0)
        assert end_s < first_zero_s <= end_s + 0.01
        assert powers(bench)[-3:] == [0, 0, 0]
        bench.order(700.0)
        assert bench.reports[-1] == ("lease_expired", False, "")
        await asyncio.sleep(0.3)
        assert bench.ledger[-1][1] == 700.0
    assert len([report for report in bench.reports if report[0] == "lease_expired"]) == 2


@pytest.mark.parametrize("until_s", [-math.inf, math.nan, 0.0])
async def test_an_order_without_a_valid_lease_is_zero(until_s: float) -> None:
    bench = make_bench()
    async with bench.running():
        await asyncio.sleep(1.1)
        bench.driver.command(Setpoint(power_w=500.0, until_s=until_s))
        await asyncio.sleep(3.0)
    assert set(powers(bench)) == {0}
    assert bench.reports == [("lease_expired", True, "")]


@pytest.mark.parametrize("power_w", [math.nan, math.inf, -math.inf, -800.0])
async def test_an_order_that_is_no_power_is_zero(power_w: float) -> None:
    bench = make_bench()
    async with bench.running():
        await bench.hold(power_w, 2.0)
    assert set(powers(bench)) == {0}


async def test_several_units_share_the_order_and_the_ledger_tells_what_they_really_got() -> None:
    bench = make_bench(units=3)
    async with bench.running():
        await bench.hold(1000.0, 1.0)
        assert bench.ledger[-1][1] == 999.0
        await bench.hold(80.0, 1.0)
        assert bench.ledger[-1][1] == 0.0
        await bench.hold(81.0, 1.0)
        assert bench.ledger[-1][1] == 81.0
    assert set(powers(bench)) == {0, 333, 27}


async def test_the_ledger_holds_changes_only() -> None:
    bench = make_bench()
    async with bench.running():
        for power_w in (400.2, 400.9, 26.0, 0.0):
            await bench.hold(power_w, 2.0)
    assert [power_w for _, power_w in bench.ledger] == [0.0, 400.0, 0.0]


async def test_stop_says_zero_often_and_soon_even_without_run() -> None:
    bench = make_bench()
    bench.order(500.0)
    start_s = bench.now_s()
    await bench.driver.stop()
    assert bench.now_s() - start_s <= 1.5 + SOON_S
    await asyncio.sleep(0)
    assert powers(bench) == [500, 0, 0, 0, 0, 0]
    assert min(bench.gaps_s()) >= 0.25 - SOON_S
    bench.order(500.0)
    await asyncio.sleep(1.0)
    assert powers(bench)[-1] == 0
    assert bench.ledger[-1][1] == 0.0


async def test_stop_bears_a_missing_port() -> None:
    bench = make_bench()
    bench.plugged = False
    await bench.driver.stop()
    assert bench.driver.write_errors == 5
    assert [code for code, active, _ in bench.reports if active] == ["link_down"]


async def test_a_missing_port_ends_run_so_that_the_supervisor_tries_again() -> None:
    bench = make_bench()
    bench.plugged = False
    with pytest.raises(LinkError, match="Plug the adapter in"):
        await bench.driver.run()
    assert bench.reports[0][:2] == ("link_down", True)


async def test_a_port_that_goes_and_comes_back() -> None:
    bench = make_bench()
    async with bench.running():
        await bench.hold(600.0, 12.0)
        assert bench.twin.ac_w == pytest.approx(600.0)
        bench.plugged = False
        await bench.hold(600.0, 5.0)
        assert bench.twin.ac_w == 0.0
        assert [code for code, active, _ in bench.reports if active] == ["link_down"]
        bench.plugged = True
        back_s = bench.now_s()
        await bench.hold(600.0, 12.0)
        assert bench.reports[-1] == ("link_down", False, "")
        assert min(at_s for at_s, _ in bench.demands if at_s > back_s) - back_s <= 0.5 + SOON_S
        assert bench.twin.ac_w == pytest.approx(600.0)
    assert bench.driver.write_errors > 0


async def test_after_ten_seconds_without_port_the_ledger_stops_counting_on_the_inverter() -> None:
    bench = make_bench()
    async with bench.running():
        await bench.hold(600.0, 1.0)
        bench.plugged = False
        await bench.hold(600.0, 9.0)
        assert bench.ledger[-1][1] == 600.0
        await bench.hold(600.0, 3.0)
        assert bench.ledger[-1][1] == 0.0
        assert bench.driver.state is ConverterState.UNKNOWN
        bench.plugged = True
        await bench.hold(600.0, 1.0)
        assert bench.ledger[-1][1] == 600.0


async def test_orders_alone_keep_the_inverter_alive_while_run_is_away() -> None:
    bench = make_bench()
    await bench.hold(500.0, 10.0)
    assert max(bench.gaps_s()) <= 0.5 + SOON_S
    assert len(bench.demands) >= 20


async def test_status_is_asked_for_without_delaying_a_demand() -> None:
    bench = make_bench(read_status=True, status_period_s=2.0, send_period_s=0.25)
    dice = random.Random(2)
    async with bench.running():
        for _ in range(400):
            bench.order(dice.uniform(0, 900))
            await asyncio.sleep(dice.choice([0.03, 0.1, 0.3]))
    assert len(bench.queries) >= 20
    assert max(bench.gaps_s()) <= 0.25 + SOON_S
    times = [at_s for at_s, _ in bench.demands]
    for query_s in bench.queries:
        before = max(at_s for at_s in times if at_s <= query_s)
        later = [at_s for at_s in times if at_s > query_s]
        assert query_s - before >= FRAME_S
        assert not later or min(later) - query_s - FRAME_S >= 0.15


async def test_readings_come_from_fresh_replies_and_say_estimates() -> None:
    bench = make_bench(read_status=True)
    async with bench.running():
        await bench.hold(500.0, 20.0)
        reading = bench.driver.reading()
        assert reading is not None
        assert reading.ac_w == pytest.approx(500.0, rel=0.02)
        assert reading.dc_a == pytest.approx(bench.twin.dc_a, abs=0.1)
        assert (reading.dc_v, reading.mains_v) == (50.0, 230.0)
        assert reading.temp_c is not None
        assert 20.0 < reading.temp_c < 40.0
        assert reading.alarms == ()
        bench.twin.silent = True
        await bench.hold(500.0, 21.0)
        assert bench.driver.reading() is None
        assert bench.driver.state is ConverterState.RUNNING
    assert bench.reports == []


async def test_a_unit_that_never_answers_is_normal() -> None:
    bench = make_bench(read_status=True)
    bench.twin.answers = False
    async with bench.running():
        await bench.hold(500.0, 600.0)
    assert len(bench.queries) >= 100
    assert bench.driver.reading() is None
    assert bench.reports == []
    assert max(bench.gaps_s()) <= 0.5 + SOON_S


async def test_no_query_without_being_asked_to() -> None:
    bench = make_bench()
    async with bench.running():
        await bench.hold(500.0, 60.0)
    assert bench.queries == []


@pytest.mark.parametrize(
    ("code", "name", "state"),
    [
        (1, "startup", ConverterState.STARTING),
        (2, "standby", ConverterState.FAULT),
        (4, "error_or_battery_mode", ConverterState.FAULT),
        (16, "unknown", ConverterState.FAULT),
    ],
)
async def test_a_status_that_is_not_normal_is_told_by_name_until_it_is_over(
    code: int, name: str, state: ConverterState
) -> None:
    bench = make_bench(read_status=True)
    async with bench.running():
        await bench.hold(500.0, 10.0)
        bench.twin.fault_code = code
        await bench.hold(500.0, 10.0)
        assert bench.driver.state is state
        assert powers(bench)[-1] == 500
        reading = bench.driver.reading()
        assert reading is not None
        assert reading.alarms == (name,)
        bench.twin.fault_code = None
        await bench.hold(500.0, 10.0)
        assert bench.driver.state is ConverterState.RUNNING
    told = [(reported, active) for reported, active, _ in bench.reports]
    assert told == [("inverter_fault", True), ("inverter_fault", False)]
    assert name in bench.reports[0][2]


async def test_an_echoing_adapter_does_not_disturb() -> None:
    bench = make_bench(read_status=True)
    bench.twin.echo = True
    async with bench.running():
        await bench.hold(500.0, 30.0)
    health = bench.links.wire("rs485").host.health
    assert bench.driver.reading() is not None
    assert health.skipped == {}


async def test_collided_replies_of_several_units_are_not_believed() -> None:
    bench = make_bench(units=3, read_status=True)
    async with bench.running():
        await bench.hold(900.0, 60.0)
    assert bench.driver.reading() is None
    assert bench.links.wire("rs485").host.health.skipped


async def test_one_of_several_units_cannot_speak_of_all_their_power() -> None:
    bench = make_bench(units=2)
    bench.links.wire("rs485").device.write(Status(0, 50.0, 4.0, 230, 50.0, 30.0).to_bytes())
    await asyncio.sleep(0.1)
    reading = bench.driver.reading()
    assert reading is not None
    assert (reading.ac_w, reading.dc_a, reading.dc_v) == (None, None, 50.0)


async def test_garbage_on_the_line_changes_nothing(fuzz_frames: int) -> None:
    bench, dice = make_bench(), random.Random(4)
    end = bench.links.wire("rs485").device
    async with bench.running():
        for _ in range(fuzz_frames // 20):
            bench.order(500.0)
            head = dice.choice([b"", QUERY[:3], b"\x23\x01\x01\x00"])
            end.write(head + dice.randbytes(dice.randint(0, 30)))
            await asyncio.sleep(0.5)
    assert set(powers(bench)[2:]) == {500}
    assert max(bench.gaps_s()) <= 0.5 + SOON_S
    assert bench.links.wire("rs485").host.health.skipped["noise"] > 0


async def test_an_unasked_reply_counts_too() -> None:
    bench = make_bench()
    bench.links.wire("rs485").device.write(Status(2, 41.0, 0.0, 230, 50.0, 30.0).to_bytes())
    await asyncio.sleep(0.1)
    assert bench.driver.state is ConverterState.FAULT
    assert bench.reports[0][:2] == ("inverter_fault", True)


async def test_the_wire_holds_exactly_the_documented_bytes() -> None:
    bench = make_bench(read_status=True)
    raw: list[bytes] = []
    bench.links.wire("rs485").device.listen(raw.append)
    async with bench.running():
        await asyncio.sleep(0.3)
    assert raw == [Demand(0).to_bytes(), QUERY]


async def test_an_order_is_ac_output_and_the_ledger_tells_what_will_be_delivered() -> None:
    bench = make_bench(gain=0.96)
    async with bench.running():
        await bench.hold(480.0, 20.0)
        assert bench.demands[-1][1] == 500
        assert bench.ledger[-1][1] == pytest.approx(480.0)
        assert bench.twin.ac_w == pytest.approx(480.0)
