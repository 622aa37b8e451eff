from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import pytest
from vw_gte_bench import REFERENCE, Bench, battery

from gridzero.ports.devices import CellMonitor
from gridzero.ports.links import CanFrame
from gridzero_drivers.vw_gte import codec, ids, status
from gridzero_drivers.vw_gte.driver import VwGteCells

ONE = {"a": {"link": "can_a", "modules": [5]}}


def voltages(module: int, index: int, *volts: float | None, counter: int = 0) -> CanFrame:
    return CanFrame(0x1B0 + 4 * (module - 1) + index, codec.encode_cells(volts, counter))


def temperature(module: int, raw: int, bleeding: int = 0) -> CanFrame:
    data = bytes((raw, 0, bleeding & 0xFF, bleeding >> 8, 0xFE, 0xFE, 0xFE, 0))
    return CanFrame(0x1A555400 + module, data, is_extended=True)


def idle(options: dict[str, object] | None = None) -> Bench:
    """A driver that is not running: frames come only from the test."""
    return Bench({"buses": ONE, **(options or {})})


async def say(bench: Bench, *frames: CanFrame, key: str = "a") -> None:
    for frame in frames:
        bench.put(key, frame)
    await bench.settle()


async def test_the_driver_meets_its_port() -> None:
    assert isinstance(idle().driver, CellMonitor)


# -- asking


async def test_a_pair_of_polls_goes_out_every_half_second_on_every_bus() -> None:
    async with battery(buses=REFERENCE) as bench:
        await asyncio.sleep(10.2)
        for key in ("a", "b"):
            polls = [(t, f) for bus, t, f in bench.sent if bus == key and f.can_id == 0x0BA]
            assert [f.data.hex() for _, f in polls[:2]] == ["00" * 8, "4501280000000030"]
            assert len(polls) == 42
            firsts = [t for t, f in polls if not any(f.data)]
            assert [b - a for a, b in pairwise(firsts)] == pytest.approx([0.5] * (len(firsts) - 1))
            gaps = [b - a for (a, _), (b, _) in zip(polls[::2], polls[1::2], strict=True)]
            assert gaps == pytest.approx([0.002] * len(gaps))


async def test_all_modules_are_read_and_equal_numbers_are_kept_apart() -> None:
    async with battery(buses=REFERENCE) as bench:
        bench.world.cells["a3"] = [3.5 + cell / 1000 for cell in range(12)]
        bench.world.cells["b3"] = [4.0] * 12
        await asyncio.sleep(2)
        assert bench.driver.expected() == ("a3", "a7", "a8", "b1", "b2", "b3", "b4", "b6", "b7")
        readings = bench.driver.modules()
        assert [r.name for r in readings] == list(bench.driver.expected())
        assert bench.reading("a3").cell_v == tuple(3.5 + cell / 1000 for cell in range(12))
        assert bench.reading("b3").cell_v == (4.0,) * 12
        for reading in readings:
            assert len(reading.cell_v) == 12
            assert reading.temps == ((17.0, 20.0),)
            assert reading.suspect == reading.bleeding == 0
            assert bench.age_s(reading.name, 12) < 0.6
        assert bench.reports.log == []


async def test_nothing_is_known_before_the_first_frame() -> None:
    (reading,) = idle().driver.modules()
    assert reading.cell_v == reading.cell_at_s == (None,) * 12
    assert (reading.temps, reading.temp_at_s) == ((), None)


async def test_a_reading_is_built_only_after_a_change() -> None:
    bench = idle()
    before = bench.reading("a5")
    assert bench.reading("a5") is before
    await say(bench, voltages(5, 0, 3.7, 3.7, 3.7, 3.7))
    assert bench.reading("a5") is not before


@pytest.mark.parametrize(("series_cells", "count"), [(10, 10), (12, 12), (13, 13)])
async def test_modules_of_each_size(series_cells: int, count: int) -> None:
    async with battery(buses=ONE, series_cells=series_cells) as bench:
        await asyncio.sleep(2)
        reading = bench.reading("a5")
        assert reading.cell_v == (3.7,) * count
        assert len(reading.temps) == 1


