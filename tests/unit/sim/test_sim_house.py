"""The books of the house, against sums done by hand."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import pytest

from gridzero.ports.twins import World
from gridzero.sim.house import Books, House, Reach
from gridzero.sim.pack import Pack
from gridzero.sim.sources import Constant, steps
from gridzero.sim.summary import RunSummary, duration, summarise

HOUR_S = 3600.0
REACH = Reach(max_discharge_w=1000.0, max_charge_w=2000.0)


@dataclass
class Unit:
    """A converter that does what the test says."""

    ac_w: float = 0.0
    dc_a: float = 0.0


def house(
    load_w: float = 500.0,
    pv_w: float = 0.0,
    *,
    soc: float = 0.5,
    reach: Reach = REACH,
    modules: int = 4,
) -> House:
    pack = Pack({f"b{n}": 12 for n in range(1, modules + 1)}, soc=soc)
    return House(Constant(load_w), Constant(pv_w), pack, reach=reach)


def with_unit(home: House, ac_w: float) -> Unit:
    unit = Unit(ac_w, ac_w / 44.0)
    home.add_converter("unit", unit)
    return unit


def live(home: House, seconds: float, step_s: float = 1.0) -> Books:
    for _ in range(round(seconds / step_s)):
        home.step(step_s)
    return home.books


def test_the_house_is_a_world() -> None:
    home = house()
    world: World = home
    home.bleed("b1", 1)
    assert (world.mains_v, world.grid_w, world.battery_a) == (230.0, 500.0, 0.0)
    assert world.battery_v == pytest.approx(sum(world.cell_v("b1")))
    assert world.temp_c("b1") == 20.0
    assert home.pack.bleeding("b1") == 1


def test_grid_is_load_minus_sun_minus_battery() -> None:
    home = house(load_w=900.0, pv_w=300.0)
    with_unit(home, 200.0)
    home.step(1.0)
    assert (home.grid_w, home.battery_w, home.now_s) == (400.0, 200.0, 1.0)
    assert home.battery_a == pytest.approx(200.0 / 44.0)


def test_what_is_bought_could_have_been_covered_up_to_the_reach() -> None:
    books = live(house(load_w=1500.0), HOUR_S)
    assert books.import_wh == pytest.approx(1500.0)
    assert books.avoidable_import_wh == pytest.approx(1000.0)
    assert books.export_wh == books.avoidable_export_wh == 0.0
    assert books.mean_abs_grid_w == pytest.approx(1500.0)
    assert books.mean_avoidable_w == pytest.approx(1000.0)


def test_what_the_battery_gives_already_is_not_counted_as_avoidable() -> None:
    home = house(load_w=1500.0)
    with_unit(home, 900.0)
    books = live(home, HOUR_S)
    assert books.import_wh == pytest.approx(600.0)
    assert books.avoidable_import_wh == pytest.approx(100.0)
    assert books.discharged_wh == pytest.approx(900.0)


def test_what_is_sold_could_have_been_stored_up_to_the_reach() -> None:
    home = house(load_w=0.0, pv_w=2500.0)
    with_unit(home, -300.0)
    books = live(home, HOUR_S)
    assert books.export_wh == pytest.approx(2200.0)
    assert books.avoidable_export_wh == pytest.approx(1700.0)
    assert books.charged_wh == pytest.approx(300.0)


def test_an_empty_pack_can_give_nothing_but_can_stop_charging() -> None:
    home = house(load_w=500.0, soc=0.02)
    unit = with_unit(home, 0.0)
    assert live(home, HOUR_S).avoidable_import_wh == 0.0
    unit.ac_w = -200.0  # buys 700 W, of which 200 W go into the battery
    assert live(home, HOUR_S).avoidable_import_wh == pytest.approx(200.0)


def test_a_full_pack_can_take_nothing_but_can_stop_giving() -> None:
    home = house(load_w=0.0, pv_w=500.0, soc=0.97)
    unit = with_unit(home, 0.0)
    assert live(home, HOUR_S).avoidable_export_wh == 0.0
    unit.ac_w = 100.0
    assert live(home, HOUR_S).avoidable_export_wh == pytest.approx(100.0)


def test_root_mean_square_weighs_spikes() -> None:
    home = House(steps((0.0, 0.0), (30.5, 1000.0)), Constant(0.0), Pack({"b1": 12}), reach=Reach())
    books = live(home, 60.0)
    assert books.rms_grid_w == pytest.approx(sqrt(30 / 60 * 1000.0**2))
    assert books.mean_abs_grid_w == pytest.approx(500.0)


def test_starts_count_from_rest_only() -> None:
    home = house()
    unit = with_unit(home, 0.0)
    for dc_a in (0.0, 0.1, 5.0, 9.0, 0.1, 5.0, 0.0, 5.0, 0.0, 0.0):
        unit.dc_a = dc_a
        home.step(1.0)
    assert home.books.starts == {"unit": 2}


def test_direction_changes_ignore_pauses_and_trickles() -> None:
    home = house()
    unit = with_unit(home, 0.0)
    for ac_w in (0.0, 300.0, 0.0, 200.0, -3.0, -400.0, 0.0, -100.0, 250.0):
        unit.ac_w = ac_w
        home.step(1.0)
    assert home.books.direction_changes == 2


def test_pack_energy_is_counted_at_the_terminals() -> None:
    home = house(modules=9)
    unit = with_unit(home, 0.0)
    unit.dc_a = 10.0
    live(home, 360.0)
    assert home.books.pack_out_wh == pytest.approx(44.4, abs=0.5)
    unit.dc_a = -10.0
    live(home, 360.0)
    assert home.books.pack_in_wh == pytest.approx(44.4, abs=0.5)


def test_the_day_may_start_at_noon() -> None:
    sun = steps((0.0, 0.0), (12 * HOUR_S, 3000.0))
    home = House(Constant(0.0), sun, Pack({"b1": 12}), time_of_day_s=12 * HOUR_S)
    assert (home.pv_w, home.grid_w, home.now_s) == (3000.0, -3000.0, 0.0)


def test_before_the_first_step_the_books_know_nothing() -> None:
    books = house().books
    assert books.mean_abs_grid_w is books.mean_avoidable_w is books.rms_grid_w is None


def test_the_summary_closes_the_books() -> None:
    home = house(load_w=1500.0, pv_w=100.0)
    with_unit(home, 900.0)
    live(home, HOUR_S)
    summary = summarise(
        home,
        waited_s=12.0,
        limits={"cell_low": 30.0, "inverter_maximum": 90.0},
        faults=["meter_lost", "link_down", "meter_lost"],
    )
    assert (summary.seconds, summary.speed) == (3600.0, 300.0)
    assert summary.mean_abs_grid_w == pytest.approx(500.0)
    assert summary.mean_avoidable_w == pytest.approx(100.0)
    assert summary.starts == {"unit": 1}
    assert summary.faults == ("meter_lost", "link_down")
    assert summary.soc == home.pack.soc


def test_the_summary_reads_as_a_table() -> None:
    home = house(load_w=1500.0)
    with_unit(home, 900.0)
    live(home, 2 * HOUR_S)
    limits = {"cell_low": 30.0, "inverter_maximum": 90.0}
    table = summarise(home, waited_s=24.0, limits=limits).table()
    rows = dict(line.split("  ", 1) for line in table.splitlines())
    rows = {label.strip(): value.strip() for label, value in rows.items()}
    assert rows["duration"] == "2 h 00 min"
    assert rows["speed"] == "300 x real time"
    assert rows["mean |grid|"] == "600.0 W"
    assert rows["bought, avoidable"] == "1,200.0 Wh, 200.0 Wh, 100.0 Wh/h"
    assert rows["starts of unit"] == "1, 0.5 per h"
    assert rows["faults"] == "none"
    assert list(rows).index("limit inverter_maximum") < list(rows).index("limit cell_low")


def test_the_summary_becomes_plain_values() -> None:
    home = house()
    live(home, 10.0)
    plain = summarise(home, limits={"cell_low": 1.0}, faults=["meter_lost"]).to_dict()
    assert RunSummary(**plain).mean_abs_grid_w == pytest.approx(500.0)
    assert (plain["limits"], plain["faults"]) == ({"cell_low": 1.0}, ["meter_lost"])
    assert plain["speed"] is None


def test_a_run_of_no_length_still_has_a_summary() -> None:
    table = summarise(house()).table()
    assert "mean |grid|" in table
    assert "Wh/h" not in table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (9.5, "9.5 s"),
        (200.0, "3 min 20 s"),
        (18000.0, "5 h 00 min"),
        (86400 * 2 + 3 * 3600.0, "2 d 3 h"),
    ],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
