"""The battery obeys physics: charge and energy are kept, modules share, resistors bleed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.sim.pack import Pack, PackModel, rest_v, stored_v

TWO = {"b1": 12, "b2": 12}
EQUAL = PackModel(capacity_spread=0.0, soc_spread=0.0, resistance_spread=0.0)


@given(soc=st.floats(-0.2, 1.2), more=st.floats(1e-6, 0.3))
def test_a_fuller_cell_has_a_higher_rest_voltage(soc: float, more: float) -> None:
    assert rest_v(soc + more) > rest_v(soc)


def test_the_rest_voltage_runs_from_3_to_4_2_volts_and_never_below_zero() -> None:
    assert rest_v(0.0) == 3.0
    assert rest_v(1.0) == pytest.approx(4.2)
    assert rest_v(0.5) == pytest.approx(3.702)
    assert rest_v(-5.0) == 0.0


@given(soc=st.floats(-0.1, 1.1))
def test_stored_energy_grows_by_the_rest_voltage(soc: float) -> None:
    slope = (stored_v(soc + 1e-5) - stored_v(soc - 1e-5)) / 2e-5
    assert slope == pytest.approx(rest_v(soc), abs=1e-3)


def test_an_hour_at_one_ampere_moves_one_ampere_hour() -> None:
    pack = Pack({"b1": 12}, soc=0.6, model=EQUAL)
    pack.advance(3600.0, 1.0)
    assert pack.soc == pytest.approx(0.6 - 1.0 / 25.0, abs=1e-6)


def test_charge_is_conserved_over_many_small_steps_and_all_modules() -> None:
    pack = Pack(TWO, soc=0.5, model=EQUAL)
    for step in range(6000):
        pack.advance(0.1, 30.0 if step % 2 else -10.0)
    given_ah = (30.0 - 10.0) / 2 * 600.0 / 3600.0
    assert pack.soc == pytest.approx(0.5 - given_ah / 50.0, abs=1e-5)


def test_terminal_voltage_falls_under_load_and_rises_while_charging() -> None:
    pack = Pack(TWO)
    rest = pack.terminal_v
    pack.advance(1.0, 40.0)
    loaded = pack.terminal_v
    pack.advance(1.0, -40.0)
    assert loaded < rest < pack.terminal_v


def test_the_voltage_recovers_slowly_after_a_load() -> None:
    pack = Pack(TWO, soc=0.55, model=EQUAL)
    pack.advance(120.0, 60.0)
    pack.advance(0.1, 0.0)
    just_after = pack.terminal_v
    pack.advance(200.0, 0.0)
    assert pack.terminal_v > just_after + 0.1


def test_the_cells_add_up_to_the_terminal_voltage() -> None:
    pack = Pack({"b1": 12, "c1": 12}, seed=5)
    pack.advance(7.3, 55.0)
    for module in pack.modules:
        assert sum(pack.cell_v(module)) == pytest.approx(pack.terminal_v, abs=1e-9)


def test_module_currents_add_up_to_the_battery_current() -> None:
    pack = Pack({f"b{n}": 12 for n in range(1, 10)}, seed=3)
    pack.advance(33.0, 47.0)
    assert sum(pack.module_a(module) for module in pack.modules) == pytest.approx(47.0)


def test_a_new_pack_is_at_rest() -> None:
    pack = Pack({f"b{n}": 12 for n in range(1, 10)}, seed=9)
    assert all(abs(pack.module_a(module)) < 0.05 for module in pack.modules)


def test_parallel_modules_equalise() -> None:
    pack = Pack(TWO, soc=0.5, model=EQUAL)
    for cell in range(1, 13):
        pack.set_cell_soc("b1", cell, 0.6)
    pack.advance(1.0, 0.0)
    assert pack.module_a("b1") > 1.0
    assert pack.module_a("b2") == pytest.approx(-pack.module_a("b1"))
    pack.advance(3600.0, 0.0)
    assert pack.cell_soc("b1")[0] == pytest.approx(0.55, abs=0.005)
    assert pack.cell_soc("b2")[0] == pytest.approx(0.55, abs=0.005)


def test_bleeding_lowers_only_that_cell() -> None:
    pack = Pack({"b1": 12}, soc=0.8, model=EQUAL)
    pack.bleed("b1", 0b100)
    assert pack.bleeding("b1") == 0b100
    pack.advance(3600.0, 0.0)
    socs = pack.cell_soc("b1")
    assert socs[2] == pytest.approx(0.8 - rest_v(0.8) / 40.0 / 25.0, abs=1e-4)
    assert [soc for i, soc in enumerate(socs) if i != 2] == [pytest.approx(0.8)] * 11


def test_bleeding_stops_when_told() -> None:
    pack = Pack({"b1": 12})
    pack.bleed("b1", 0xFFF)
    pack.advance(10.0, 0.0)
    bled_wh = pack.bled_wh
    pack.bleed("b1", 0)
    pack.advance(10.0, 0.0)
    assert pack.bled_wh == bled_wh > 0.0


@given(
    currents=st.lists(
        st.tuples(st.floats(1.0, 240.0), st.floats(-60.0, 60.0)), min_size=1, max_size=8
    ),
    bleed=st.integers(0, 0xFFF),
    seed=st.integers(0, 1000),
)
def test_energy_is_balanced(currents: list[tuple[float, float]], bleed: int, seed: int) -> None:
    """What left the cells went out of the terminals, into heat, or into a bleed resistor."""
    pack = Pack(TWO, soc=0.5, seed=seed)
    pack.bleed("b1", bleed)
    before_wh, out_wh, through_wh = pack.stored_wh, 0.0, 0.0
    for seconds, amps in currents:
        for _ in range(round(seconds)):
            pack.advance(1.0, amps)
            out_wh += pack.terminal_v * amps / 3600.0
            through_wh += abs(pack.terminal_v * amps) / 3600.0
    lost_wh = pack.heat_wh + pack.bled_wh
    assert before_wh - pack.stored_wh == pytest.approx(
        out_wh + lost_wh, abs=0.002 + 0.001 * through_wh
    )


def test_a_cold_pack_sags_more() -> None:
    drops_v = []
    for temp_c in (-10.0, 25.0):
        pack = Pack({"b1": 12}, temp_c=temp_c)
        rest = pack.terminal_v
        pack.advance(1.0, 25.0)
        drops_v.append(rest - pack.terminal_v)
    assert drops_v[0] > 1.5 * drops_v[1]


def test_current_warms_and_rest_cools() -> None:
    pack = Pack({"b1": 12}, soc=0.9, temp_c=20.0)
    pack.advance(1200.0, 50.0)
    warm_c = pack.temp_c("b1")
    pack.advance(7200.0, 0.0)
    assert warm_c > 21.0
    assert 20.0 < pack.temp_c("b1") < warm_c


def test_an_abused_cell_goes_beyond_its_limits_so_that_guards_can_be_tried() -> None:
    pack = Pack({"b1": 12}, soc=0.98)
    pack.advance(600.0, -25.0)
    assert pack.max_rest_v > 4.2
    pack.set_cell_soc("b1", 4, -0.05)
    assert pack.cell_v("b1")[3] == min(pack.cell_v("b1")) < 3.0


def test_shifting_the_charge_keeps_the_spread() -> None:
    pack = Pack({"b1": 12}, seed=4)
    spread = max(pack.cell_soc("b1")) - min(pack.cell_soc("b1"))
    pack.set_soc(0.9)
    assert pack.soc == pytest.approx(0.9)
    assert max(pack.cell_soc("b1")) - min(pack.cell_soc("b1")) == pytest.approx(spread)


def test_a_module_can_be_chilled_at_once() -> None:
    pack = Pack(TWO)
    pack.set_temp_c("b2", -15.0)
    assert (pack.temp_c("b1"), pack.temp_c("b2")) == (20.0, -15.0)


def test_the_same_seed_gives_the_same_cells() -> None:
    assert Pack(TWO, seed=7).cell_v("b2") == Pack(TWO, seed=7).cell_v("b2")
    assert Pack(TWO, seed=7).cell_v("b2") != Pack(TWO, seed=8).cell_v("b2")


def test_one_long_step_is_like_many_short_ones() -> None:
    long, short = Pack(TWO), Pack(TWO)
    long.advance(60.0, 20.0)
    for _ in range(600):
        short.advance(0.1, 20.0)
    assert long.soc == pytest.approx(short.soc, abs=1e-9)
    assert long.terminal_v == pytest.approx(short.terminal_v, abs=0.02)


@pytest.mark.parametrize("modules", [{}, {"b1": 0}])
def test_a_pack_without_cells_is_refused(modules: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Pack(modules)


def test_long_steps_are_the_same_physics() -> None:
    """An hour with a change of current and a bleeding cell, in steps of 1 s and of 20 s."""
    fine, coarse = (Pack({"b1": 12, "b2": 12}, soc=0.7) for _ in range(2))
    for pack, step_s in ((fine, 1.0), (coarse, 20.0)):
        pack.bleed("b1", 0b1)
        pack.advance(1800.0, 20.0, step_s=step_s)
        pack.advance(1800.0, -10.0, step_s=step_s)
    assert coarse.cell_soc("b1") == pytest.approx(fine.cell_soc("b1"), abs=2e-5)
    # voltages are those of the beginning of the last step
    assert coarse.cell_v("b2") == pytest.approx(fine.cell_v("b2"), abs=2e-3)
    assert coarse.temp_c("b1") == pytest.approx(fine.temp_c("b1"), abs=0.02)


@pytest.mark.parametrize("step_s", [0.0, -1.0, 21.0, float("nan")])
def test_steps_that_would_break_the_physics_are_refused(step_s: float) -> None:
    with pytest.raises(ValueError, match="step"):
        Pack({"b1": 12}).advance(10.0, 0.0, step_s=step_s)
