from __future__ import annotations

import pickle
from array import array
from typing import Any

import pytest

from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.dpl import Dpl
from gridzero.bench.control.laws.kev300 import PullRequest122, PullRequest140
from gridzero.bench.control.laws.law import Every, HearsOutput, OutputReport, SeesLoad, Setting
from gridzero.bench.control.laws.openems import OpenEms, PidFilter
from gridzero.bench.control.laws.ours import Ours, RectifierWord
from gridzero.bench.control.laws.perfect import detour_pays
from gridzero.bench.control.laws.reference_esp32 import ReferenceEsp32
from gridzero.bench.control.laws.simple import Simc
from gridzero.bench.control.laws.syssi import negative_measurements
from gridzero.bench.control.plants import METERS, PLANTS, InverterRow
from gridzero.bench.control.simulate import simulate
from gridzero.bench.control.traces import TRACES, Trace
from gridzero.domain.readings import ConverterState


def setting(plant: str = "house", load_w: float = 400.0, seconds: float = 60.0) -> Setting:
    trace = Trace("flat", array("d", [load_w]) * round(seconds * 10))
    return Setting(PLANTS[plant], METERS["0.5s"], trace)


@pytest.mark.parametrize(
    ("reading_w", "demand_w"),
    [(1010, 900), (410, 900), (310, 800), (20, 510), (10, 500), (-190, 300), (-490, 0), (-690, 0)],
)
def test_the_virtual_meter_keeps_its_published_check_values(reading_w: int, demand_w: int) -> None:
    found_w = negative_measurements(reading_w, 500, buffer_w=10, min_w=100, max_w=900)
    assert found_w == demand_w


def test_without_zero_output_the_virtual_meter_stops_at_its_minimum() -> None:
    found_w = negative_measurements(
        -490, 500, buffer_w=10, min_w=100, max_w=900, zero_output_on_min=False
    )
    assert found_w == 100


def test_the_virtual_meter_does_not_add_up_readings_between_two_sends() -> None:
    law = LAWS["syssi-3s"].make(setting())
    law.command(0.0)
    for at_s in (0.5, 1.0, 1.5):
        law.on_meter(at_s, 110.0)
        assert law.command(at_s) == 0
    assert law.command(3.0) == 110


def test_pull_request_122_does_not_add_a_step_that_is_not_seen_yet() -> None:
    law = PullRequest122(setting())
    law.on_meter(0.0, 410.0)
    assert law.command(0.0) == 410
    law.on_meter(0.5, 405.0)  # the step is still on its way
    assert law.command(0.5) == 410
    law.on_meter(1.5, 30.0)  # most of it has arrived
    assert law.command(1.5) == 440


def test_pull_request_122_gives_up_waiting_after_four_seconds() -> None:
    law = PullRequest122(setting())
    law.on_meter(0.0, 110.0)
    law.on_meter(4.1, 110.0)
    assert law.command(4.1) == 220


def test_pull_request_140_takes_off_what_is_not_seen_and_forgets_when_the_sign_turns() -> None:
    law = PullRequest140(setting())
    law.on_meter(0.0, 310.0)
    assert law.command(0.0) == 310
    law.on_meter(0.5, 410.0)
    assert law.command(0.5) == 410
    law.on_meter(1.0, -40.0)
    assert law.command(1.0) == 370


def esp32(flows_w: float = 0.0) -> ReferenceEsp32:
    law = ReferenceEsp32(setting())
    law.on_output(0.0, OutputReport(0.0, max(flows_w, 0.0), max(-flows_w, 0.0)))
    return law


@pytest.mark.parametrize(("grid_w", "starts"), [(59.0, False), (60.0, True)])
def test_the_reference_controller_starts_to_discharge_at_60_w(grid_w: float, starts: bool) -> None:
    law = esp32()
    law.on_meter(0.0, grid_w)
    assert (law.command(0.0) > 0) is starts


@pytest.mark.parametrize(("grid_w", "starts"), [(-318.0, False), (-319.0, True)])
def test_the_reference_controller_starts_to_charge_at_319_w(grid_w: float, starts: bool) -> None:
    law = esp32()
    law.on_meter(0.0, grid_w)
    assert (law.command(0.0) < 0) is starts


def test_the_reference_controller_integrates_with_bias_while_current_flows() -> None:
    law = esp32(flows_w=300.0)
    law.demand_w = 300
    law.on_meter(0.0, 120.0)
    assert law.command(0.0) == 300 + int(0.85 * 100)


def test_the_reference_controller_starts_charging_with_80_percent_for_8_5_seconds() -> None:
    law = esp32()
    law.on_meter(0.0, -1000.0)
    assert law.command(0.0) == pytest.approx(-0.8 * 850)
    law.on_meter(8.0, -2000.0)  # ignored
    assert law.command(8.6) == -850


