"""Published and own test vectors through the codec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import gridzero_drivers.vertiv_r48
from gridzero_drivers.vertiv_r48 import plugin

PROJECT = Path(__file__).parents[3]
OWN = Path(gridzero_drivers.vertiv_r48.__file__).with_name("frames.yaml")
PUBLISHED = PROJECT.parent / "shared" / "protocols" / "vectors" / "vertiv-r48.json"


def own() -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = yaml.safe_load(OWN.read_text())
    return frames


def published() -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads(PUBLISHED.read_text())
    return vectors


@pytest.mark.parametrize("vector", own(), ids=lambda vector: str(vector["name"]))
def test_own_frames(vector: dict[str, Any]) -> None:
    assert plugin.check_vector(vector) == ""


def test_there_are_enough_own_frames() -> None:
    names = [vector["name"] for vector in own()]
    assert len(set(names)) == len(names) >= 20
    assert all(vector["meaning"] for vector in own())


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published vectors are not here")
def test_published_vectors() -> None:
    differing = {v["name"]: plugin.check_vector(v) for v in published()}
    assert len(differing) > 40
    assert {name: text for name, text in differing.items() if text} == {}


def test_a_wrong_vector_is_told() -> None:
    right = own()[0]
    wrong = {**right, "expect": {**right["expect"], "volts": 49.3}}
    assert "wanted 06080783" in plugin.check_vector(wrong)
    reading = next(v for v in own() if v["name"] == "voltage_44v5")
    off = {**reading, "expect": {**reading["expect"], "value": 44.6}}
    assert "value: made 44.5, wanted 44.6" in plugin.check_vector(off)
    broken = {**reading, "data_hex": "41"}
    assert "bad_frame" in plugin.check_vector(broken)
