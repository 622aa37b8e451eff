from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from gridzero.bench.control import picture
from gridzero.bench.control.ablate import without
from gridzero.bench.control.arguments import add
from gridzero.bench.control.command import run
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.simulate import simulate
from gridzero.bench.control.traces import TRACES
from gridzero.control.switches import PARTS
from gridzero.errors import ConfigError

QUICK = ("--hours", "0.02")


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add(parser)
    return run(parser.parse_args(words))


@pytest.mark.parametrize("name", LAWS)
def test_every_law_repeats_itself_with_the_same_seed(name: str) -> None:
    plant = PLANTS["house"]
    setting = Setting(plant, METERS["0.5s"], TRACES["ramps"].make(plant, 1, 60.0))
    first, again = (simulate(LAWS[name], setting, seed=4).battery_w for _ in range(2))
    assert first == again


@pytest.mark.parametrize("plant", PLANTS)
def test_every_plant_and_meter_can_be_run(plant: str) -> None:
    row = PLANTS[plant]
    for meter in METERS.values():
        setting = Setting(row, meter, TRACES["random"].make(row, 1, 20.0))
        assert len(simulate(LAWS["gridzero"], setting, seed=1).battery_w) == 200


def test_another_seed_is_another_noise() -> None:
    setting = Setting(
        PLANTS["house"], METERS["0.5s"], TRACES["constant"].make(PLANTS["house"], 1, 60.0)
    )
    one, two = (simulate(LAWS["simc-2.2"], setting, seed=seed).battery_w for seed in (1, 2))
    assert one != two


@pytest.mark.slow
def test_everything_runs_in_one_table_of_120_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--traces", "all", *QUICK) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    start = lines.index("steps (0.02 h) on house, meter 0.5s")
    assert lines[start + 2].startswith("gridzero ")
    assert any("*" in line for line in lines[start + 2 : start + 16])
    for name in LAWS:
        assert any(line.startswith(f"{name} ") for line in lines)


def test_json_holds_what_the_table_shows(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--plants", "discharge,lag", "--traces", "steps", "--laws", "gridzero,nothing")
    assert command(*words, "--seeds", "1,2", "--json", *QUICK) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["seeds"] == [1, 2]
    assert [case["plant"] for case in document["cases"]] == ["discharge", "lag"]
    ours, nothing = document["cases"][0]["laws"]
    assert ours["law"] == "gridzero"
    assert ours["mean_w"] < nothing["mean_w"]
    assert ours["index"]["control"] > nothing["index"]["control"]
    assert nothing["travel_kw_h"] == 0.0


def test_a_file_is_the_only_trace_unless_others_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load = tmp_path / "kitchen.csv"
    load.write_text("time_s,power_w\n0,300\n30,700\n60,300\n")
    assert command("--load", str(load), "--laws", "gridzero,simc-1.5") == 0
    shown = capsys.readouterr().out
    assert "kitchen (0.0167 h) on house" in shown
    assert "steps (" not in shown
    command("--load", str(load), "--traces", "constant", "--laws", "nothing", *QUICK)
    shown = capsys.readouterr().out
    assert "kitchen (" in shown
    assert "constant (" in shown


def test_a_constant_sun_is_taken_off_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load = tmp_path / "kitchen.csv"
    load.write_text("time_s,power_w\n0,300\n60,300\n")
    words = ("--load", str(load), "--minus", "1000", "--laws", "nothing", "--json")
    assert command(*words) == 0
    case = json.loads(capsys.readouterr().out)["cases"][0]
    assert case["trace"] == "kitchen-minus-1000W"
    assert case["laws"][0]["export_wh_h"] == pytest.approx(700.0)


def test_the_result_does_not_depend_on_the_number_of_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--traces", "random,ramps", "--laws", "gridzero,dpl,nothing", "--seeds", "1,2")
    assert command(*words, *QUICK, "--json") == 0
    one = capsys.readouterr().out
    assert command(*words, *QUICK, "--json", "--jobs", "2") == 0
    assert capsys.readouterr().out == one


def test_rows_without_parts_stand_below_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--traces", "steps", "--laws", "gridzero,dpl", *QUICK)
    assert command(*words, "--without", "trim", "--without", "jumps,zero_cross_hold") == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split("  ")[0] for line in lines[2:6]]
    assert names == ["gridzero", "gridzero -trim", "gridzero -jumps -zero_cross_hold", "dpl"]


