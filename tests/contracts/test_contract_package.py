"""What every driver brings along: options, twin, vectors and words."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import as_file, files

import pytest
from contract_bench import EXAMPLES, PLUGINS, PORTS, Bench, Example, each
from pydantic import ValidationError

from gridzero.plugins import GROUP
from gridzero.ports.plugin import DriverPlugin
from gridzero.vectors import check_file, read_vectors

all_plugins = pytest.mark.parametrize("plugin", PLUGINS.values(), ids=list(PLUGINS))


def package_of(plugin: DriverPlugin) -> str:
    return next(p.module for p in entry_points(group=GROUP) if p.name == plugin.name)


def test_there_are_drivers() -> None:
    assert {"mqtt_meter", "vw_gte", "ads1115_shunt", "vertiv_r48", "soyosource"} <= set(PLUGINS)


@all_plugins
def test_it_has_an_example_in_configs(plugin: DriverPlugin) -> None:
    names = {example.plugin.name for example in EXAMPLES}
    assert plugin.name in names, "add a section with it to one of configs/*.yaml"


@all_plugins
def test_it_says_what_it_is_in_a_line(plugin: DriverPlugin) -> None:
    assert 10 <= len(plugin.summary) <= 100
    assert "\n" not in plugin.summary


@all_plugins
def test_readme_and_frames_travel_in_the_package(plugin: DriverPlugin) -> None:
    folder = files(package_of(plugin))
    assert folder.joinpath("README.md").read_text(encoding="utf-8").startswith("# ")
    assert "name:" in folder.joinpath("frames.yaml").read_text(encoding="utf-8")


@all_plugins
def test_its_frames_pass_and_a_bent_one_does_not(plugin: DriverPlugin) -> None:
    with as_file(files(package_of(plugin)).joinpath("frames.yaml")) as file:
        report = check_file(file, PLUGINS, plugin.name)
        vectors = read_vectors(file)
    assert report.mismatches == ()
    assert report.passed == len(vectors) > 0
    for i, vector in enumerate(vectors):
        other = next(v for v in vectors[i + 1 :] + vectors[:i] if v["expect"] != vector["expect"])
        assert plugin.check_vector(vector) == ""
        if plugin.check_vector({**vector, "expect": other["expect"]}):
            return
    pytest.fail("no vector fails whatever is expected of it: nothing is compared")


@each()
def test_options_refuse_what_they_do_not_know(example: Example) -> None:
    assert example.plugin.options.model_validate(example.section) == example.options
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        example.plugin.options.model_validate({**example.section, "unheard_of": 1})


@each()
def test_options_cannot_be_changed_afterwards(example: Example) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        example.options.driver = "another"  # type: ignore[attr-defined]  # every section has it


@each()
async def test_it_builds_and_meets_the_port_of_its_role(example: Example) -> None:
    bench = Bench(example, with_twin=False)
    assert isinstance(bench.device, PORTS[example.plugin.role])


@each()
async def test_it_is_called_by_its_key_in_the_configuration(example: Example) -> None:
    assert Bench(example, with_twin=False).device.name == "thing"


@each()
async def test_two_of_it_on_other_links_do_not_know_each_other(example: Example) -> None:
    """No state in modules: one bench lives, the other hears nothing of it."""
    lively, idle = Bench(example), Bench(example, with_twin=False)
    async with lively.living(), lively.running():
        await lively.clock.sleep_s(10.0)
    assert idle.stamps() == {}
    assert idle.faults.active == ()


@each()
async def test_its_twin_sits_on_the_links_that_it_names(example: Example) -> None:
    bench = Bench(example)
    twin = bench.twins["thing"]
    ends = {("can", name) for name in twin.can} | {("serial", name) for name in twin.serial}
    ends |= {("i2c", name) for name, _ in twin.i2c}
    ends |= {("gpio", name) for name, _ in twin.gpio}
    ends |= {("http", name) for name in twin.http} | {("udp", name) for name in twin.udp}
    named = set(bench.wires)
    assert {wire for wire in named if wire[0] != "mqtt"} == ends
    assert bool(twin.mqtt) == any(kind == "mqtt" for kind, _ in named)
