"""What ``gridzero meter`` says, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from gridzero.domain.readings import MeterReading
from gridzero.meter.matching import Known, Match, as_yaml
from gridzero.meter.survey import PathLook, Survey, TopicLook

MOST_SHOWN: Final = 12
_MOST_PATHS_SHOWN = 12
_MARKED = 4  # of PathLook.likeness: a name that says power, or both signs


def listing(known: Sequence[Known]) -> Iterator[str]:
    """One line per profile."""
    width = max((len(each.profile.name) for each in known), default=0)
    for each in known:
        unfit = f"  (not for control: {each.profile.unfit})" if each.profile.unfit else ""
        name = f"{each.profile.name:{width}}  {each.plugin.name:10}"
        yield f"{each.profile.number:2}  {name}  {each.profile.title}{unfit}"


def listing_data(known: Sequence[Known]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "number": profile.number,
            "profile": profile.name,
            "driver": plugin.name,
            "title": profile.title,
            "settings": dict(profile.settings),
            "id": profile.id_means,
            "traps": list(profile.traps),
            "unfit": profile.unfit,
        }
        for plugin, profile in known
    ]


def survey_lines(survey: Survey, found: Sequence[Match]) -> Iterator[str]:
    """What was heard, the likeliest topics first, and what to paste."""
    looks = survey.by_likeness()
    for look in looks[:MOST_SHOWN]:
        yield from topic_lines(look)
    if len(looks) > MOST_SHOWN:
        yield f"... and {len(looks) - MOST_SHOWN} more topics; name one with --topic"
    if survey.ignored:
        yield f"{survey.ignored} messages of still more topics were not looked at"
    yield from match_lines(found)
    if not found:
        yield from _by_hand(looks)


def topic_lines(look: TopicLook) -> Iterator[str]:
    """One topic: rate, and each number with its last values."""
    yield f"{look.topic}  {_rate(look)}"
    if look.problem:
        yield f"    {look.problem}: {look.said}"
    likely = look.likely()
    shown = [*likely, *(each for each in look.paths.values() if each not in likely)]
    for i, each in enumerate(shown[:_MOST_PATHS_SHOWN]):
        is_marked = i == 0 and each.likeness(look.topic) >= _MARKED
        mark = "  <- looks like the grid power" if is_marked else ""
        values = "  ".join(f"{value:g}" for value in each.last)
        yield f"    {each.path or '(plain number)'}: {values}{_moves(each)}{mark}"
    if len(shown) > _MOST_PATHS_SHOWN:
        yield f"    ... and {len(shown) - _MOST_PATHS_SHOWN} more numbers"


def _rate(look: TopicLook) -> str:
    if look.interval_s is None or look.jitter_s is None or look.longest_gap_s is None:
        stored = ", stored by the broker" if look.retained else ""
        return f"{look.count} message{'' if look.count == 1 else 's'}{stored}"
    rate = f"each {look.interval_s:.2f} s, jitter {look.jitter_s:.2f} s"
    return f"{rate}, longest gap {look.longest_gap_s:.1f} s ({look.count} messages)"


def _moves(look: PathLook) -> str:
    if not look.changes:
        return "  (does not move)"
    if look.low < 0 < look.high:
        return "  (both signs)"
    return "  (never negative)" if look.low >= 0 else "  (never positive)"


def match_lines(found: Sequence[Match]) -> Iterator[str]:
    """Profiles that can read it; the first as YAML."""
    for i, match in enumerate(found[:MOST_SHOWN]):
        profile, last = match.known.profile, match.readings[-1]
        if i == 0:
            yield ""
            yield "Profiles that can read this:"
        id_ = f" with id {match.section['id']}" if "id" in match.section else ""
        yield f"  {profile.name}{id_}: {last.grid_w:.0f} W, {profile.title}"
        if profile.unfit:
            yield f"    not for control: {profile.unfit}"
    if found:
        yield ""
        yield "To paste:"
        yield as_yaml(found[0].section, found[0].link)


def _by_hand(looks: Sequence[TopicLook]) -> Iterator[str]:
    """The likeliest number of all without a profile."""
    for look in looks:
        for path in look.likely()[:1]:
            yield ""
            yield "No profile fits. The likeliest number, to paste and to check:"
            yield as_yaml(by_hand(look, path))
            return
    if looks:
        yield "No number here looks like a grid power. Listen longer, or name the topic."


def by_hand(look: TopicLook, path: PathLook) -> dict[str, Any]:
    """A section for a number that no profile knows."""
    section: dict[str, Any] = {"driver": "mqtt_meter", "topic": look.topic}
    if path.path:
        section["path"] = path.path
    if look.interval_s is not None:
        section["expected_interval_s"] = round(max(look.interval_s, 0.1), 1)
    return section


def survey_data(survey: Survey, found: Sequence[Match]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "topics": [_topic_data(look) for look in survey.by_likeness()],
        "ignored": survey.ignored,
        "profiles": [match_data(match) for match in found],
    }


def _topic_data(look: TopicLook) -> dict[str, Any]:
    return {
        "topic": look.topic,
        "messages": look.count,
        "retained": look.retained,
        "interval_s": look.interval_s,
        "jitter_s": look.jitter_s,
        "longest_gap_s": look.longest_gap_s,
        "problem": look.problem,
        "numbers": [
            {
                "path": each.path,
                "last": list(each.last),
                "moves": bool(each.changes),
                "low": each.low,
                "high": each.high,
                "likeness": each.likeness(look.topic),
            }
            for each in look.paths.values()
        ],
    }


def match_data(match: Match) -> dict[str, Any]:
    """One profile that can read it."""
    return {
        "profile": match.known.profile.name,
        "section": dict(match.section),
        "readings": len(match.readings),
        "grid_w": match.readings[-1].grid_w,
        "unfit": match.known.profile.unfit,
    }


def reading_line(reading: MeterReading, before: MeterReading | None) -> str:
    """One reading as gridzero sees it."""
    gap_s = None if before is None else reading.received_at_s - before.received_at_s
    gap = "" if gap_s is None else f"  {gap_s:.2f} s after the last"
    age_s = reading.received_at_s - reading.at_s
    side = "import" if reading.grid_w > 0 else "export" if reading.grid_w < 0 else ""
    return f"{reading.grid_w:8.0f} W  {side:6}  {age_s:.2f} s old{gap}"


def as_json(data: Any) -> str:
    """For programs."""
    return json.dumps(data, indent=1)


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)  # noqa: T201 - a command's own output
