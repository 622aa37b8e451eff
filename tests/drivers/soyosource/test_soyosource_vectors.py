"""Every vector and recording at hand goes through the codec."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gridzero.ports.devices import Role
from gridzero_drivers import soyosource
from gridzero_drivers.soyosource.codec import Refusal, Status, parse_status
from gridzero_drivers.soyosource.display_codec import Generation, parse_display
from gridzero_drivers.soyosource.display_requests import parse_display_request

FOLDER = Path(soyosource.__file__).parent
SHARED = Path(__file__).parents[4] / "shared"
VECTORS = SHARED / "protocols" / "vectors" / "soyosource.json"
RECORDING = SHARED / "data" / "telemetry" / "soyosource_rs485_display_status_frames.csv.gz"
FRAMES: list[Mapping[str, Any]] = yaml.safe_load((FOLDER / "frames.yaml").read_text())

check = soyosource.plugin.check_vector


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["name"])
def test_our_own_frames(frame: Mapping[str, Any]) -> None:
    assert check(frame) == ""


def test_our_own_frames_have_names_of_their_own() -> None:
    names = {frame["name"] for frame in FRAMES}
    assert len(names) == len(FRAMES) >= 25


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared protocol vectors are not here")
def test_shared_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    assert len(vectors) >= 500
    differing = {vector["name"]: told for vector in vectors if (told := check(vector))}
    assert differing == {}


@pytest.mark.parametrize(
    "frame",
    [frame for frame in FRAMES if frame["expect"].get("valid")],
    ids=lambda frame: frame["name"],
)
def test_a_changed_byte_does_not_pass(frame: Mapping[str, Any]) -> None:
    """The check itself can fail: no frame means the same with its middle byte inverted."""
    data = bytearray.fromhex(frame["data_hex"])
    data[len(data) // 2] ^= 0xFF
    assert check({**frame, "data_hex": data.hex()}) != ""


def test_a_frame_without_codec_is_told() -> None:
    vector = {"name": "x", "data_hex": "", "expect": {"frame": "smoke_signal"}}
    assert "no codec" in check(vector)


@pytest.mark.skipif(not RECORDING.exists(), reason="the recorded status frames are not here")
def test_the_recording_is_read_as_it_was_and_its_damage_refused() -> None:
    with gzip.open(RECORDING, "rt", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 21_000
    wrong = [row["frame_hex"] for row in rows if not _agrees(row)]
    assert wrong == []


def _agrees(row: Mapping[str, str]) -> bool:
    status = parse_status(bytes.fromhex(row["frame_hex"]))
    if row["plausible"] == "False":
        return isinstance(status, Refusal)
    numbers = ("status", "battery_v", "battery_a", "ac_v", "ac_hz", "temp_c")
    return isinstance(status, Status) and tuple(status) == tuple(
        round(float(row[key]), 1) for key in numbers
    )


def _display(data_hex: str, generation: Generation) -> Any:
    return parse_display(bytes.fromhex(data_hex), generation)


def test_the_display_version_has_two_more_mode_codes() -> None:
    frame = "A60000814000000000000000E6640200"
    body = bytes.fromhex(frame)[:14]
    data = (body + bytes([(0xFF - sum(body[1:])) & 0xFF])).hex()
    assert _display(data, Generation.DISPLAY).flags.mode == "battery_limit"
    assert _display(data, Generation.WIFI).flags.mode == "unknown"


def test_settings_of_the_double_version_hide_a_date_where_others_have_the_grid() -> None:
    data = "A600009340D2181817180C20410688"
    settings = _display(data, Generation.DISPLAY_WIFI)
    assert (settings.grid_v, settings.grid_hz, settings.limit_w) == (None, None, 650)
    assert _display(data, Generation.WIFI).grid_v is not None


@pytest.mark.parametrize(
    ("data_hex", "refusal"),
    [
        ("", Refusal.LENGTH),
        ("A600", Refusal.LENGTH),
        ("5A02", Refusal.HEADER),
        ("2301", Refusal.HEADER),
    ],
)
def test_display_bytes_that_are_no_frame(data_hex: str, refusal: Refusal) -> None:
    assert _display(data_hex, Generation.WIFI) is refusal


@pytest.mark.parametrize(
    ("data_hex", "refusal"),
    [
        ("", Refusal.LENGTH),
        ("5601000000FE", Refusal.HEADER),
        ("5501000000FF", Refusal.CHECKSUM),
    ],
)
def test_display_requests_that_are_none(data_hex: str, refusal: Refusal) -> None:
    assert parse_display_request(bytes.fromhex(data_hex)) is refusal


def test_the_plugin_says_what_it_is() -> None:
    options = soyosource.plugin.options.model_validate({"link": "rs485-1"})
    assert soyosource.plugin.role is Role.INVERTER
    assert soyosource.plugin.link_names(options) == (("serial", "rs485-1"),)
