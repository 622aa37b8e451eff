"""Relays in a configuration: each name is a switch, and each switch has one master."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridzero.config.loader import load_text
from gridzero.config.problems import ConfigErrors
from gridzero.plugins import load_plugins

CONTACTOR = Path(__file__).parents[3] / "configs" / "contactor.yaml"
PLUGINS = load_plugins()


def complaints(before: str, after: str) -> list[str]:
    """What is said of the house with contactors after one change."""
    text = CONTACTOR.read_text()
    assert before in text
    with pytest.raises(ConfigErrors) as told:
        load_text(text.replace(before, after), CONTACTOR, PLUGINS)
    return [str(problem) for problem in told.value.problems]


def test_the_example_is_good() -> None:
    assert load_text(CONTACTOR.read_text(), CONTACTOR, PLUGINS).warnings == ()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("contactor: rectifier_contactor", "contactor: rectifier_contacto", "Did you mean"),
        ("contactor: rectifier_contactor", "contactor: shunt", "is no switch"),
        ("contactor: battery_contactor", "contactor: nobody", "there is no device named"),
        ("contactor: battery_contactor", "contactor: rectifier_contactor", "is already"),
        ("    line: 22\n", "    line: 17\n", "line 17 is used by"),
        ("    feedback_line: 27\n", "    feedback_line: 22\n", "line 22 is used by"),
        ("    link: pins\n    line: 17", "    link: sensors\n    line: 17", "needs gpio"),
        ("    feedback_line: 23", "    feedback_line: 22", "needs its own"),
    ],
)
def test_what_does_not_fit_is_told(before: str, after: str, words: str) -> None:
    assert any(words in line for line in complaints(before, after))


def test_heater_and_fan_are_switches_with_one_master_too() -> None:
    lines = complaints("\ncontrol:", "\nthermal: {heater: battery_contactor, fan: meter}\ncontrol:")
    assert len(lines) == 2
    assert any("already battery.contactor" in line for line in lines)
    assert any("'meter' is no switch" in line for line in lines)


def test_a_switch_that_nobody_works_is_a_warning() -> None:
    text = CONTACTOR.read_text().replace("battery:\n  contactor: battery_contactor\n", "")
    (warning,) = load_text(text, CONTACTOR, PLUGINS).warnings
    assert "nothing uses this switch" in str(warning)
    assert "battery_contactor" in str(warning)