async def test_meb_modules() -> None:
    async with battery(buses=ONE, variant="meb") as bench:
        bench.driver.bleed({"a5": 0b101}, until_s=100.0)
        await asyncio.sleep(3)
        reading = bench.reading("a5")
        assert reading.cell_v == (3.7,) * 12
        assert reading.temps == ((20.0, 20.0),)
        assert reading.bleeding == 0b101


# -- what is believed


async def test_a_silent_module_ages_and_the_others_do_not() -> None:
    async with battery(buses=REFERENCE) as bench:
        await asyncio.sleep(2)
        bench.twins["b"].silent.add(3)
        await asyncio.sleep(8)
        assert bench.age_s("b3", 1) > 7
        assert bench.voltage("b3", 1) == 3.7
        assert bench.age_s("a3", 1) < 0.6
        assert bench.age_s("b4", 1) < 0.6
        assert bench.reports.log == []


async def test_a_temperature_does_not_make_voltages_young() -> None:
    bench = idle()
    await say(bench, voltages(5, 0, 3.7, 3.7, 3.7, 3.7))
    await asyncio.sleep(30)
    await say(bench, temperature(5, 120))
    reading = bench.reading("a5")
    assert bench.age_s("a5", 1) == pytest.approx(30)
    assert reading.temp_at_s == pytest.approx(bench.clock.now_s())


async def test_a_missing_frame_ages_only_its_own_cells() -> None:
    bench = idle()
    await say(bench, *(voltages(5, index, 3.7, 3.7, 3.7, 3.7) for index in range(3)))
    await asyncio.sleep(3)
    await say(bench, *(voltages(5, index, 3.7, 3.7, 3.7, 3.7) for index in (0, 2)))
    assert [bench.age_s("a5", cell) for cell in (1, 5, 9)] == pytest.approx([0, 3, 0])


async def test_a_cell_that_is_not_available_is_unknown_and_not_fresh() -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        bench.twins["a"].not_available.add((5, 6))
        await asyncio.sleep(4)
        assert bench.voltage("a5", 6) is None
        assert bench.age_s("a5", 6) > 3
        assert bench.voltage("a5", 7) == 3.7
        assert bench.age_s("a5", 7) < 0.6
        bench.twins["a"].not_available.clear()
        await asyncio.sleep(1)
        assert bench.voltage("a5", 6) == 3.7
        assert bench.age_s("a5", 6) < 0.6


async def test_a_cell_that_never_was_available_has_no_time() -> None:
    bench = idle()
    await say(bench, voltages(5, 0, None, 3.7, 3.7, 3.7))
    assert bench.reading("a5").cell_at_s[0] is None


@pytest.mark.parametrize("misread_v", [1.2, 4.9])
async def test_an_implausible_cell_is_told_as_it_reads_and_is_suspect(misread_v: float) -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        bench.twins["a"].misread[5, 3] = misread_v
        await asyncio.sleep(2)
        assert bench.voltage("a5", 3) == misread_v
        assert bench.reading("a5").suspect == 0b100
        assert bench.age_s("a5", 3) < 0.6
        bench.twins["a"].misread.clear()
        await asyncio.sleep(2)
        assert bench.voltage("a5", 3) == 3.7
        assert bench.reading("a5").suspect == 0


async def test_the_window_can_be_set() -> None:
    bench = idle({"plausible_min_v": 3.0, "plausible_max_v": 4.2})
    await say(bench, voltages(5, 0, 2.9, 3.0, 4.2, 4.3), voltages(5, 2, 3.0, 3.0, 3.0, 2.99))
    assert bench.reading("a5").suspect == 0b1000_0000_1001


async def samples(bench: Bench, *volts: float | None, every_s: float = 0.5) -> None:
    """Readings of cell 2, others calm."""
    for volt in volts:
        await asyncio.sleep(every_s)
        await say(bench, voltages(5, 0, 3.7, volt, 3.7, 3.7))