def test_the_reference_controller_leaves_the_inverter_to_its_time_out() -> None:
    law = esp32(flows_w=200.0)
    law.on_meter(0.0, 300.0)
    given_w = law.command(0.0)
    law.on_meter(1.0, -400.0)
    law.on_meter(1.1, 0.0)
    assert law.command(2.0) == given_w
    assert law.command(5.0) == 0.0


def test_the_power_limiter_waits_for_acknowledgement_statistics_and_a_newer_reading() -> None:
    law = Dpl(setting())
    law.on_output(0.0, OutputReport(0.0, 0.0, 0.0))
    law.on_meter(2.5, 300.0)
    assert law.command(2.5) == 300.0
    law.on_output(3.3, OutputReport(3.0, 57.0, 0.0))  # older than the acknowledgement
    law.on_meter(5.5, 200.0)
    assert law.command(5.5) == 300.0
    law.on_output(5.6, OutputReport(5.5, 200.0, 0.0))
    law.on_meter(7.5, 50.0)  # not 2 s newer
    assert law.command(7.5) == 300.0
    law.on_meter(7.7, 50.0)
    assert law.command(7.7) == 350.0


def test_the_charger_law_rests_while_the_inverter_gives() -> None:
    law = Dpl(setting())
    law.on_output(0.0, OutputReport(0.0, 300.0, 0.0))
    law.on_meter(0.5, -500.0)
    assert law.command(0.5) == 0.0
    law.on_output(1.0, OutputReport(1.0, 0.0, 0.0))
    law.on_meter(1.5, -500.0)
    assert law.command(1.5) == pytest.approx(-475.0)


def test_the_pid_filter_rests_on_its_sum() -> None:
    pid = PidFilter(-1000.0, 1000.0)
    assert pid.apply(0.0, 400.0) == pytest.approx(0.3 * 400)
    assert pid.apply(100.0, 400.0) == pytest.approx(0.3 * 300 + 0.3 * 400 - 0.1 * 100)
    assert pid.apply(500.0, 500.0) == 500.0


def test_openems_without_filter_adds_grid_and_output_once_a_second() -> None:
    law = OpenEms(setting(), pid=False)
    law.on_output(0.0, OutputReport(0.0, 100.0, 0.0))
    law.on_meter(0.0, 50.0)
    assert law.command(0.0) == pytest.approx(150.0 / 0.96)  # AC output, as demand
    law.on_meter(0.5, 90.0)
    assert law.command(0.5) == pytest.approx(150.0 / 0.96)
    assert law.command(1.0) == pytest.approx(190.0 / 0.96)


def test_the_integrator_uses_the_time_between_readings() -> None:
    law = Simc(setting(), theta_s=2.0)
    law.on_meter(0.0, 100.0)
    assert law.command(0.0) == pytest.approx(100.0 * 0.5 / 4.0)
    law.on_meter(1.0, 100.0)
    assert law.command(1.0) == pytest.approx(12.5 + 25.0)


def test_a_timer_is_due_once_a_period() -> None:
    every = Every(1.1)
    due_s = [step / 2 for step in range(6) if every.due(step / 2)]
    assert due_s == [0.0, 1.5]


@pytest.mark.parametrize(
    ("from_w", "to_w", "pays"),
    [
        (800.0, 100.0, True),  # 2450 W s down the ramp, 12 by way of zero
        (600.0, 500.0, False),  # 50 down the ramp, 1300 by way of zero
        (100.0, 200.0, False),
        (400.0, 0.0, False),  # zero is no detour
    ],
)
def test_the_way_over_zero_is_taken_when_it_is_shorter(
    from_w: float, to_w: float, pays: bool
) -> None:
    assert detour_pays(InverterRow(), from_w, to_w) is pays
    assert not detour_pays(InverterRow(zero_at_once=False), from_w, to_w)


def test_the_rectifier_says_what_it_is_doing() -> None:
    word = RectifierWord(PLANTS["house"].rectifier)
    assert word.state(0.0) is ConverterState.OFF
    word.sent(1.0, 500.0)
    assert word.state(5.0) is ConverterState.STARTING
    assert word.state(11.5) is ConverterState.RUNNING
    word.sent(20.0, 0.0)
    word.heard(OutputReport(19.9, 0.0, 20.0))
    assert word.state(20.1) is ConverterState.STOPPING
    word.heard(OutputReport(20.5, 0.0, 0.0))
    assert word.state(20.6) is ConverterState.OFF


def test_ours_covers_a_constant_load_and_takes_a_constant_surplus() -> None:
    row = LAWS["gridzero"]
    covered = simulate(row, setting(load_w=400.0), seed=1)
    assert covered.battery_w[-1] == pytest.approx(400.0, abs=5.0)
    taken = simulate(row, setting(load_w=-900.0), seed=1)
    assert taken.battery_w[-1] == pytest.approx(-900.0, abs=5.0)
    alone = simulate(row, setting("discharge", load_w=-900.0), seed=1)
    assert set(alone.battery_w) == {0.0}


