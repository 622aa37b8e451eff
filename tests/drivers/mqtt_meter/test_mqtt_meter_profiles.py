"""Known meters by name: what they say is read as they mean it, and nothing else is."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt_captures import CAPTURES, Capture
from mqtt_meter_site import near
from pydantic import ValidationError

from gridzero.domain.readings import MeterReading
from gridzero_drivers.metering.path import parse, write
from gridzero_drivers.metering.rounds import Rounds
from gridzero_drivers.mqtt_meter import plugin
from gridzero_drivers.mqtt_meter.options import MqttMeterOptions

PROFILES = {profile.name: profile for profile in plugin.profiles}


def options(profile: str, **given: Any) -> MqttMeterOptions:
    id_ = PROFILES[profile].example_id
    section = {"driver": "mqtt_meter", "profile": profile, **({"id": id_} if id_ else {}), **given}
    return MqttMeterOptions.model_validate(section)


def rounds_of(made: MqttMeterOptions) -> Rounds:
    return Rounds(made.terms(), made)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: f"{c.profile} {c.grid_w}")
def test_what_it_says_is_read_as_it_means_it(capture: Capture) -> None:
    rounds = rounds_of(options(capture.profile, **capture.given))
    results = [
        rounds.take(topic, payload.encode(), i * 0.01)
        for i, (topic, payload) in enumerate(capture.messages)
    ]
    assert not any(isinstance(result, MeterReading) for result in results[:-1])
    read = results[-1].grid_w if isinstance(results[-1], MeterReading) else None
    assert read == (None if capture.grid_w is None else near(capture.grid_w))


def test_each_profile_has_captures_of_import_of_export_and_of_what_is_no_reading() -> None:
    kinds = Counter(
        (c.profile, "none" if c.grid_w is None else "in" if c.grid_w > 0 else "out")
        for c in CAPTURES
    )
    wanted = {(name, kind) for name in PROFILES for kind in ("in", "out", "none")}
    assert wanted - kinds.keys() == set()


def test_the_nineteen_are_all_there() -> None:
    assert {profile.number for profile in plugin.profiles} == set(range(1, 20))


@pytest.mark.parametrize("profile", plugin.profiles, ids=lambda p: p.name)
def test_a_profile_is_a_section_that_could_stand_in_the_file(profile: Any) -> None:
    made = options(profile.name)
    assert made.expected_interval_s == profile.settings["expected_interval_s"]
    for term in made.terms():
        assert "{" not in term.topic
        assert term.path is None or parse(write(term.path)) == term.path
    assert bool(profile.id_means) == bool(profile.example_id)


def test_only_what_cannot_be_known_is_given() -> None:
    made = options("shelly_pro_3em")
    (term,) = made.terms()
    assert term.topic == "shellypro3em-a1b2c3d4e5f6/events/rpc"
    assert term.path == ("params", "em:0", "total_act_power")
    assert made.expected_interval_s == 1


def test_whatever_is_given_besides_wins() -> None:
    made = options("tasmota_sml", path="SML.x", scale=1000, latency_s=2, expected_interval_s=1)
    (term,) = made.terms()
    assert (term.path, term.factor, made.latency_s) == (("SML", "x"), 1000, 2)
    assert made.doubts() == ()


def test_a_topic_of_ones_own_needs_no_id() -> None:
    given = {"driver": "mqtt_meter", "profile": "tasmota_sml", "topic": "cellar/meter"}
    assert MqttMeterOptions.model_validate(given).terms()[0].topic == "cellar/meter"


def test_a_setting_of_a_place_goes_into_each_phase() -> None:
    made = options("shelly_3em", sign="export_positive")
    assert [term.factor for term in made.terms()] == [-1, -1, -1]


def test_a_topic_instead_of_phases_and_phases_instead_of_a_topic() -> None:
    phases = {"driver": "mqtt_meter", "profile": "shelly_3em", "topic": "sum"}
    assert [t.topic for t in MqttMeterOptions.model_validate(phases).terms()] == ["sum"]
    single = {"driver": "mqtt_meter", "profile": "shelly_pro_3em", "sources": [{"topic": "a"}]}
    assert [t.topic for t in MqttMeterOptions.model_validate(single).terms()] == ["a"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"profile": "shelly_pro_3m", "id": "x"}, "did you mean 'shelly_pro_3em'"),
        ({"profile": "nothing like it"}, "gridzero meter list"),
        ({"profile": "shelly_pro_3em"}, "profile shelly_pro_3em needs id: the Shelly's MQTT"),
        ({"profile": "dsmr_reader", "id": "x"}, "profile dsmr_reader has no use for id"),
        ({"profile": "tasmota_sml", "topic": "a", "id": "x"}, "has no use for id"),
        ({"id": "x", "topic": "a"}, "id belongs to a profile"),
        ({"profile": 7}, "valid string"),
        ({"profile": "esphome", "id": "a/#"}, "one topic"),
        ({"profile": "zigbee2mqtt_clamp", "id": "c", "export_path": "x"}, "exclude each other"),
        ({"topic": "a", "direction_path": "b"}, "direction_path needs path"),
        ({"topic": "a", "path": "p", "import_words": ["export"]}, "cannot mean import and export"),
    ],
)
def test_what_does_not_fit_is_said_with_the_name_of_the_profile(
    given: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        MqttMeterOptions.model_validate({"driver": "mqtt_meter", **given})


def test_meters_that_cannot_hold_the_grid_say_so() -> None:
    unfit = {p.name: [d.what for d in options(p.name).doubts()] for p in plugin.profiles}
    assert "says 0 on surplus" in unfit["ams_bridge_import_only"][0]
    assert "good for display" in unfit["fritz_energy_250"][0]
    assert unfit["tasmota_sml"] == ["a reading each 10 s is too slow to follow a house"]
    assert unfit["shelly_pro_3em"] == unfit["ams_bridge"] == unfit["home_assistant"] == []


def test_phases_that_arrive_apart_are_one_reading() -> None:
    rounds = rounds_of(options("shelly_3em"))
    stem = "shellies/shellyem3-A1B2C3D4E5F6/emeter"
    sums = []
    for second in range(20):
        for phase, late_s in ((0, 0.0), (1, 0.3), (2, 0.45)):
            result = rounds.take(f"{stem}/{phase}/power", b"%d" % second, second + late_s)
            sums += [result.grid_w] if isinstance(result, MeterReading) else []
    assert sums == [3 * second for second in range(20)]


def test_a_repeated_or_older_stamp_is_no_reading_but_the_same_value_is() -> None:
    rounds = rounds_of(options("vzlogger"))

    def take(stamp_s: float, at_s: float) -> bool:
        payload = f'{{"timestamp": {1770102920000 + round(stamp_s * 1000)}, "value": 5}}'
        return isinstance(rounds.take("vzlogger/chn2/raw", payload.encode(), at_s), MeterReading)

    assert [take(0, 0.1), take(0, 0.6), take(1, 1.1), take(0.5, 1.2), take(2, 2.1)] == [
        *(True, False, True, False, True)
    ]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["nan", "123 W", "1,5", "unknown", "1e999", "consuming"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=6), below, max_size=3),
    max_leaves=8,
)  # fmt: skip


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@settings(max_examples=60)
@given(data=st.data())
def test_no_payload_at_all_raises_or_reads_beyond_the_window(data: Any) -> None:
    profile = data.draw(st.sampled_from(sorted(PROFILES)))
    made = options(profile)
    rounds, at_s = rounds_of(made), 0.0
    good = [m for c in CAPTURES if c.profile == profile for m in c.messages]
    for _ in range(data.draw(st.integers(1, 8))):
        at_s += data.draw(st.floats(0, 5))
        topic = data.draw(st.sampled_from(rounds.topics))
        bent = bytearray(data.draw(st.sampled_from(good))[1].encode())
        bent[data.draw(st.integers(0, len(bent) - 1))] = data.draw(st.integers(0, 255))
        payload = data.draw(st.binary(max_size=40) | _JSON.map(_json) | st.just(bytes(bent)))
        result = rounds.take(topic, payload, at_s)
        if isinstance(result, MeterReading):
            assert abs(result.grid_w) <= made.plausible_w
            assert result.at_s <= result.received_at_s == at_s