async def test_a_single_jump_is_doubted_and_forgotten() -> None:
    bench = idle()
    await samples(bench, 3.7, 3.1)
    assert bench.voltage("a5", 2) == 3.7
    assert bench.age_s("a5", 2) == pytest.approx(0.5)
    assert bench.age_s("a5", 1) == 0
    assert bench.reading("a5").suspect == 0b10
    await samples(bench, 3.69)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.69, 0)


async def test_a_jump_that_the_next_sample_confirms_is_believed() -> None:
    bench = idle()
    await samples(bench, 3.7, 3.1, 3.05)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.05, 0)
    assert bench.age_s("a5", 2) == 0


async def test_a_sample_100_mv_off_confirms_nothing() -> None:
    bench = idle()
    await samples(bench, 3.7, 3.1, 3.0)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.7, 0b10)


async def test_a_doubt_that_was_forgotten_confirms_nothing() -> None:
    bench = idle()
    await samples(bench, 3.7, 3.1, 3.7, 3.1)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.7, 0b10)


async def test_half_a_volt_is_not_a_jump() -> None:
    bench = idle()
    await samples(bench, 3.7, 3.2, 3.7)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.7, 0)


async def test_samples_that_contradict_each_other_do_not_freeze_the_old_value() -> None:
    bench = idle()
    await samples(bench, 3.7, 3.0, 2.0, 3.0, 2.0)
    assert bench.voltage("a5", 2) == 3.7
    assert bench.age_s("a5", 2) == pytest.approx(2.0)
    await samples(bench, 3.0)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.0, 0b10)
    assert bench.age_s("a5", 2) == 0
    await samples(bench, 3.0)
    assert bench.reading("a5").suspect == 0


async def test_a_late_confirmation_is_none() -> None:
    bench = idle()
    await samples(bench, 3.7, 3.1)
    await samples(bench, 3.1, every_s=1.4)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.7, 0b10)


async def test_after_a_silence_there_is_no_jump() -> None:
    bench = idle()
    await samples(bench, 4.1)
    await samples(bench, 3.4, every_s=60)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.4, 0)


async def test_an_unknown_sample_ends_a_doubt() -> None:
    bench = idle()
    await samples(bench, 3.7, 3.1, None)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (None, 0)
    await samples(bench, 3.1)
    assert (bench.voltage("a5", 2), bench.reading("a5").suspect) == (3.1, 0)


async def test_a_hot_sensor_stays_hot_until_it_reads_normally() -> None:
    bench = idle()
    await say(bench, temperature(5, 120))
    await asyncio.sleep(5)
    await say(bench, temperature(5, 0xDF))
    reading = bench.reading("a5")
    assert reading.over_range_temp
    assert (reading.temps, reading.temp_at_s) == (((17.0, 20.0),), 0.0)
    await say(bench, temperature(5, 0xFE))
    assert bench.reading("a5").over_range_temp
    await say(bench, temperature(5, 100))
    assert not bench.reading("a5").over_range_temp
    assert bench.reading("a5").temps == ((7.0, 10.0),)


async def test_an_absent_sensor_is_not_a_temperature() -> None:
    bench = idle()
    await say(bench, temperature(5, 0xFD))
    reading = bench.reading("a5")
    assert (reading.temps, reading.temp_at_s, reading.over_range_temp) == ((), None, False)


@pytest.mark.parametrize(
    ("offset", "bounds"),
    [("worse_of_both", (17, 20)), ("minus_40", (20, 20)), ("minus_43", (17, 17))],
)
async def test_the_offset_can_be_set(offset: str, bounds: tuple[float, float]) -> None:
    bench = idle({"temperature_offset": offset})
    await say(bench, temperature(5, 120))
    assert bench.reading("a5").temps == (bounds,)


async def test_a_12s_module_takes_no_frame_3_and_no_temperature_of_others() -> None:
    bench = idle()
    before = bench.reading("a5")
    await say(
        bench,
        voltages(5, 3, 3.7),
        CanFrame(0x1A555428, status.encode_13s(20.0), is_extended=True),
        CanFrame(0x1A5555F4, status.encode_meb(20.0), is_extended=True),
        CanFrame(0x16A95474, status.encode_meb_balance(1), is_extended=True),
    )
    assert bench.reading("a5") is before