def test_only_the_yardsticks_know_too_much() -> None:
    knowing = [name for name, row in LAWS.items() if row.knows]
    assert knowing == ["perfect-model", "perfect-no-idle", "clairvoyant"]
    assert next(iter(LAWS)) == "gridzero"
    honest = [row.make(setting()) for row in LAWS.values() if not row.knows]
    assert not any(isinstance(law, SeesLoad) for law in honest)


def stepped() -> Setting:
    levels: Any = [600.0] * 400 + [100.0] * 400
    return Setting(PLANTS["house"], METERS["0.5s"], Trace("step", array("d", levels)))


def mean_error(name: str, case: Setting) -> float:
    run = simulate(LAWS[name], case, seed=1)
    pairs = zip(case.trace.net_load_w, run.battery_w, strict=True)
    return sum(abs(load_w - own_w) for load_w, own_w in pairs) / len(run.battery_w)


def test_who_knows_more_does_better() -> None:
    case = stepped()
    real = [mean_error(name, case) for name, row in LAWS.items() if not row.knows]
    perfect, clairvoyant = mean_error("perfect-model", case), mean_error("clairvoyant", case)
    assert clairvoyant < perfect < max(real)
    assert clairvoyant < min(real)


def test_the_clairvoyant_has_the_rectifier_ready_when_the_surplus_comes() -> None:
    levels: Any = [0.0] * 200 + [-1000.0] * 300
    case = Setting(PLANTS["house"], METERS["0.5s"], Trace("sun", array("d", levels)))
    run = simulate(LAWS["clairvoyant"], case, seed=1)
    assert run.battery_w[201] < -48.0
    assert run.battery_w[260] == pytest.approx(-1000.0, abs=15.0)


def test_openems_sets_the_rectifier_in_its_own_watts() -> None:
    law = OpenEms(setting(), pid=False)
    law.on_meter(0.0, -500.0)
    assert law.command(0.0) == -500.0


def test_the_damped_step_comes_once_a_second_and_in_whole_watts() -> None:
    law = LAWS["victron-0.3"].make(setting())
    law.on_meter(0.0, 101.0)
    assert law.command(0.0) == 30.0
    law.on_meter(0.5, 71.0)
    assert law.command(0.5) == 30.0
    assert law.command(1.0) == 51.0


@pytest.mark.parametrize(
    "name", ["victron-0.3", "syssi-3s", "pr122", "pr140", "openems", "dpl", "simc-1.5"]
)
def test_a_published_law_that_is_calm_covers_a_constant_load(name: str) -> None:
    """A buffer or a lost gain would make the comparison unfair."""
    run = simulate(LAWS[name], setting(load_w=400.0), seed=1)
    late_w = run.battery_w[300:]
    assert sum(late_w) / len(late_w) == pytest.approx(400.0, abs=4.0)


def test_the_published_laws_are_those_with_a_project_behind_them() -> None:
    public = {name for name, row in LAWS.items() if row.public}
    assert public == LAWS.keys() - {
        *(
            "gridzero",
            "simc-1.5",
            "simc-2.2",
            "nothing",
            "perfect-model",
            "perfect-no-idle",
            "clairvoyant",
        )
    }
    assert [name for name, row in LAWS.items() if row.ours] == ["gridzero"]


def test_laws_that_are_told_the_output_are_marked() -> None:
    """Ours and the reference controller hear the rectifier and a shunt, which a house has."""
    told = {
        name
        for name, row in LAWS.items()
        if isinstance(row.make(setting()), HearsOutput) and name not in {"gridzero", "esp32"}
    }
    assert told == {name for name, row in LAWS.items() if row.telemetry}


def test_every_row_goes_to_another_process_and_comes_back() -> None:
    for rows in (LAWS, PLANTS, METERS, TRACES):
        for row in rows.values():
            again = pickle.loads(pickle.dumps(row))
            assert again.name == row.name


@pytest.mark.parametrize(("name", "idles"), [("perfect-model", True), ("perfect-no-idle", False)])
def test_the_perfect_model_keeps_the_rectifier_warm_or_not(name: str, idles: bool) -> None:
    levels: Any = ([-800.0] * 300 + [200.0] * 30) * 4
    case = Setting(PLANTS["house"], METERS["0.5s"], Trace("sun", array("d", levels)))
    run = simulate(LAWS[name], case, seed=1)
    assert (run.battery_w[330 * 3 + 320] == -48.0) is idles


def test_ours_takes_its_own_type_of_tuning() -> None:
    assert isinstance(LAWS["gridzero"].make(setting()), Ours)
