"""Checks test vectors of the ADS1115.

Kind ``config``: the word of given settings, and back. Kind ``current``: what a result register
means with given options.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

from gridzero_drivers.ads1115_shunt.codec import AdcConfig, is_saturated, raw_from_word
from gridzero_drivers.ads1115_shunt.options import ShuntOptions


def check_vector(vector: Mapping[str, Any]) -> str:
    """Run one vector; "" or what differs."""
    word = int(vector["word_hex"], 16)
    if vector["kind"] == "config":
        return _check_config(word, vector["expect"])
    return _check_current(word, vector.get("options", {}), vector["expect"])


def _check_config(word: int, expect: Mapping[str, Any]) -> str:
    settings = {key: value for key, value in expect.items() if key != "start"}
    wanted = AdcConfig(**settings)
    if AdcConfig.from_word(word) != wanted:
        return f"0x{word:04x} means {AdcConfig.from_word(word)}, not {wanted}"
    made = wanted.to_word(start=expect.get("start", False))
    return "" if made == word else f"{wanted} makes 0x{made:04x}, not 0x{word:04x}"


def _check_current(word: int, given: Mapping[str, Any], expect: Mapping[str, Any]) -> str:
    fields = {"driver": "ads1115_shunt", "link": "i2c1", **given}
    options = ShuntOptions.model_validate(fields)
    raw = raw_from_word(word)
    if is_saturated(raw) or "current_a" not in expect:
        same = is_saturated(raw) == expect.get("saturated", False)
        return "" if same else f"raw {raw} does not agree with {expect}"
    current_a = raw * options.amps_per_bit - options.zero_a
    if isclose(current_a, expect["current_a"], abs_tol=5e-5):
        return ""
    return f"{current_a:.5f} A instead of {expect['current_a']} A"