@pytest.mark.parametrize(
    "frame",
    [
        CanFrame(0x1C0, bytes(7)),
        CanFrame(0x1C0, b""),
        CanFrame(0x1C0, bytes(8), is_remote=True),
        CanFrame(0x1C0, bytes(8), is_extended=True),
        CanFrame(0x1C0, bytes(8), is_error=True),
        CanFrame(0x1A555405, bytes(8)),
        CanFrame(0x1A555405, bytes(4), is_extended=True),
        CanFrame(0x1A55543F, bytes(8), is_extended=True),
        CanFrame(0x1A55540A, bytes(8), is_extended=True),
        CanFrame(0x0BA, bytes(8)),
    ],
)
async def test_frames_that_do_not_fit_change_nothing(frame: CanFrame) -> None:
    bench = idle()
    before = bench.reading("a5")
    for bus in bench.driver._buses:
        bus.receive(frame)
    await say(bench, frame)
    assert bench.reading("a5") is before
    assert bench.reports.log == []


async def test_frames_that_cannot_be_used_are_counted_but_not_those_of_masters() -> None:
    bench = idle()
    await say(
        bench,
        CanFrame(0x1C0, bytes(7)),
        CanFrame(0x1C0, bytes(8), is_remote=True),
        CanFrame(0x1A55543F, bytes(8), is_extended=True),
        CanFrame(0x1A55540A, bytes(8), is_extended=True),
    )
    assert bench.links.can("can_a").health.skipped == {
        "not 8 bytes": 1,
        "remote or error frame": 1,
        "unknown id": 1,
    }


# -- what is told


async def test_a_silent_bus_is_told_and_the_other_goes_on() -> None:
    async with battery(buses=REFERENCE) as bench:
        await asyncio.sleep(2)
        bench.twins["a"].silent |= {3, 7, 8}
        await asyncio.sleep(4.5)
        assert bench.reports.log == []
        await asyncio.sleep(1.5)
        assert set(bench.reports.active) == {("bus_silent", "a")}
        assert "can_a" in bench.reports.active["bus_silent", "a"]
        assert bench.age_s("b1", 1) < 0.6
        bench.twins["a"].silent.clear()
        await asyncio.sleep(1.5)
        assert bench.reports.log == [("bus_silent", "a", True), ("bus_silent", "a", False)]


async def test_a_bus_that_cannot_send_does_not_stop_the_other() -> None:
    async with battery(buses=REFERENCE) as bench:
        bench.plug("a", plugged=False)
        await asyncio.sleep(20)
        assert set(bench.reports.active) == {("bus_silent", "a")}
        assert bench.age_s("b1", 1) < 0.6
        bench.plug("a", plugged=True)
        await asyncio.sleep(1.5)
        assert bench.reports.active == {}
        assert bench.age_s("a3", 1) < 0.6


async def test_balancing_ends_when_a_bus_comes_back() -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        bench.plug("a", plugged=False)
        await asyncio.sleep(2)
        bench.plug("a", plugged=True)
        seen = len(bench.sent)
        await asyncio.sleep(0.6)
        assert ends_in(bench.sent_on("a")[seen:]) == 1


async def test_a_dead_bus_is_tried_once_per_poll() -> None:
    async with battery(buses=ONE) as bench:
        bench.plug("a", plugged=False)
        await asyncio.sleep(10)
        failed = bench.links.can("can_a").health.tx_failed
        await asyncio.sleep(10)
        assert bench.links.can("can_a").health.tx_failed - failed == 20


async def test_balancing_ends_when_a_silent_bus_is_heard_again() -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        bench.twins["a"].silent.add(5)
        await asyncio.sleep(10)
        seen = len(bench.sent)
        bench.twins["a"].silent.clear()
        await asyncio.sleep(1.1)
        assert ends_in(bench.sent_on("a")[seen:]) == 1


