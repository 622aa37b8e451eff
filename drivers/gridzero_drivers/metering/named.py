"""Profiles in a section of the configuration: ``profile: NAME`` and what is given besides."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from gridzero.ports.plugin import Doubt, Options, Profile
from gridzero_drivers.metering.places import SLOW_S, Place, Timing

_HOLE = "{id}"


def profile_field(rows: tuple[Profile, ...]) -> Any:
    """The setting ``profile``; editors get to know the names."""
    return Field(
        default=None,
        description="name of a known meter; gridzero meter list shows them",
        json_schema_extra={"enum": [None, *(row.name for row in rows)]},
    )


class Named(Options):
    """Options that a profile may fill in; whatever is given besides wins.

    profile: name of a known meter. id: what the profile needs to know of this one.
    """

    PROFILES: ClassVar[Mapping[str, Profile]] = {}

    profile: str | None = None
    id: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="what the profile needs to know of this meter, such as its name in topics",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        name = given.get("profile")
        if name is None:
            if given.get("id") is not None:
                raise ValueError("id belongs to a profile: add profile, or remove id")
            return given
        if not isinstance(name, str):
            return given  # the field itself says so
        return filled(cls._profile(name), given)

    @classmethod
    def _profile(cls, name: str) -> Profile:
        found = cls.PROFILES.get(name)
        if found is None:
            near = difflib.get_close_matches(name, cls.PROFILES, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(
                f"there is no profile {name!r} here: {hint}gridzero meter list shows all"
            )
        return found


def filled(profile: Profile, given: Mapping[str, Any]) -> dict[str, Any]:
    """A section as if the profile's settings stood in it; what is given wins."""
    merged = _merged(dict(profile.settings), given)
    if not any(_HOLE in text for text in _texts(merged)):
        if given.get("id") is not None:
            raise ValueError(f"the profile {profile.name} has no use for id with these settings")
        return merged
    id_ = given.get("id")
    if id_ is None:
        raise ValueError(f"the profile {profile.name} needs id: {profile.id_means}")
    return {key: _with_id(value, str(id_)) for key, value in merged.items()}


def _merged(settings: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Sources and single places exclude each other; a place setting goes into each source."""
    places = Place.model_fields.keys()
    if given.get("sources"):
        own = {"topic", "export_topic", *places}
        settings = {key: value for key, value in settings.items() if key not in own}
    elif given.get("topic"):
        settings.pop("sources", None)
    elif "sources" in settings:
        changes = {key: value for key, value in given.items() if key in places}
        sources = [{**source, **changes} for source in settings["sources"]]
        given = {key: value for key, value in given.items() if key not in changes}
        return {**settings, **given, "sources": sources}
    return {**settings, **given}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)


def _with_id(value: Any, id_: str) -> Any:
    if isinstance(value, str):
        return value.replace(_HOLE, id_)
    if isinstance(value, Mapping):
        return {key: _with_id(below, id_) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_with_id(below, id_) for below in value]
    return value


def doubts(profile: Profile | None, timing: Timing) -> tuple[Doubt, ...]:
    """What speaks against a meter for control."""
    found = []
    if profile is not None and profile.unfit:
        what = f"the profile {profile.name} cannot hold the grid at zero: {profile.unfit}"
        found.append(Doubt("profile", what, "Use another meter, or see docs/meters.md"))
    if timing.expected_interval_s >= SLOW_S:
        key = "expected_interval_s" if "expected_interval_s" in timing.model_fields_set else ""
        key = "profile" if profile is not None else key
        what = f"a reading each {timing.expected_interval_s:g} s is too slow to follow a house"
        remedy = "Let the meter report each second or two, and set expected_interval_s to that"
        found.append(Doubt(key, what, remedy))
    return tuple(found)


def by_name(rows: tuple[Profile, ...]) -> dict[str, Profile]:
    """Profiles by their names, which are unique."""
    found = {row.name: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("two profiles have the same name")
    return found
