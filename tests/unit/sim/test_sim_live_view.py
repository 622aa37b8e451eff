"""The view shows what is known, a dash for what is not, and never breaks."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gridzero.domain.events import Event, Severity
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.sim.live_view import History, LiveView, UnitRow, ViewState, plain_line, watts

SIZES = [(80, 24), (120, 40), (200, 60), (40, 10), (10, 3), (1, 1)]


def module(number: int, cell_v: Sequence[float | None] = (3.7,) * 12, **more: Any) -> ModuleReading:
    return ModuleReading(
        bus="b",
        number=number,
        cell_v=tuple(cell_v),
        cell_at_s=(0.0,) * len(cell_v),
        temps=(Temperature(19.0, 21.0),),
        **more,
    )


def fault(code: str, subject: str, severity: Severity = Severity.FAULT) -> Event:
    return Event(0.0, code, subject, severity, f"{code} happened", f"mend {subject}")


FULL = ViewState(
    seconds=100.0,
    clock="17:32:08",
    speed=300.0,
    meter_age_s=0.4,
    mode="auto",
    because="the battery covers what the house needs",
    grid_w=-27.0,
    load_w=1652.0,
    pv_w=1240.0,
    battery_w=412.0,
    pack_v=44.42,
    pack_a=12.34,
    soc=0.493,
    soc_sigma=0.031,
    min_cell_v=3.692,
    max_cell_v=3.713,
    min_cell="b3.7",
    max_cell="b1.2",
    low_c=18.0,
    high_c=21.0,
    charge_w=2400.0,
    discharge_w=800.0,
    discharge_because="the lowest cell comes near empty",
    units=[UnitRow("soyo", "running", 412.0), UnitRow("r48", "off", 0.0)],
    modules=[module(n) for n in range(1, 10)],
)


def drawn(
    state: ViewState, size: tuple[int, int] = (80, 24), view: LiveView | None = None
) -> list[str]:
    console = Console(
        width=size[0], height=size[1], file=io.StringIO(), force_terminal=True, color_system=None
    )
    picture = (view or LiveView(lambda: state, console)).picture(state)
    lines = console.render_lines(picture, console.options.update(height=size[1]), pad=False)
    return ["".join(segment.text for segment in line) for line in lines]


def test_all_that_matters_is_on_a_small_terminal() -> None:
    lines = drawn(FULL)
    screen = "\n".join(lines)
    for text in (
        "17:32:08   300 x   meter 0.4 s",
        "selling to the grid",
        "sun 1.24 kW ━━▶ house 1.65 kW ◀━━ battery 412 W   soyo 412 W   r48 off",
        "the battery covers what the house needs",
        "pack 44.42 V  +12.3 A  49 ±3 %",
        "cells 3.692 to 3.713 V  21 mV",
        "18 to 21 °C",
        "may give 800 W (the lowest cell comes near empty)   may take 2.40 kW",
    ):
        assert text in screen
    assert sum("3700 3700" in line for line in lines) == 9
    assert "…" not in screen


def test_the_grid_power_is_drawn_in_large_digits() -> None:
    lines = drawn(FULL)
    assert [line[:32].rstrip() for line in lines[3:6]] == [
        "      ╺━┓ ╺━┓   ╻ ╻",
        "  ╺━╸ ┏━┛   ┃   ┃╻┃",
        "      ┗━╸   ╹   ┗┻┛",
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", [ViewState(), FULL], ids=["unknown", "full"])
def test_it_fits_any_terminal(size: tuple[int, int], state: ViewState) -> None:
    crowded = replace(state, faults=[fault("meter_lost", str(n)) for n in range(20)])
    for each in (state, crowded):
        lines = drawn(each, size)
        assert 1 <= len(lines) <= size[1]
        assert all(len(line) <= size[0] for line in lines)


def test_unknown_is_a_dash_and_never_a_zero() -> None:
    screen = "\n".join(drawn(ViewState(modules=[module(1, (None,) * 12)])))
    assert "grid unknown" in screen
    assert "sun \u2013 W ─── house \u2013 W ─── battery \u2013 W" in screen
    assert "meter \u2013 s" in screen
    assert screen.count("\u2013") > 12 + 8
    assert "0 W" not in screen.replace("100 W", "")  # the charts' smallest scale


@given(data=st.data())
def test_no_value_breaks_it(data: st.DataObject) -> None:
    """None, NaN, infinities and huge numbers, in any place."""
    number = st.none() | st.floats() | st.sampled_from([1e300, -1e300])
    names = [f.name for f in fields(ViewState) if f.type == "float | None"]
    values: dict[str, Any] = {name: data.draw(number, name) for name in names}
    cells = data.draw(st.lists(number, max_size=16), "cells")
    row = replace(module(1, cells), temps=(Temperature(float("nan"), float("nan")),))
    state = ViewState(modules=[row], units=[UnitRow("r48", "off", data.draw(number))], **values)
    assert len(names) > 10
    assert drawn(state)
    assert plain_line(state)


def test_the_worst_fault_comes_first_with_its_remedy() -> None:
    faults = [fault("cold", "b1", Severity.WARNING), fault("meter_lost", "meter")]
    lines = drawn(replace(FULL, faults=faults))
    place = next(i for i, line in enumerate(lines) if "meter_lost happened" in line)
    assert "✖ meter" in lines[place]
    assert "mend meter" in lines[place + 1]
    assert "! b1 cold happened" in lines[place + 2]


def test_modules_give_way_when_there_are_too_many() -> None:
    many = replace(FULL, modules=[module(n) for n in range(1, 31)])
    lines = drawn(many)
    assert "… and 17 more modules" in lines[-1]
    assert sum("3700" in line for line in lines) == 13


def test_cells_show_who_bleeds_and_who_is_suspect() -> None:
    row = module(3, (3.7, 3.71, 4.17, None), bleeding=0b0010, suspect=0b0100)
    line = next(line for line in drawn(replace(FULL, modules=[row])) if " b3 " in line)
    assert "3700 3710▾4170?" in line
    assert "3.710▾" in "\n".join(drawn(replace(FULL, modules=[row]), (120, 24)))


def test_a_chart_shows_spikes_up_and_down() -> None:
    view = LiveView(lambda: FULL, column_s=5.0)
    for second, grid_w in enumerate([0.0] * 5 + [800.0] + [0.0] * 4 + [-800.0] * 5):
        lines = drawn(replace(FULL, seconds=float(second), grid_w=grid_w), view=view)
    assert "█" in lines[2]
    assert "800 W" in lines[2]
    assert lines[3].rstrip().endswith("─")  # the bar below zero is drawn in reverse


def test_a_column_keeps_the_largest_excursion() -> None:
    past = History(column_s=5.0)
    for seconds, power_w in ((0, 10.0), (1, -500.0), (4, None), (5, float("nan")), (6, 7.0)):
        past.note(seconds, power_w)
    assert past.newest(10) == [-500.0, 7.0]
    assert past.newest(1) == [7.0]
    assert past.newest(0) == []


def test_without_a_time_each_value_is_a_column() -> None:
    past = History(column_s=5.0)
    for power_w in (1.0, None, 2.0):
        past.note(None, power_w)
    assert past.newest(5) == [1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("power_w", "text"),
    [(409.4, "409 W"), (-12.0, "-12 W"), (999.6, "1.00 kW"), (-2345.0, "-2.35 kW")],
)
def test_powers_are_for_people(power_w: float, text: str) -> None:
    assert watts(power_w) == text


def test_the_plain_line_says_it_all_without_colour() -> None:
    line = plain_line(replace(FULL, faults=[fault("module_silent", "b5")]))
    assert line == (
        "17:32:08 auto | grid -27 W, house 1.65 kW, sun 1.24 kW"
        " | battery 412 W: the battery covers what the house needs"
        " | charge 49 ±3 % | cells 3.692 to 3.713 V | faults: module_silent b5"
    )


async def shown(view: LiveView, seconds: float) -> str:
    task = asyncio.ensure_future(view.run())
    await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert isinstance(view.console.file, io.StringIO)
    return view.console.file.getvalue()


async def test_without_a_terminal_a_line_is_printed_every_five_seconds() -> None:
    console = Console(file=io.StringIO(), width=40)
    text = await shown(LiveView(lambda: FULL, console), 12.0)
    assert text.splitlines() == [plain_line(FULL)] * 3


async def test_on_a_terminal_the_screen_is_taken_and_given_back() -> None:
    console = Console(
        file=io.StringIO(), width=80, height=24, force_terminal=True, legacy_windows=False
    )
    text = await shown(LiveView(lambda: FULL, console, every_s=1.0), 2.5)
    assert "\x1b[?1049h" in text
    assert text.rindex("\x1b[?1049l") > text.rindex("selling to the grid")
    assert text.count("selling to the grid") >= 3


def test_the_score_is_shown_where_there_is_room_for_it() -> None:
    state = replace(FULL, modules=FULL.modules[:2], score="mean 12.3 W, RMS 40 W")
    assert any("last hour mean 12.3 W" in line for line in drawn(state))
    assert not any("last hour" in line for line in drawn(FULL))
    assert not any("last hour" in line for line in drawn(state, (80, 10)))


def test_the_outlook_is_shown_before_the_score_where_there_is_room() -> None:
    state = replace(FULL, modules=FULL.modules[:1], score="mean 12.3 W", outlook="empty in 5.0 h")
    lines = drawn(state)
    shown = [line.strip()[:9] for line in lines if "5.0 h" in line or "12.3 W" in line]
    assert shown == ["empty in ", "last hour"]
    assert not any("5.0 h" in line for line in drawn(state, (80, 10)))