async def test_balancing_ends_when_the_controller_was_restarted() -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        seen = len(bench.sent)
        bench.links.can("can_a").health.bus_off += 1
        await asyncio.sleep(1.1)
        assert ends_in(bench.sent_on("a")[seen:]) == 1


async def test_a_module_that_is_not_configured_is_told_until_30_s_after_its_last_frame() -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        await say(bench, voltages(6, 1, 3.7, 3.7, 3.7, 3.7))
        assert "can_a" in bench.reports.active["unexpected_module", "a6"]
        await asyncio.sleep(20)
        await say(bench, voltages(6, 1, 3.7, 3.7, 3.7, 3.7))
        await asyncio.sleep(29)
        assert set(bench.reports.active) == {("unexpected_module", "a6")}
        await asyncio.sleep(2)
        assert bench.reports.log == [
            ("unexpected_module", "a6", True),
            ("unexpected_module", "a6", False),
        ]


async def test_a_board_that_repeats_itself_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        bench.twins["a"].frozen.add(5)
        await asyncio.sleep(90)
        assert bench.reading("a5").cell_v == (3.7,) * 12
    assert capsys.readouterr().out.count("module.unchanging") == 1


# -- balancing


def ends_in(frames: list[CanFrame]) -> int:
    """How many whole end-of-balancing bursts of 24 frames there are."""
    burst = list(codec.end_of_balancing(variant_of_3="gte_gen1"))
    return sum(frames[start : start + 24] == burst for start in range(len(frames)))


def requests_in(frames: list[CanFrame], module: int) -> list[str]:
    own = ids.request_ids(module, "gte_gen1")
    return [frame.data.hex() for frame in frames if frame.can_id in own]


async def test_balancing_ends_before_the_first_poll_and_on_the_way_out() -> None:
    async with battery(buses=REFERENCE) as bench:
        await asyncio.sleep(5)
        assert ends_in(bench.sent_on("a")) == ends_in(bench.sent_on("b")) == 1
        assert bench.sent_on("a")[0].can_id == 0x1A55540A
    for key in ("a", "b"):
        times = [t for bus, t, f in bench.sent if bus == key and f.is_extended]
        assert ends_in(bench.sent_on(key)) == 3  # at the start, as run() ends, and in stop()
        assert times[-1] - times[-24] == pytest.approx(0.023)


async def test_a_lease_bleeds_only_the_named_cells_until_it_ends() -> None:
    async with battery(buses=REFERENCE) as bench:
        await asyncio.sleep(1)
        bench.driver.bleed({"a3": 0b1, "b3": 0b1000_0000_0010}, until_s=bench.clock.now_s() + 10)
        await asyncio.sleep(3)
        assert bench.world.bled == {"a3": 0b1, "b3": 0b1000_0000_0010}
        assert bench.reading("b3").bleeding == 0b1000_0000_0010
        await asyncio.sleep(9)
        assert bench.world.bled == {"a3": 0, "b3": 0}
        assert bench.reading("b3").bleeding == 0
        assert bench.reports.log == []


async def test_a_module_that_is_no_longer_named_is_told_to_stop() -> None:
    async with battery(buses=REFERENCE) as bench:
        bench.driver.bleed({"b1": 1, "b2": 2}, until_s=1000)
        await asyncio.sleep(3)
        bench.driver.bleed({"b2": 4}, until_s=1000)
        await asyncio.sleep(1)
        assert bench.world.bled == {"b1": 0, "b2": 4}


async def test_a_request_is_refreshed_far_within_its_duration() -> None:
    async with battery(buses=ONE, bleed_minutes=2) as bench:
        bench.driver.bleed({"a5": 1}, until_s=1000)
        await asyncio.sleep(600)
        assert bench.world.bled == {"a5": 1}
        times = [t for _, t, f in bench.sent if f.can_id == 0x1A555412 and f.data[0] == 1]
        assert max(b - a for a, b in pairwise(times)) <= 60


