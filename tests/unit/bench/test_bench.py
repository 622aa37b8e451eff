"""The benchmark runs to its end; what it measures is not judged here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
import yaml

from gridzero.bench import codecs, reference
from gridzero.bench.clients.browser import Page
from gridzero.bench.clients.crowd import BROWSERS
from gridzero.bench.clients.side_by_side import SideBySide
from gridzero.bench.figures import Figure, percentile, table
from gridzero.bench.process import ServiceProcess, service_process
from gridzero.bench.stopwatch import Samples
from gridzero.cli import main
from gridzero.errors import DeviceError, FrameError

ROOT = Path(__file__).parents[3]

KEYS = {
    *("latency_p50_ms", "latency_p99_ms", "latency_max_ms", "latency_messages"),
    *("core_wait_p99_ms", "latency_undisturbed_p99_ms", "broker_p50_ms", "broker_p99_ms"),
    *("latency_2hz_p50_ms", "latency_2hz_p99_ms"),
    *("cpu_percent", "memory_mb", "memory_own_mb", "memory_peak_mb"),
    *("simulation_speed", "simulation_cpu_speed"),
    *(
        f"{case}_{what}"
        for case in (
            *("vw_gte_voltage", "vertiv_r48_answer", "soyosource_status", "soyosource_stream"),
            *("mqtt_meter_number", "mqtt_meter_json", "ads1115_word"),
        )
        for what in ("per_s", "plain_per_s", "ratio")
    ),
}
GOALS = {"latency_p99_ms", "cpu_percent", "memory_mb", "simulation_speed"}


@pytest.mark.real_time
@pytest.mark.slow
def test_a_quick_run_gives_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "core", "--quick", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    figures = report["figures"]
    assert figures.keys() == KEYS
    values = {key: figure["value"] for key, figure in figures.items()}
    assert {k: v for k, v in values.items() if not (isfinite(v) and v > 0)} == {}
    assert {key for key, figure in figures.items() if figure["met"] is not None} == GOALS
    assert values["latency_p50_ms"] <= values["latency_p99_ms"] <= values["latency_max_ms"]
    assert report["machine"]["cores"] >= 1


@pytest.mark.real_time
async def test_a_service_that_ends_by_itself_shows_its_log(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(60),
        service_process("gridzero.bench.service", tmp_path / "none.yaml", ()) as service,
    ):
        with pytest.raises(DeviceError, match=r"exit code 2[^$]*the file cannot be read"):
            await until_it_ends(service)


async def until_it_ends(service: ServiceProcess) -> None:
    while True:
        service.check()
        await asyncio.sleep(0.05)


def test_a_run_that_is_too_short_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "core", "--seconds", "nan"]) == 2
    assert "--seconds" in capsys.readouterr().err


def test_the_bench_measures_the_reference_house() -> None:
    shipped = yaml.safe_load((ROOT / "configs" / "reference-house.yaml").read_text())
    descriptors = dict.fromkeys(reference.CAN_LINKS, 0)
    text = reference.text(Path("state"), port=1883, pty="none", descriptors=descriptors)
    measured = yaml.safe_load(text)
    for section in ("devices", "battery", "control"):
        assert measured[section] == shipped[section]
    assert {name: link["type"] for name, link in measured["links"].items()} == {
        name: link["type"] for name, link in shipped["links"].items()
    }


@pytest.mark.parametrize("case", [*codecs.cases()], ids=lambda case: case.key)
def test_codec_and_plain_code_read_the_same_numbers(case: codecs.Case) -> None:
    ours = [*flat(case.numbers(case.decode(frame)) for frame in case.inputs)]
    plain = [*flat(case.plain(frame) for frame in case.inputs)]
    assert len(ours) >= 1000
    assert ours == pytest.approx(plain)


def test_messages_that_waited_for_a_core_can_be_left_out() -> None:
    assert Samples([2.0, 9.0, 3.0], [0.1, 8.0, 0.2]).undisturbed_ms() == [2.0, 3.0]
    assert Samples([9.0], [8.0]).undisturbed_ms() == [9.0]


def flat(values: Any) -> Iterator[float]:
    """The numbers in however many lists and tuples."""
    if isinstance(values, int | float):
        yield values
    else:
        for value in values:
            yield from flat(value)


def test_a_goal_is_met_missed_or_absent() -> None:
    most = Figure("a", "a", 5.0, "ms", at_most=5.0)
    least = Figure("b", "b", 299.9, "x", at_least=300.0)
    free = Figure("c", "c", 1.0, "")
    assert (most.met, least.met, free.met) == (True, False, None)
    lines = table([most, least, free]).splitlines()
    assert lines[0].endswith("<= 5 ms            met")
    assert lines[1].endswith("MISSED")
    assert lines[2].split() == ["c", "1"]


def test_percentiles_are_samples() -> None:
    samples = [3.0, 1.0, 2.0, 4.0]
    assert [percentile(samples, share) for share in (0.5, 0.75, 0.99, 1.0)] == [2, 3, 4, 4]


@pytest.mark.real_time
@pytest.mark.slow
def test_with_clients_everybody_looks_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "core", "--with-clients", "--quick", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    values = {key: figure["value"] for key, figure in figures.items()}
    judged = {key for key, figure in figures.items() if figure["met"] is not None}
    assert judged <= {"clients_p99_ratio"}
    assert values["clients_p99_ratio"] > 0
    assert values["clients_browsers"] == BROWSERS
    assert values["clients_pictures"] >= 3
    assert values["clients_console"] > 0
    assert values["clients_mqtt"] > 0


def test_too_few_rounds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "core", "--with-clients", "--rounds", "0"]) == 2
    assert "--rounds" in capsys.readouterr().err


HTML = """
      const app = createApp(parseElements(String.raw`{"0": {"tag": "q-layout", "events": []},
        "4": {"events": [{"listener_id": "abc", "type": "drawn"}]}}`), {
        query: {'client_id': 'c-1', 'next_message_id': 0, 'implicit_handshake': True},
      });
