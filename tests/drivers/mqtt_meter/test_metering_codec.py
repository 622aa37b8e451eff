from __future__ import annotations

import json
from importlib.resources import files
from math import isfinite
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from mqtt_meter_site import noise

from gridzero_drivers.metering.codec import (
    MAX_PAYLOAD,
    Content,
    NoReading,
    Shape,
    decode,
    excerpt,
    number,
    stamp_s,
)
from gridzero_drivers.metering.path import parse
from gridzero_drivers.mqtt_meter import plugin

FRAMES = yaml.safe_load(
    files("gridzero_drivers.mqtt_meter").joinpath("frames.yaml").read_text(encoding="utf-8")
)
PLAIN = Shape((None,))
POWER = Shape((parse("power"),))


def plain(payload: str | bytes) -> float | NoReading:
    raw = payload.encode() if isinstance(payload, str) else payload
    content = decode(raw, PLAIN)
    return content.numbers[0] if isinstance(content, Content) else content


@pytest.mark.parametrize("vector", FRAMES, ids=lambda vector: vector["name"])
def test_messages_mean_what_the_frames_say(vector: dict[str, Any]) -> None:
    assert plugin.check_vector(vector) == ""


def test_a_wrong_vector_is_noticed() -> None:
    vector = {"name": "x", "direction": "rx", "topic": "m", "payload": "5"}
    assert "read 5 W" in plugin.check_vector({**vector, "expect": {"grid_w": 6}})
    assert "read 5 W" in plugin.check_vector({**vector, "expect": {"no_reading": True}})
    vector["payload"] = "on"
    assert "not_a_number" in plugin.check_vector({**vector, "expect": {"grid_w": 0}})
    assert plugin.check_vector({**vector, "expect": {"no_reading": True, "why": "empty"}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("-312", -312.0),
        ("+7.", 7.0),
        (".5", 0.5),
        ("1,234", 1.234),
        ("-0,5 W", -0.5),
        ("0.412 kW", 0.412),
        ("00.562*kW", 0.562),
        ("1e3", 1000.0),
        ("12Watt", 12.0),
        ("\t42\r\n", 42.0),
    ],
)
def test_numbers_are_read(text: str, value: float) -> None:
    assert plain(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", NoReading.EMPTY),
        ("  \n", NoReading.EMPTY),
        ("NaN", NoReading.UNAVAILABLE),
        ("Unknown", NoReading.UNAVAILABLE),
        ("unavailable", NoReading.UNAVAILABLE),
        ("null", NoReading.UNAVAILABLE),
        ("inf", NoReading.NOT_A_NUMBER),
        ("-Infinity", NoReading.NOT_A_NUMBER),
        ("1e999", NoReading.NOT_FINITE),
        ("true", NoReading.NOT_A_NUMBER),
        ("on", NoReading.NOT_A_NUMBER),
        ("0x10", NoReading.NOT_A_NUMBER),
        ("1_000", NoReading.NOT_A_NUMBER),
        ("1.234,5", NoReading.NOT_A_NUMBER),
        ("1 234", NoReading.NOT_A_NUMBER),
        ("--5", NoReading.NOT_A_NUMBER),
        ("5 kWh", NoReading.NOT_A_NUMBER),
        ("5 A", NoReading.NOT_A_NUMBER),
        ("١٢", NoReading.NOT_A_NUMBER),
        ("9" * 5000, NoReading.NOT_A_NUMBER),
    ],
)
def test_what_is_not_plainly_a_number_is_none(text: str, why: NoReading) -> None:
    assert plain(text) is why


def test_a_long_payload_is_refused_before_it_is_parsed() -> None:
    huge = b'{"power":1,"pad":"' + b"x" * MAX_PAYLOAD + b'"}'
    assert decode(huge, POWER) is NoReading.TOO_LARGE
    assert decode(b"1" * 1_000_000, PLAIN) is NoReading.TOO_LARGE


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 60_000,
        b'{"power":' * 7_000,
        b'{"power":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"power":' + b"9" * 5000 + b"}",
        b'{"power":' + b"9" * 400 + b"}",
        b'{"power":NaN}',
        b'{"power":Infinity}',
        b'{"power":1e999}',
        b'{"power":[1,Infinity]}',
        b'{"power":[1e308,1e308]}',
        b'{"power":[]}',
        b'{"power":[[1]]}',
        b'{"power":[true]}',
        b'{"power":{}}',
        b'{"power":"\\ud800"}',
        b'\xff\xfe{\x00"\x00',
        b"\xef\xbb\xbf1",
        b"",
        b"\x00",
    ],
)
def test_hostile_json_is_no_reading(payload: bytes) -> None:
    assert isinstance(decode(payload, POWER), NoReading)


def test_of_a_doubled_key_the_last_counts() -> None:
    assert decode(b'{"power":1,"power":2}', POWER) == Content((2.0,))


def test_one_unreadable_number_spoils_the_message() -> None:
    both = Shape((parse("a"), parse("b")))
    assert decode(b'{"a":1,"b":"2,5"}', both) == Content((1.0, 2.5))
    assert decode(b'{"a":1,"b":"x"}', both) is NoReading.NOT_A_NUMBER
    assert decode(b'{"a":1}', both) is NoReading.PATH_MISSING


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1_770_102_920, 1_770_102_920.0),
        (1_770_102_920_123, 1_770_102_920.123),
        ("1770102920.5", 1_770_102_920.5),
        ("2026-02-03T07:15:20Z", 1_770_102_920.0),
        ("2026-02-03T08:15:20+01:00", 1_770_102_920.0),
        ("2026-02-03T07:15:20", 1_770_102_920.0),
        ("2026-02-03 07:15:20.25", 1_770_102_920.25),
        (12.5, 12.5),
        (None, None),
        (True, None),
        (0, None),
        (-5, None),
        (float("nan"), None),
        (1e300, None),
        ("yesterday", None),
        ("", None),
        ({}, None),
        ("0001-01-01T00:00:00+23:59", -62135683140.0),
    ],
)
def test_stamps_are_read(value: Any, seconds: float | None) -> None:
    assert stamp_s(value) == (seconds if seconds is None else pytest.approx(seconds, abs=1e-5))


def test_an_excerpt_is_short_and_printable() -> None:
    shown = excerpt(b"\xff\x00\x1b[31m" + b"y" * 100_000)
    assert len(shown) < 200
    assert shown.isprintable()
    assert "(100007 bytes)" in shown


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_finite_numbers_survive_text_and_json(value: float) -> None:
    assert plain(repr(value)) == value
    assert decode(json.dumps({"power": value}).encode(), POWER) == Content((value,))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_any_json_value_is_a_finite_number_or_a_reason(value: Any) -> None:
    result = number(value)
    assert isinstance(result, NoReading) or isfinite(result)


@given(st.text(), st.binary())
def test_any_payload_is_a_finite_number_or_a_reason(text: str, raw: bytes) -> None:
    for payload in (text.encode(errors="surrogatepass"), raw):
        result = plain(payload)
        assert isinstance(result, NoReading) or isfinite(result)


def test_noise_never_gives_anything_but_finite_numbers(fuzz_frames: int) -> None:
    random = Random(7)
    timed = Shape((parse("power"),), parse("time"))
    understood = 0
    for _ in range(fuzz_frames):
        payload = noise(random)
        for shape in (PLAIN, timed):
            content = decode(payload, shape)
            if isinstance(content, NoReading):
                continue
            understood += 1
            assert isfinite(content.numbers[0])
            assert content.stamp_s is None or isfinite(content.stamp_s)
    assert 0 < understood < fuzz_frames