async def test_a_master_that_falls_silent_leaves_the_module_to_its_timer() -> None:
    async with battery(buses=ONE, bleed_minutes=2) as bench:
        bench.driver.bleed({"a5": 1}, until_s=1000)
        await asyncio.sleep(3)
        bench.plug("a", plugged=False)
        await asyncio.sleep(100)
        assert bench.world.bled == {"a5": 1}
        await asyncio.sleep(30)
        assert bench.world.bled == {"a5": 0}


async def test_a_lost_stop_is_repeated() -> None:
    async with battery(buses=ONE) as bench:
        bench.driver.bleed({"a5": 1}, until_s=1000)
        await asyncio.sleep(3)
        taker = bench.twins["a"]._requests
        bench.twins["a"]._requests = {}
        bench.driver.bleed({}, until_s=1000)
        await asyncio.sleep(20)
        assert bench.world.bled == {"a5": 1}
        assert set(bench.reports.active) == {("bleed_mismatch", "a5")}
        bench.twins["a"]._requests = taker
        await asyncio.sleep(4)
        assert bench.world.bled == {"a5": 0}
        assert bench.reports.active == {}


@pytest.mark.parametrize("number", [5, 10], ids=["reports", "does not report"])
async def test_a_module_that_was_away_when_bleeding_ended_is_told_when_it_is_back(
    number: int,
) -> None:
    """Modules above 8 do not say what they bleed, so nothing else would show it."""
    name = f"a{number}"
    async with battery(buses={"a": {"link": "can_a", "modules": [1, number]}}) as bench:
        bench.driver.bleed({name: 1}, until_s=1000)
        await asyncio.sleep(3)
        taker = bench.twins["a"]._requests
        bench.twins["a"]._requests = {}
        bench.twins["a"].silent.add(number)
        bench.driver.bleed({}, until_s=1000)
        await asyncio.sleep(60)
        assert bench.world.bled == {name: 1}
        bench.twins["a"]._requests = taker
        bench.twins["a"].silent.clear()
        await asyncio.sleep(3.5)
        assert bench.world.bled == {name: 0}
        seen = len(requests_in(bench.sent_on("a"), number))
        await asyncio.sleep(30)
        assert len(requests_in(bench.sent_on("a"), number)) - seen <= 6, "and then left in peace"


async def test_bleeding_goes_on_for_a_module_that_was_away_while_its_lease_lasts() -> None:
    async with battery(buses=ONE) as bench:
        bench.driver.bleed({"a5": 1}, until_s=1000)
        await asyncio.sleep(3)
        bench.twins["a"].silent.add(5)
        await asyncio.sleep(4)
        bench.twins["a"].silent.clear()
        await asyncio.sleep(5)
        assert bench.world.bled == {"a5": 1}


