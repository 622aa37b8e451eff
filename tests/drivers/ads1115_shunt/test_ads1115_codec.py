from __future__ import annotations

from importlib.resources import files
from math import isfinite
from random import Random
from typing import Any

import pytest
import yaml
from ads1115_site import near, options
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gridzero.errors import FrameError
from gridzero.ports.devices import Role
from gridzero_drivers.ads1115_shunt import plugin
from gridzero_drivers.ads1115_shunt.codec import (
    FULL_SCALES_V,
    PAIRS,
    POWER_ON_CONFIG,
    RATES,
    AdcConfig,
    amps,
    is_idle,
    is_saturated,
    raw_from_word,
    volts,
    word_from_raw,
)

FRAMES = yaml.safe_load(
    files("gridzero_drivers.ads1115_shunt").joinpath("frames.yaml").read_text(encoding="utf-8")
)

configs = st.builds(
    AdcConfig,
    st.sampled_from([*PAIRS, "0-gnd", "3-gnd"]),
    st.sampled_from(FULL_SCALES_V),
    st.sampled_from(RATES),
    st.booleans(),
)


@pytest.mark.parametrize("vector", FRAMES, ids=lambda vector: vector["name"])
def test_registers_mean_what_the_frames_say(vector: dict[str, Any]) -> None:
    assert plugin.check_vector(vector) == ""


def test_a_wrong_vector_is_noticed() -> None:
    current = {"kind": "current", "word_hex": "0F00"}
    assert "40.00000 A" in plugin.check_vector({**current, "expect": {"current_a": 4}})
    assert plugin.check_vector({**current, "expect": {"saturated": True}})
    saturated = {"kind": "current", "word_hex": "7FFF"}
    assert plugin.check_vector({**saturated, "expect": {"current_a": 341.3229}})
    config = {"pair": "0-1", "full_scale_v": 0.256, "rate": 32}
    wrong = {"kind": "config", "word_hex": "0A63", "expect": config}
    assert "means" in plugin.check_vector(wrong)
    started = {"kind": "config", "word_hex": "8A43", "expect": config}
    assert "makes 0x0a43" in plugin.check_vector(started)


@given(configs, st.booleans())
def test_settings_survive_the_register(config: AdcConfig, start: bool) -> None:
    word = config.to_word(start=start)
    assert AdcConfig.from_word(word) == config
    assert is_idle(word) is start
    assert word & 0b11111 == 0b00011, "the comparator stays off"


@given(st.integers(0, 0xFFFF))
def test_every_word_has_a_meaning_that_is_stable(word: int) -> None:
    config = AdcConfig.from_word(word)
    assert AdcConfig.from_word(config.to_word()) == config
    assert word_from_raw(raw_from_word(word)) == word
    assert is_saturated(raw_from_word(word)) is (word in {0x7FFF, 0x8000})


@pytest.mark.parametrize(
    "config",
    [AdcConfig("0-2", 0.256, 32), AdcConfig("0-1", 0.3, 32), AdcConfig("0-1", 0.256, 33)],
)
def test_settings_that_do_not_exist_are_refused(config: AdcConfig) -> None:
    with pytest.raises(FrameError, match="ADS1115 cannot do"):
        config.to_word()


def test_the_power_on_value_of_the_data_sheet() -> None:
    config = AdcConfig("0-1", 2.048, 128, single_shot=True)
    assert config.to_word(start=True) == POWER_ON_CONFIG


@given(st.integers(-32768, 32767), st.sampled_from(FULL_SCALES_V))
def test_volts_and_amps_are_in_proportion(raw: int, full_scale_v: float) -> None:
    assert abs(volts(raw, full_scale_v)) <= full_scale_v
    assert amps(volts(raw, full_scale_v), 100, 75) == near(raw * full_scale_v / 32768 / 75e-3 * 100)


@given(st.floats(-340, 340), st.booleans())
def test_a_current_survives_within_half_a_step(current_a: float, invert: bool) -> None:
    made = options(invert=invert)
    raw = raw_from_word(word_from_raw(round(current_a / made.amps_per_bit)))
    assert raw * made.amps_per_bit == near(current_a, 0.00521)


def test_noise_has_a_finite_meaning(fuzz_frames: int) -> None:
    random, made = Random(2), options()
    for _ in range(fuzz_frames):
        word = random.getrandbits(16)
        assert isfinite(raw_from_word(word) * made.amps_per_bit)
        assert AdcConfig.from_word(word).rate in RATES


@pytest.mark.parametrize(
    ("given_options", "says"),
    [
        ({"address": 0x4C}, "less than or equal"),
        ({"pair": "0-2"}, "0-1"),
        ({"gain_v": 0.3}, "gain_v must be one of 6.144"),
        ({"rated_mv": 300}, "300 mV do not fit gain_v 0.256"),
        ({"samples_per_s": 33}, "8, 16"),
        ({"samples_per_s": 8, "period_s": 0.1}, "shorter than one conversion"),
        ({"rated_a": 0}, "greater than 0"),
        ({"zero_a": float("nan")}, "zero_a"),
        ({"smoothing": 3}, "not permitted"),
    ],
)
def test_what_does_not_fit_is_said(given_options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        options(**given_options)


def test_the_plugin() -> None:
    made = options(address=0x4A)
    assert plugin.role is Role.SHUNT
    assert plugin.link_names(made) == (("i2c", "i2c1"),)
