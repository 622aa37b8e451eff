"""How the simulated inverter follows its demand."""

from __future__ import annotations

import pytest
from soyosource_bench import House

from gridzero_drivers.soyosource import plugin
from gridzero_drivers.soyosource.codec import QUERY, Demand, OperationStatus, Status, parse_status
from gridzero_drivers.soyosource.options import SoyosourceOptions
from gridzero_drivers.soyosource.twin import LOSS_CHOICES_S, SoyosourceTwin

# battery current per frame of about 1 s after a demand of 900 W (section 3.1), A
RECORDED_RAMP_A = (1.4, 3.4, 5.3, 7.1, 9.1, 11.1, 12.7, 14.5, 16.2, 18.0, 19.7, 21.4, 21.9)


def make(house: House | None = None, loss_s: float = 3.5, **options: float) -> SoyosourceTwin:
    settings = SoyosourceOptions.model_validate({"link": "rs485", **options})
    return SoyosourceTwin(settings, house or House(), loss_s=loss_s)


def hold(twin: SoyosourceTwin, power_w: int, seconds: float, step_s: float = 0.1) -> bytes:
    """Send the demand each 0.5 s for some time; returns what the twin sent."""
    heard, frame, steps = b"", Demand(power_w).to_bytes(), round(seconds / step_s)
    for step in range(steps):
        if step % round(0.5 / step_s) == 0:
            twin.receive(frame)
        heard += twin.advance(step_s)
    return heard


def test_the_ramp_to_900_w_is_the_recorded_one() -> None:
    twin = make(House(battery_v=46.0))
    hold(twin, 900, 0.3)
    ramp_a = []
    for _ in RECORDED_RAMP_A:
        ramp_a.append(twin.dc_a)
        hold(twin, 900, 1.0)
    assert ramp_a == pytest.approx(RECORDED_RAMP_A, rel=0.05, abs=0.45)
    assert twin.ac_w == pytest.approx(864.0)


def test_nothing_happens_within_the_dead_time_then_the_jump() -> None:
    twin = make()
    hold(twin, 500, 0.2)
    assert twin.ac_w == 0.0
    hold(twin, 500, 0.1)
    assert twin.ac_w == pytest.approx(57.0, abs=0.1)


def test_a_demand_below_the_jump_is_reached_at_once() -> None:
    twin = make()
    hold(twin, 40, 0.4)
    assert twin.ac_w == pytest.approx(0.96 * 40)


def test_it_falls_slowly_to_less_and_at_once_to_zero() -> None:
    twin = make()
    hold(twin, 900, 15.0)
    hold(twin, 300, 1.3)
    assert twin.ac_w == pytest.approx(864.0 - 100.0, abs=1.0)
    hold(twin, 0, 0.4)
    assert twin.ac_w == 0.0


@pytest.mark.parametrize("step_s", [0.01, 0.1, 0.25])
def test_the_step_of_time_does_not_change_the_physics(step_s: float) -> None:
    twin = make()
    hold(twin, 600, 4.0, step_s)
    assert twin.ac_w == pytest.approx(57.0 + 3.7 * 75.0, abs=1.0)


@pytest.mark.parametrize("loss_s", LOSS_CHOICES_S)
def test_without_frames_it_ends_after_its_own_time_out(loss_s: float) -> None:
    twin = make(loss_s=loss_s)
    hold(twin, 500, 10.0)
    twin.advance(loss_s - 0.6)
    assert twin.ac_w == pytest.approx(480.0)
    twin.advance(0.2)
    assert twin.ac_w == 0.0


def test_seeds_draw_either_time_out() -> None:
    options = SoyosourceOptions(link="rs485")
    drawn = {SoyosourceTwin(options, House(), seed).loss_s for seed in range(20)}
    assert drawn == set(LOSS_CHOICES_S)


@pytest.mark.parametrize(("system_v", "battery_v", "ratio"), [(48, 50.0, 0.89), (24, 25.0, 0.87)])
def test_the_battery_gives_what_was_measured(system_v: int, battery_v: float, ratio: float) -> None:
    twin = make(House(battery_v=battery_v), system_v=system_v)
    hold(twin, 500, 15.0)
    assert twin.dc_a * battery_v == pytest.approx(500 / ratio)


def test_all_units_on_the_wire_follow() -> None:
    twin = make(units=3)
    hold(twin, 300, 15.0)
    assert twin.ac_w == pytest.approx(3 * 288.0)
    assert twin.dc_a == pytest.approx(3 * 300 / 0.89 / 50.0)


