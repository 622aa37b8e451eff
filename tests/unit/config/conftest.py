"""Small drivers that only have options, and a way to load a text as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

import pytest
from pydantic import Field, model_validator

from gridzero.config.loader import Loaded, load_text
from gridzero.config.problems import ConfigErrors, Problem
from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin, Options

LoadIt = Callable[..., Loaded]
Complaints = Callable[..., tuple[Problem, ...]]


class MeterOptions(Options):
    driver: Literal["meter"]
    topic: str = Field(min_length=1, description="where it publishes")
    token: str | None = None


class Module(Options):
    number: int = Field(ge=1, le=16, description="number of the module, 1..16")
    cells: Literal[12, 13] = 12


class Bus(Options):
    link: str
    modules: list[int | Module] = Field(min_length=1)


class CellsOptions(Options):
    driver: Literal["cells"]
    buses: dict[str, Bus]

    @model_validator(mode="after")
    def _not_too_many(self) -> CellsOptions:
        if len(self.buses) > 2:
            raise ValueError("at most two buses")
        return self


class PortOptions(Options):
    driver: Literal["inverter", "charger", "shunt", "switch"]
    link: str
    max_w: float = Field(default=900, ge=50, le=2500, description="largest power, W")


def _nothing(*_: object) -> Any:
    raise NotImplementedError


def _plugin(
    name: str, role: Role, options: type[Options], links: Callable[[Any], Any]
) -> DriverPlugin:
    return DriverPlugin(
        name=name,
        summary=f"a {name}",
        role=role,
        options=options,
        build=_nothing,
        twin=_nothing,
        check_vector=lambda vector: "" if vector["good"] else "it is bad",
        link_names=links,
    )


def _one(kind: str) -> Callable[[PortOptions], tuple[tuple[str, str], ...]]:
    return lambda options: ((kind, options.link),)


FAKES: dict[str, DriverPlugin] = {
    plugin.name: plugin
    for plugin in (
        _plugin("meter", Role.METER, MeterOptions, lambda _: (("mqtt", "mqtt"),)),
        _plugin(
            "cells",
            Role.CELLS,
            CellsOptions,
            lambda o: tuple(("can", b.link) for b in o.buses.values()),
        ),
        _plugin("inverter", Role.INVERTER, PortOptions, _one("serial")),
        _plugin("charger", Role.CHARGER, PortOptions, _one("can")),
        _plugin("shunt", Role.SHUNT, PortOptions, _one("i2c")),
    )
}

HOUSE = """\
site: {name: Test}
links:
  bms: {type: can, channel: canbms1}
  rs485: {type: serial, port: /dev/ttyUSB0}
devices:
  grid: {driver: meter, topic: meterbox/grid}
  battery:
    driver: cells
    buses:
      a: {link: bms, modules: [1, 2]}
  sun: {driver: inverter, link: rs485}
"""


@pytest.fixture
def fakes() -> Mapping[str, DriverPlugin]:
    return FAKES


@pytest.fixture
def house() -> str:
    """The text of a file in which everything fits, with one warning (no shunt)."""
    return HOUSE


@pytest.fixture
def load_it(tmp_path: Path) -> LoadIt:
    def load_it(text: str, **given: Any) -> Loaded:
        return load_text(dedent(text), tmp_path / "site.yaml", FAKES, **{"environ": {}, **given})

    return load_it


@pytest.fixture
def complaints(load_it: LoadIt) -> Complaints:
    """The problems of a text, which must have some."""

    def complaints(text: str, **given: Any) -> tuple[Problem, ...]:
        with pytest.raises(ConfigErrors) as caught:
            load_it(text, **given)
        return caught.value.problems

    return complaints
