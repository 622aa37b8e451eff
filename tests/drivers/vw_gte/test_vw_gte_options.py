from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gridzero.ports.devices import Role
from gridzero.ports.plugin import Options
from gridzero_drivers.vw_gte import VwGteCells, VwGteOptions, plugin
from gridzero_drivers.vw_gte.options import BusOptions, ModuleOptions

BUS = {"link": "can_a", "modules": [1, 2]}


def options(**more: Any) -> VwGteOptions:
    return VwGteOptions.model_validate({"driver": "vw_gte", "buses": {"a": BUS}, **more})


def test_modules_are_named_by_bus_and_number_and_take_the_defaults() -> None:
    chosen = options(
        series_cells=10,
        buses={
            "a": BUS,
            "b": {"link": "can_b", "modules": [{"number": 1, "series_cells": 13}, 8]},
        },
    )
    assert [(m.name, m.series_cells, m.variant) for m in chosen.members()] == [
        ("a1", 10, "gte_gen1"),
        ("a2", 10, "gte_gen1"),
        ("b1", 13, "gte_gen1"),
        ("b8", 10, "gte_gen1"),
    ]
    assert plugin.link_names(chosen) == (("can", "can_a"), ("can", "can_b"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"buses": {"a": {"link": "x", "modules": [3, {"number": 3}]}}}, "module number 3 stands"),
        ({"buses": {"a": BUS, "b": BUS}}, "used by two buses"),
        ({"buses": {}}, "at least 1"),
        ({"buses": {"a": {"link": "x", "modules": []}}}, "at least 1"),
        ({"buses": {"a": {"link": "x", "modules": [0]}}}, "greater than or equal to 1"),
        ({"buses": {"a": {"link": "x", "modules": [17]}}}, "less than or equal to 16"),
        ({"buses": {"a1": BUS}}, "pattern"),
        ({"bleed_minutes": 3}, "multiple of 2"),
        ({"bleed_minutes": 508}, "less than or equal to 506"),
        ({"series_cells": 11}, "10, 12 or 13"),
        ({"variant": "tesla"}, "gte_gen1"),
        ({"variant": "meb", "series_cells": 13}, "13th cell"),
        ({"poll_period_s": 5}, "less than or equal to 1"),
        ({"polling": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_is_told(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        options(**wrong)


@pytest.mark.parametrize("model", [VwGteOptions, BusOptions, ModuleOptions])
def test_every_setting_is_described(model: type[Options]) -> None:
    assert all(setting.description for setting in model.model_fields.values())


def test_the_plugin_says_what_it_is() -> None:
    assert (plugin.name, plugin.role) == ("vw_gte", Role.CELLS)
    assert plugin.build is VwGteCells