def test_output_ends_at_the_cap() -> None:
    twin = make()
    hold(twin, 65535, 20.0)
    assert twin.ac_w == 900.0


def test_under_voltage_stops_it_and_the_restart_takes_its_delay() -> None:
    house = House()
    twin = make(house)
    hold(twin, 500, 10.0)
    house.battery_v = 42.9
    hold(twin, 500, 0.1)
    assert (twin.ac_w, twin.status_code) == (0.0, OperationStatus.STANDBY)
    house.battery_v = 43.5  # between stop and start: not yet
    hold(twin, 500, 20.0)
    assert twin.ac_w == 0.0
    house.battery_v = 44.0
    hold(twin, 500, 5.9)
    assert (twin.ac_w, twin.status_code) == (0.0, OperationStatus.STARTUP)
    hold(twin, 500, 10.0)
    assert twin.ac_w == pytest.approx(480.0)
    assert twin.status_code == OperationStatus.NORMAL


def test_without_mains_there_is_no_output_and_afterwards_the_delay() -> None:
    twin = make()
    hold(twin, 500, 10.0)
    twin.off_mains = True
    twin.receive(QUERY)
    status = parse_status(twin.advance(0.1))
    assert isinstance(status, Status)
    assert (twin.ac_w, status.grid_v, status.grid_hz) == (0.0, 0, 0.0)
    twin.off_mains = False
    hold(twin, 500, 5.9)
    assert twin.ac_w == 0.0
    hold(twin, 500, 10.0)
    assert twin.ac_w == pytest.approx(480.0)


def test_it_answers_a_query_with_real_bytes() -> None:
    twin = make()
    hold(twin, 600, 15.0)
    twin.receive(QUERY)
    assert twin.advance(0.01) == b""
    status = parse_status(twin.advance(0.05))
    assert isinstance(status, Status)
    assert status.code == OperationStatus.NORMAL
    assert status.battery_w == pytest.approx(600 / 0.89, rel=0.01)
    assert 22.0 < status.temp_c < 47.0
    assert twin.advance(1.0) == b""


@pytest.mark.parametrize("knob", ["silent", "boards_that_never_answer"])
def test_a_silent_unit_still_obeys(knob: str) -> None:
    twin = make()
    twin.silent = knob == "silent"
    twin.answers = knob == "silent"
    twin.receive(QUERY)
    assert hold(twin, 500, 10.0) == b""
    assert twin.ac_w == pytest.approx(480.0)


def test_a_stuck_unit_does_not_follow() -> None:
    twin = make()
    hold(twin, 500, 10.0)
    twin.stuck = True
    hold(twin, 0, 5.0)
    assert twin.ac_w == pytest.approx(480.0)


def test_slew_and_dead_time_can_be_turned() -> None:
    twin = make()
    twin.slew_scale, twin.dead_time_s = 0.5, 1.0
    hold(twin, 900, 0.9)
    assert twin.ac_w == 0.0
    hold(twin, 900, 2.1)
    assert twin.ac_w == pytest.approx(57.0 + 2.0 * 37.5, abs=1.0)


def test_a_wrong_checksum_is_obeyed_only_by_a_lenient_unit() -> None:
    wrong = Demand(500).to_bytes()[:-1] + b"\x00"
    options = SoyosourceOptions(link="rs485")
    strict = SoyosourceTwin(options, House())
    lenient = SoyosourceTwin(options, House(), strict_checksum=False)
    for twin in (strict, lenient):
        twin.receive(wrong)
        twin.advance(1.0)
    assert (strict.demand_w, lenient.demand_w) == (0, 500)


def test_a_frame_in_pieces_is_still_a_frame() -> None:
    twin = make()
    for byte in Demand(500).to_bytes():
        twin.receive(bytes([byte]))
    twin.advance(0.3)
    assert twin.demand_w == 500


def test_the_plugin_places_the_twin_on_its_link() -> None:
    device = plugin.twin(SoyosourceOptions(link="rs485-1"), House(), 5)
    twin = device.serial["rs485-1"]
    assert isinstance(twin, SoyosourceTwin)
    assert device.converters == (twin,)
    assert twin.advance(0.0) == b""


def test_a_flat_battery_gives_no_current() -> None:
    twin = make(House(battery_v=0.0))
    hold(twin, 500, 1.0)
    assert (twin.ac_w, twin.dc_a) == (0.0, 0.0)
