"""What ``gridzero meter test`` makes of what it hears, without a broker."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.meter.matching import as_yaml, known_meters, matches, section_of
from gridzero.meter.survey import MOST_KEPT, MOST_PATHS, MOST_TOPICS, Survey, numbers
from gridzero.meter.words import survey_data, survey_lines
from gridzero.plugins import load_plugins
from gridzero.ports.links import MqttMessage

KNOWN = known_meters(load_plugins())


def message(topic: str, payload: Any, at_s: float = 0.0, *, retained: bool = False) -> MqttMessage:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return MqttMessage(topic, raw, retained, at_s)


def heard(*messages: MqttMessage) -> Survey:
    survey = Survey()
    for each in messages:
        survey.take(each)
    return survey


def shelly(power_w: float, at_s: float) -> MqttMessage:
    em = {"id": 0, "a_act_power": 91.5, "total_act_power": power_w, "total_current": 3.1}
    payload = {"method": "NotifyStatus", "params": {"ts": 1770102920 + at_s, "em:0": em}}
    return message("shellypro3em-1/events/rpc", payload, at_s)


def test_rate_and_jitter_are_those_of_the_arrivals() -> None:
    times = (0.0, 1.0, 2.0, 3.2, 4.2, 9.2)
    look = heard(*(message("a", 1, at_s) for at_s in times)).topics["a"]
    assert look.interval_s == pytest.approx(1.0)
    assert look.longest_gap_s == pytest.approx(5.0)
    assert look.jitter_s == pytest.approx(0.0, abs=1e-9)
    assert heard(message("a", 1)).topics["a"].interval_s is None


def test_the_grid_power_is_found_among_other_numbers() -> None:
    survey = heard(*(shelly(power_w, i) for i, power_w in enumerate((-200.0, 50.0, 120.0))))
    look = survey.topics["shellypro3em-1/events/rpc"]
    assert look.likely()[0].path == "params.em:0.total_act_power"
    assert "params.em:0.total_current" not in [each.path for each in look.likely()]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("energy", (5.0, 6.0, 7.0)),
        ("temperature", (20.0, 21.0, 20.5)),
        ("voltage", (230.1, 229.9, 231.0)),
        ("rssi", (-60.0, -61.0, -60.0)),
        ("x", (1770102920.0, 1770102921.0)),
        ("total_kwh", (1.0, 2.0)),
    ],
)
def test_other_quantities_do_not_look_like_it(path: str, values: tuple[float, ...]) -> None:
    look = heard(*(message("a", {path: value}) for value in values)).topics["a"]
    assert look.likely() == []


async def test_profiles_that_fit_are_found_with_their_id() -> None:
    survey = heard(shelly(-200.0, 0.0), shelly(50.0, 1.0))
    first, *_ = matches(tuple(survey.kept), KNOWN)
    assert first.section == {
        "driver": "mqtt_meter",
        "profile": "shelly_pro_3em",
        "id": "shellypro3em-1",
    }
    assert [reading.grid_w for reading in first.readings] == [-200.0, 50.0]


async def test_profiles_of_several_topics_need_all_of_them() -> None:
    stem = "shellies/em3/emeter"
    phases = [message(f"{stem}/{n}/power", 10 * n) for n in range(3)]
    names = [m.known.profile.name for m in matches(tuple(heard(*phases).kept), KNOWN)]
    assert names[0] == "shelly_3em"
    two = [m.known.profile.name for m in matches(tuple(heard(*phases[:2]).kept), KNOWN)]
    assert "shelly_3em" not in two


async def test_a_profile_that_cannot_control_comes_last_and_says_so() -> None:
    survey = heard(*(message("homeassistant/sensor/x/state", n) for n in range(3)))
    found = matches(tuple(survey.kept), KNOWN)
    assert found[-1].known.profile.name == "fritz_energy_250"
    assert "not for control: it reports each 10 s" in "\n".join(survey_lines(survey, found))


def test_a_number_that_no_profile_knows_is_written_out_by_hand() -> None:
    survey = heard(*(message("own/x", {"netz leistung": w}, w / 10) for w in (-5, 5, 15)))
    text = "\n".join(survey_lines(survey, []))
    assert "No profile fits" in text
    assert "topic: own/x" in text
    assert """path: '"netz leistung"'""" in text
    assert "expected_interval_s: 1.0" in text


def test_what_is_to_paste_is_yaml_of_the_section() -> None:
    sma = next(each for each in KNOWN if each.profile.name == "sma_meter")
    assert as_yaml(section_of(sma, link="meter"), {"type": "udp", "port": 9522}) == (
        "links:\n  meter:\n    type: udp\n    port: 9522\n"
        "devices:\n  meter:\n    driver: sma_meter\n    link: meter\n"
    )


def test_stored_messages_are_counted_and_not_read() -> None:
    survey = heard(message("homeassistant/sensor/x/state", 5, retained=True))
    assert (survey.topics["homeassistant/sensor/x/state"].retained, len(survey.kept)) == (1, 0)
    assert "stored by the broker" in "\n".join(survey_lines(survey, []))


def test_a_flood_of_topics_numbers_and_messages_is_bounded() -> None:
    survey = heard(*(message(f"t/{n}", n) for n in range(MOST_TOPICS + 50)))
    assert (len(survey.topics), survey.ignored) == (MOST_TOPICS, 50)
    wide = heard(message("a", {str(n): n for n in range(500)}))
    assert len(wide.topics["a"].paths) == MOST_PATHS
    many = heard(*(message("a", n) for n in range(MOST_KEPT + 10)))
    assert len(many.kept) == MOST_KEPT
    large = heard(*(message("a", b"9" * 60_000) for _ in range(200)))
    assert sum(len(each.payload) for each in large.kept) <= 4 << 20
    assert len("\n".join(survey_lines(survey, []))) < 5000


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "tele/x/SENSOR"]), st.binary(max_size=60)), max_size=8)
)
def test_nothing_that_is_heard_raises(said: list[tuple[str, bytes]]) -> None:
    survey = heard(*(message(topic, payload) for topic, payload in said))
    assert list(survey_lines(survey, [])) is not None
    assert json.dumps(survey_data(survey, []))


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"\xff", "no text"),
        (b"x" * 70_000, "longer than 64 kB"),
        (b"on", "no number and no JSON"),
        (b"[" * 5000, "no number and no JSON"),
        (b"{}", "JSON without numbers"),
        (b"", "no number and no JSON (empty)"),
    ],
)
def test_payloads_without_numbers_say_why(payload: bytes, says: str) -> None:
    found = numbers(payload)
    assert isinstance(found, str)
    assert says in found


def test_numbers_are_found_with_paths_that_can_be_pasted() -> None:
    payload = json.dumps({"a b": {"em:0": ["1,5", "7 W", None, True]}}).encode()
    assert numbers(payload) == [('"a b".em:0[0]', 1.5), ('"a b".em:0[1]', 7.0)]


def test_gridzero_is_never_told_to_follow_itself() -> None:
    survey = Survey(own="shed")
    said = ("shed/state", "shed/ha/main/power", "homeassistant/device/shed/config")
    meters = ("meter/grid", "homeassistant/sensor/grid/state", "shedding/power")
    for topic in (*said, *meters):
        survey.take(message(topic, -120.0))
    assert tuple(survey.topics) == meters
    assert survey.left_out == len(said)
    assert tuple(heard(message("shed/state", 1.0)).topics) == ("shed/state",)
