from __future__ import annotations

from math import isfinite
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mqtt_meter_site import near, options

from gridzero.domain.readings import MeterReading
from gridzero_drivers.metering.codec import NoReading
from gridzero_drivers.metering.rounds import Rounds


def rounds_of(**given: Any) -> Rounds:
    made = options(**given)
    return Rounds(made.terms(), made)


THREE = [{"topic": "a"}, {"topic": "b"}, {"topic": "c"}]


def take(rounds: Rounds, topic: str, value: float, at_s: float) -> float | NoReading | None:
    result = rounds.take(topic, str(value).encode(), at_s)
    return result.grid_w if isinstance(result, MeterReading) else result


def test_three_phases_are_one_reading_when_the_last_arrives() -> None:
    rounds = rounds_of(sources=THREE, latency_s=0.2)
    assert take(rounds, "b", 10, 1.00) is None
    assert take(rounds, "a", 5, 1.02) is None
    assert rounds.missing() == ("c",)
    assert rounds.take("c", b"-40", 1.05) == MeterReading(near(0.80), 1.05, -25)
    assert take(rounds, "c", -41, 1.55) is None


def test_a_phase_that_stays_silent_ends_in_no_reading() -> None:
    rounds = rounds_of(sources=THREE)
    results = [take(rounds, "ab"[i % 2], i, i * 0.25) for i in range(40)]
    assert set(results) == {None}
    assert take(rounds, "c", 3, 20.0) is NoReading.INCOMPLETE
    assert rounds.missing() == ("a", "b")


def test_a_part_from_before_the_window_never_counts() -> None:
    rounds = rounds_of(sources=THREE[:2], pair_window_s=1.0, expected_interval_s=5)
    take(rounds, "a", 1000, 0.0)
    assert take(rounds, "b", 1, 1.1) is NoReading.INCOMPLETE
    assert take(rounds, "a", 2, 1.2) == 3


def test_an_unreadable_part_takes_its_old_value_with_it() -> None:
    rounds = rounds_of(sources=THREE[:2])
    take(rounds, "a", 1000, 0.0)
    assert rounds.take("a", b"unavailable", 0.1) is NoReading.UNAVAILABLE
    assert take(rounds, "b", 1, 0.2) is None


def play(rounds: Rounds, lost: set[int], count: int, gap_s: float) -> list[MeterReading]:
    """Import and export, gap_s apart, each 0.5 s; the value is the number of the round."""
    readings = []
    for i in range(count):
        topic, number = "ab"[i % 2], i // 2
        if i not in lost:
            at_s = number * 0.5 + (i % 2) * gap_s
            result = rounds.take(topic, str(number).encode(), at_s)
            readings += [result] if isinstance(result, MeterReading) else []
    return readings


def test_after_a_lost_message_the_rounds_close_up_again() -> None:
    for lost in range(12):
        rounds = rounds_of(topic="a", export_topic="b")
        readings = play(rounds, {lost}, 40, gap_s=0.02)
        assert len(readings) == 19
        assert [r.grid_w for r in readings] == [0.0] * 19, "import and export of one round"


def test_starting_in_the_middle_of_a_round_closes_up_too() -> None:
    rounds = rounds_of(sources=THREE)
    powers = []
    for i in range(1, 60):
        result = take(rounds, "abc"[i % 3], i // 3, i // 3 * 0.5 + i % 3 * 0.02)
        powers += [] if result is None else [result]
    assert powers == [3 * number for number in range(1, 20)]


def test_phases_that_lie_apart_are_accepted_as_they_are() -> None:
    rounds = rounds_of(sources=THREE, expected_interval_s=1.0)
    readings = [take(rounds, "abc"[i % 3], 10, i * 0.4) for i in range(3000)]
    assert readings.count(30) > 900
    assert set(readings) == {None, 30}


def test_several_numbers_of_one_message_are_one_round() -> None:
    sources = [{"topic": "m", "path": f"phase[{i}]", "time_path": "t"} for i in range(3)]
    rounds = rounds_of(sources=sources)
    assert rounds.topics == ("m",)
    result = rounds.take("m", b'{"t":5.5,"phase":[1,2,-10]}', 1.0)
    assert result == MeterReading(near(0.7), 1.0, -7)
    assert rounds.take("m", b'{"t":5.5,"phase":[1,2,-10]}', 1.5) is NoReading.REPEATED


def test_time_stamps_move_the_moment_of_measurement() -> None:
    rounds = rounds_of(path="p", time_path="t", latency_s=0.2)
    first = rounds.take("m", b'{"t":100.5,"p":1}', 1.0)
    late = rounds.take("m", b'{"t":101.0,"p":1}', 2.3)
    assert first == MeterReading(near(0.8), 1.0, 1)
    assert late == MeterReading(near(1.3), 2.3, 1)


def test_time_never_runs_backwards() -> None:
    rounds = rounds_of(path="p", time_path="t", latency_s=0.0)
    rounds.take("m", b'{"t":100.5,"p":1}', 5.0)
    sooner = rounds.take("m", b'{"t":100.6,"p":1}', 5.0)
    latest = rounds.take("m", b'{"t":100.7,"p":1}', 5.2)
    assert isinstance(sooner, MeterReading)
    assert isinstance(latest, MeterReading)
    assert 5.0 <= sooner.at_s <= latest.at_s <= 5.2


def test_a_sum_beyond_the_fuse_is_no_reading() -> None:
    rounds = rounds_of(plausible_w=1000, scale=1000)
    assert take(rounds, "m", 1, 0.0) == 1000
    assert take(rounds, "m", 1.001, 0.1) is NoReading.IMPLAUSIBLE
    assert take(rounds, "m", -1e308, 0.2) is NoReading.IMPLAUSIBLE


def test_opposed_infinities_are_implausible() -> None:
    rounds = rounds_of(path="p", export_path="e", scale=1e6)
    assert rounds.take("m", b'{"p":1e308,"e":1e308}', 0.0) is NoReading.IMPLAUSIBLE


@given(
    st.lists(
        st.tuples(st.sampled_from("abcx"), st.floats() | st.integers() | st.text(), st.floats(0, 3))
    )
)
def test_a_reading_is_whole_recent_and_plausible(
    messages: list[tuple[str, float | str, float]],
) -> None:
    rounds, now_s, last_s = rounds_of(sources=THREE), 0.0, float("-inf")
    heard: dict[str, float] = {}
    for topic, value, wait_s in messages:
        now_s += wait_s
        result = rounds.take(topic, str(value).encode(errors="replace"), now_s)
        heard[topic] = now_s
        if isinstance(result, MeterReading):
            assert isfinite(result.grid_w)
            assert abs(result.grid_w) <= 30_000
            assert all(now_s - heard[name] <= 1.0 for name in "abc")
            assert last_s <= result.at_s <= result.received_at_s == now_s
            last_s = result.at_s
