"""The subset of YAML, its positions, and noise."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gridzero.config.problems import ConfigErrors, Notes, Place
from gridzero.config.scalars import Unusable, resolve
from gridzero.config.yaml_lines import parse


def read(text: str) -> Any:
    notes = Notes("a.yaml")
    document = parse(text, notes)
    notes.raise_if_any()
    return document.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("010", 10),
        ("-7", -7),
        ("0x48", 72),
        ("0o17", 15),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("4.", 4.0),
        ("1_000", "1_000"),
        ("0x", "0x"),
        (".", "."),
        ("1.5.0", "1.5.0"),
    ],
)
def test_bare_words(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".nan", "1e999", "9" * 31, "9" * 10_000])
def test_numbers_that_nothing_can_be_set_to(text: str) -> None:
    with pytest.raises(Unusable):
        resolve(text)


def test_quotes_make_text() -> None:
    assert read("a: '1'\nb: \"true\"\nc: !!str 5\nd: |\n  x\n  y\n") == {
        "a": "1",
        "b": "true",
        "c": "5",
        "d": "x\ny\n",
    }


def test_places_of_keys_values_sections_and_items() -> None:
    document = parse("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n", Notes("a.yaml"))
    assert document.place(("a", "b")) == Place(2, 6)
    assert document.keys["a", "b"] == Place(2, 3)
    assert document.place(("a", "c")) == Place(3, 3)
    assert document.place(("a", "c", 0)) == Place(4, 7)
    assert document.place(("a", "c", 1, "d")) == Place(5, 11)


def test_the_first_of_two_equal_keys_stays() -> None:
    notes = Notes("a.yaml")
    document = parse("a: {x: 1}\nb: 2\na: {x: 3, x: 4}\n", notes)
    assert document.value == {"a": {"x": 1}, "b": 2}
    assert [p.line for p in notes.problems] == [3, 3]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_what_is_valid_json_reads_the_same(value: Any) -> None:
    text = json.dumps(value)
    assert read(text) == json.loads(text)


@given(values.filter(lambda v: isinstance(v, (dict, list))))
def test_what_pyyaml_writes_is_read_in_order(value: Any) -> None:
    text = yaml.safe_dump(value, sort_keys=False)
    again = parse(text, Notes("a.yaml"), as_text=True).value
    assert type(again) is type(value)
    if isinstance(value, dict):
        assert list(again) == list(value)
    else:
        assert len(again) == len(value)


@given(st.text() | st.text(alphabet="ab:-[]{}&*!'\"|>#%,? \n\t\\xuU0D89", max_size=60))
def test_noise_ends_in_a_value_or_in_problems_with_a_line(text: str) -> None:
    notes = Notes("a.yaml")
    with suppress(ConfigErrors):
        parse(text, notes)
        assert not {p for p in notes.problems if p.line < 1}
        return
    assert notes.problems
    assert all(1 <= p.line <= len(text) + 1 and p.what and p.remedy for p in notes.problems)