"""


def test_a_light_browser_says_what_it_has_drawn() -> None:
    page = Page(HTML)
    assert "client_id=c-1" in page.socket_path()
    assert "implicit_handshake=true" in page.socket_path()
    assert list(page.answers('0{"sid": "x"}')) == ["40"]
    assert list(page.answers("2")) == ["3"]
    (first,) = page.answers('40{"sid": "x"}')
    said = {"id": 4, "client_id": "c-1", "listener_id": "abc", "args": ["0"]}
    assert json.loads(first[2:]) == ["event", said]
    shown = {"code": 'return runMethod(4, "show", [7, {}])', "_id": 0}
    drawn, ack = page.answers(f"42{json.dumps(['run_javascript', shown])}")
    assert json.loads(drawn[2:])[1]["args"] == ["7"]
    assert json.loads(ack[2:]) == ["ack", {"client_id": "c-1", "next_message_id": 1}]
    assert page.pictures == 1


@pytest.mark.parametrize("html", ["", "<html>", HTML.replace("drawn", "other")])
def test_another_page_is_no_dashboard(html: str) -> None:
    with pytest.raises(FrameError):
        Page(html)


@pytest.mark.parametrize(("alone_ms", "met"), [(4.0, False), (10.0, True), (1000.0, None)])
def test_a_machine_that_is_too_busy_judges_nothing(alone_ms: float, met: bool | None) -> None:
    watched = Samples([10.0], [0.0])
    found = SideBySide(
        [Samples([alone_ms], [0.0])], [watched], [1.0], [2.0], [{"browsers": 20, "mqtt": 9}]
    )
    figures = {figure.key: figure for figure in found.figures()}
    assert figures["clients_p99_ratio"].met is met
    assert figures["clients_watched_cpu_percent"].value == 2.0
