from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero_drivers.metering.path import MISSING, Path, PathError, find, parse, put, write

steps = st.one_of(st.text(max_size=6), st.integers(0, 30))
paths = st.lists(steps, min_size=1, max_size=5).map(tuple)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("power", ("power",)),
        ("SML.Power_curr", ("SML", "Power_curr")),
        ('params."em:0".total_act_power', ("params", "em:0", "total_act_power")),
        ("params.em:0.total_act_power", ("params", "em:0", "total_act_power")),
        ('params["em:0"].total', ("params", "em:0", "total")),
        ("data[0].tuples[0][1]", ("data", 0, "tuples", 0, 1)),
        ("[2].value", (2, "value")),
        ("Body.Data.0.P", ("Body", "Data", "0", "P")),
        ('"1-0:16.7.0*255"', ("1-0:16.7.0*255",)),
        ('"a \\" b"."c\\\\d"', ('a " b', "c\\d")),
        ('"".x', ("", "x")),
        ("Zähler.Wirkleistung", ("Zähler", "Wirkleistung")),
    ],
)
def test_paths_are_read(text: str, path: Path) -> None:
    assert parse(text) == path


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "empty"),
        ("a.", 2, "key is missing"),
        (".a", 0, "cannot begin with '.'"),
        ("a..b", 2, "cannot begin"),
        ("a b", 1, "quote the key"),
        ("data.P-data.PO", 6, "export_path"),
        ("a[-1]", 1, "brackets hold"),
        ("a[0", 1, "brackets hold"),
        ("a[0]b", 4, "expected '.' or '['"),
        ('a."b', 2, "not closed"),
        ("a.'b'", 2, "cannot begin"),
        ("a]", 1, "expected"),
    ],
)
def test_what_is_no_path_says_where(text: str, position: int, says: str) -> None:
    with pytest.raises(PathError, match="at character") as caught:
        parse(text)
    assert caught.value.position == position
    assert says in str(caught.value)


@given(paths)
def test_every_path_can_be_written_and_read(path: Path) -> None:
    assert parse(write(path)) == path


@given(paths, st.integers())
def test_what_is_put_is_found(path: Path, value: int) -> None:
    assert find(put(None, path, value), path) == value


@given(st.text())
def test_any_text_is_a_path_or_a_path_error(text: str) -> None:
    try:
        path = parse(text)
    except PathError as error:
        position = error.position
    else:
        position = 0
        assert parse(write(path)) == path
    assert 0 <= position <= len(text)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"a": 1}, ("b",)),
        ({"a": 1}, ("a", "b")),
        ({"a": [1]}, ("a", 1)),
        ({"a": "text"}, ("a", 0)),
        ([1], ("0",)),
        ({"0": 1}, (0,)),
        (None, ("a",)),
        (7, (0,)),
    ],
)
def test_absent_places_are_missing(document: object, path: Path) -> None:
    assert find(document, path) is MISSING


def test_two_places_grow_in_one_document() -> None:
    document = put(put(None, ("params", "em:0", "p"), 5), ("params", "ts"), 9)
    assert document == {"params": {"em:0": {"p": 5}, "ts": 9}}