async def test_a_bus_that_is_dead_at_the_start_is_ended_as_soon_as_it_lives() -> None:
    bench = Bench({"buses": ONE})
    bench.plug("a", plugged=False)
    task = asyncio.create_task(bench.driver.run())
    await asyncio.sleep(5)
    assert ends_in(bench.sent_on("a")) == 0
    bench.plug("a", plugged=True)
    await asyncio.sleep(1.1)
    ended = ends_in(bench.sent_on("a"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert ended >= 1


async def test_a_request_cut_in_half_is_followed_by_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        link = bench.links.can("can_a")
        sent, plugged_send = 0, link.send

        def send_half(frame: CanFrame) -> None:
            nonlocal sent
            plugged_send(frame)
            sent += frame.can_id == 0x1A555412
            if sent:
                bench.plug("a", plugged=False)
                bench.twins["a"].receive(frame)

        monkeypatch.setattr(link, "send", send_half)
        bench.driver.bleed({"a5": 1}, until_s=bench.clock.now_s() + 1)
        await asyncio.sleep(3)
        assert bench.world.bled == {"a5": 1}
        monkeypatch.undo()
        bench.plug("a", plugged=True)
        await asyncio.sleep(1)
        assert bench.world.bled == {"a5": 0}


async def test_module_3_is_asked_by_its_generation_and_stopped_on_both() -> None:
    buses = {"a": {"link": "x", "modules": [3]}, "b": {"link": "y", "modules": [3]}}
    buses["b"]["modules"] = [{"number": 3, "variant": "standard"}]
    async with battery(buses=buses) as bench:
        await asyncio.sleep(1)
        seen = len(bench.sent)
        bench.driver.bleed({"a3": 1, "b3": 1}, until_s=1000)
        await asyncio.sleep(1)
        asked = {key: {f.can_id for bus, _, f in bench.sent[seen:] if bus == key} for key in "ab"}
        assert asked["a"] == {0x0BA, 0x1A55541E, 0x1A55541F}
        assert asked["b"] == {0x0BA, 0x1A55540E, 0x1A55540F}
        seen = len(bench.sent)
        bench.driver.bleed({}, until_s=1000)
        await asyncio.sleep(1)
        stopped = {f.can_id: f.data.hex() for _, _, f in bench.sent[seen:] if f.is_extended}
        assert set(stopped) == {0x1A55540E, 0x1A55540F, 0x1A55541E, 0x1A55541F}
        assert set(stopped.values()) == {"00" * 8, "00000000fefefefe"}


async def test_a_wrong_variant_is_found_by_the_status_bits() -> None:
    buses = {"a": {"link": "x", "modules": [{"number": 3, "variant": "standard"}]}}
    async with battery(buses=buses) as bench:
        old_pack = ids.request_ids(3, "gte_gen1")
        module = bench.twins["a"].modules[0]
        bench.twins["a"]._requests = {old_pack[0]: (module, 0), old_pack[1]: (module, 8)}
        bench.driver.bleed({"a3": 0b101}, until_s=1000)
        await asyncio.sleep(5)
        assert bench.reports.log == []
        await asyncio.sleep(4)
        text = bench.reports.active["bleed_mismatch", "a3"]
        assert text == "asked to bleed cells 1, 3, bleeds cells none"
        bench.driver.bleed({}, until_s=1000)
        await asyncio.sleep(2)
        assert bench.reports.active == {}


async def test_old_status_accuses_nobody() -> None:
    async with battery(buses=ONE) as bench:
        await asyncio.sleep(2)
        bench.twins["a"].no_temperature.add(5)
        bench.driver.bleed({"a5": 1}, until_s=1000)
        await asyncio.sleep(60)
        assert bench.reports.log == []


async def test_a_status_from_before_the_request_does_not_count() -> None:
    async with battery(buses=ONE) as bench:
        bench.twins["a"].no_temperature.add(5)
        await asyncio.sleep(1)
        await say(bench, temperature(5, 120))
        await asyncio.sleep(6)
        bench.driver.bleed({"a5": 1}, until_s=1000)
        await asyncio.sleep(1)
        await say(bench, temperature(5, 120))
        await asyncio.sleep(1)
        await say(bench, temperature(5, 120, bleeding=1))
        await asyncio.sleep(1)
        assert bench.reports.log == []


async def test_unsure_status_bits_of_meb_modules_accuse_nobody() -> None:
    async with battery(buses=ONE, variant="meb") as bench:
        bench.twins["a"]._requests = {}
        bench.driver.bleed({"a5": 1}, until_s=1000)
        await asyncio.sleep(20)
        assert bench.reports.log == []


async def test_cells_and_modules_that_do_not_exist_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    buses = {"a": {"link": "x", "modules": [5, 14]}}
    async with battery(buses=buses) as bench:
        for _ in range(3):
            bench.driver.bleed({"a5": 1 << 12 | 1, "a14": 1, "z9": 1}, until_s=1000)
            await asyncio.sleep(2)
        assert bench.world.bled == {"a5": 1}
        assert {f.can_id for _, _, f in bench.sent if any(f.data[:2]) and f.is_extended} == {
            0x1A555412
        }
        bench.driver.bleed({"a5": -1}, until_s=1000)
        await asyncio.sleep(2)
        assert bench.world.bled == {"a5": 0}
    assert capsys.readouterr().out.count("balancing.refused") == 4


@pytest.mark.parametrize("until_s", [0.0, float("nan"), -1.0])
async def test_a_lease_that_is_over_bleeds_nothing(until_s: float) -> None:
    async with battery(buses=ONE) as bench:
        bench.driver.bleed({"a5": 1}, until_s=until_s)
        await asyncio.sleep(3)
        assert not any(
            any(map(int, h.replace("fe", ""))) for h in requests_in(bench.sent_on("a"), 5)
        )
        assert bench.world.bled == {}


async def test_a_lease_outlives_a_restart_of_the_driver() -> None:
    bench = Bench({"buses": ONE})
    bench.driver.bleed({"a5": 1}, until_s=1000)
    for _ in range(2):
        task = asyncio.create_task(bench.driver.run())
        await asyncio.sleep(2)
        assert bench.world.bled == {"a5": 1}
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bench.settle()
        assert bench.world.bled == {"a5": 0}


async def test_a_lease_does_not_outlive_a_stop() -> None:
    bench = Bench({"buses": ONE})
    bench.driver.bleed({"a5": 1}, until_s=1000)
    await bench.driver.stop()
    task = asyncio.create_task(bench.driver.run())
    await asyncio.sleep(2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bench.world.bled == {}


async def test_a_bug_still_ends_balancing_on_every_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench({"buses": REFERENCE})
    bench.driver.bleed({"a3": 1, "b3": 1}, until_s=1000)

    def broken(_now_s: float) -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(bench.driver.run())
    await asyncio.sleep(2)
    assert bench.world.bled == {"a3": 1, "b3": 1}
    monkeypatch.setattr(bench.driver._buses[0], "_notice", broken)
    with pytest.raises(ExceptionGroup):
        await task
    await bench.settle()
    assert bench.world.bled == {"a3": 0, "b3": 0}


async def test_stop_bears_a_dead_bus() -> None:
    bench = Bench({"buses": REFERENCE})
    bench.plug("a", plugged=False)
    before_s = bench.clock.now_s()
    await bench.driver.stop()
    await bench.settle()
    assert ends_in(bench.sent_on("b")) == 1
    assert bench.clock.now_s() - before_s < 0.1


# -- noise


async def test_noise_raises_nothing_and_never_shows_an_impossible_value(fuzz_frames: int) -> None:
    bench = Bench(
        {
            "buses": {
                "a": {"link": "x", "modules": [1, {"number": 2, "series_cells": 13}]},
                "b": {"link": "y", "modules": [{"number": 5, "variant": "meb"}, 14]},
            }
        }
    )
    rng = random.Random(2)
    known = [*ids.VOLTAGE, *ids.GTE_TEMPERATURE, *ids.S13_TEMPERATURE, *ids.MEB_TEMPERATURE]
    known += [*ids.MEB_BALANCE, *ids.REQUEST_IDS, ids.POLL_ID]
    for count in range(fuzz_frames):
        can_id = rng.choice(known) if rng.random() < 0.9 else rng.randrange(1 << 29)
        is_extended = can_id > 0x7FF if rng.random() < 0.95 else rng.random() < 0.5
        data = rng.randbytes(8 if rng.random() < 0.9 else rng.randrange(12))
        frame = CanFrame(can_id, data, is_extended, rng.random() < 0.02, rng.random() < 0.02)
        bench.driver._buses[count & 1].receive(frame)
        if count % 50 == 0:
            await asyncio.sleep(rng.random())
            assert_sane(bench.driver, bench.clock.now_s())


def assert_sane(driver: VwGteCells, now_s: float) -> None:
    for reading in driver.modules():
        size = len(reading.cell_v)
        assert len(reading.cell_at_s) == size in (12, 13)
        assert reading.suspect >> size == reading.bleeding >> size == 0
        for volt, at_s in zip(reading.cell_v, reading.cell_at_s, strict=True):
            assert volt is None or (1.0 <= volt <= 5.091 and at_s is not None and at_s <= now_s)
        for temp in reading.temps:
            assert -43 <= temp.low_c <= temp.high_c <= 86