@pytest.mark.slow
def test_ablation_has_a_row_for_each_part_and_a_column_for_each_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--traces", "steps,random", "--meters", "0.5s,spiky", "--ablate", "--hours", "0.01")
    assert command(*words) == 0
    shown = capsys.readouterr().out
    for part in PARTS:
        assert shown.count(f"\n-{part} ") == 2
    assert "steps, 0.5s" in shown
    assert "random, spiky" in shown
    assert command(*words, "--markdown") == 0
    assert "| -trim" in capsys.readouterr().out


def test_a_switch_that_is_off_changes_what_the_law_does() -> None:
    plant = PLANTS["house"]
    setting = Setting(plant, METERS["0.5s"], TRACES["random"].make(plant, 1, 300.0))
    whole, part = (
        simulate(row, setting, seed=1).battery_w
        for row in (LAWS["gridzero"], without("zero_cross_hold"))
    )
    assert whole != part


def test_markdown_has_tables_for_errors_starts_and_steps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--traces", "steps,hob", "--plants", "house,discharge", "--markdown")
    assert command(*words, "--laws", "gridzero,esp32,dpl,nothing", *QUICK) == 0
    shown = capsys.readouterr().out
    for plant in ("house", "discharge"):
        assert f"Plant `{plant}`, meter `0.5s`: mean avoidable error, W" in shown
    assert shown.count("Starts of converters per hour") == 2
    assert shown.count("After the steps of `steps`") == 2
    rows = [line for line in shown.splitlines() if line.startswith("| **gridzero**")]
    assert len(rows) == 6
    assert "| *nothing*" in shown


def test_quick_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--quick", "--laws", "nothing") == 0
    titles = [line for line in capsys.readouterr().out.splitlines() if " on house" in line]
    assert len(titles) == 5
    assert all("(0.25 h)" in title for title in titles)


def test_the_list_names_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--list") == 0
    shown = capsys.readouterr().out
    for rows in (PLANTS, METERS, TRACES, LAWS):
        assert all(f"  {name}" in shown for name in rows)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--laws", "magic"), "unknown: magic"),
        (("--plants", ","), "nothing is named"),
        (("--traces", "steps,nowhere"), "unknown: nowhere"),
        (("--seeds", "one"), "no list of whole numbers"),
        (("--hours", "0"), "0 h"),
        (("--hours", "nan"), "nan h"),
        (("--jobs", "0"), "0"),
        (("--without", "magic"), "no such part: magic"),
        (("--without", ","), "nothing is named"),
        (("--goals", "--data", "/nowhere"), "there is no load"),
        (("--window", "300:60"), "no span"),
        (("--window", "soon"), "no span"),
    ],
)
def test_what_cannot_be_is_said(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        command(*words)


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(picture, "import_module", missing)
    with pytest.raises(ConfigError, match=r"gridzero\[plot\]"):
        command("--traces", "steps", "--laws", "nothing", "--plot", str(tmp_path / "a.png"), *QUICK)


@pytest.mark.parametrize(
    ("places", "moved"),
    [
        ([0.5, 0.2], [0.5, 0.2]),
        ([0.5, 0.5, 0.5], [0.4, 0.5, 0.6]),
        ([1.0, 1.0], [0.9, 1.0]),
        ([0.0, 0.0], [0.0, 0.1]),
    ],
)
def test_names_at_the_ends_of_lines_are_moved_apart(
    places: list[float], moved: list[float]
) -> None:
    assert picture.spread_out(places, 0.1) == pytest.approx(moved)


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "laws.png"
    words = ("--traces", "steps,hob", "--laws", "gridzero,dpl", "--window", "0:60")
    assert command(*words, "--plot", str(file), *QUICK) == 0
    assert file.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match="png"):
        command(*words, "--plot", str(tmp_path / "nowhere" / "laws.png"), *QUICK)


def test_a_row_with_prices_shows_what_errors_cost(capsys: pytest.CaptureFixture[str]) -> None:
    both = ("--outlook", "emptying", "--outlook", "filling")
    assert command("--traces", "steps", "--laws", "gridzero", *both, *QUICK) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(word in lines[1] for word in ("sell", "dry", "wet"))
    assert [line.split()[1] for line in lines[3:5]] == ["emptying", "filling"]


def test_an_outlook_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="rainy"):
        command("--outlook", "rainy", *QUICK)
