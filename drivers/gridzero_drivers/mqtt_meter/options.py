"""The meter's section of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from gridzero.ports.plugin import Doubt, Profile
from gridzero_drivers.metering.named import Named, by_name, doubts, profile_field
from gridzero_drivers.metering.path import Path
from gridzero_drivers.metering.places import JsonPaths, Place, Term, Timing, parsed_all, terms_of
from gridzero_drivers.mqtt_meter.profiles import PROFILES


def _is_topic(text: str) -> str:
    if any(character in text for character in "+#\0"):
        raise ValueError(f"the topic {text!r} must be one topic, without + and #")
    return text


Topic = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_is_topic)]


class _TopicPlace(Place):
    """A place that may have its export on a topic of its own.

    export_topic: with export_path JSON, alone a topic of plain numbers.
    """

    export_topic: Topic | None = None

    @model_validator(mode="after")
    def _export_has_a_document(self) -> Self:
        if self.export_path and not (self.path or self.export_topic):
            raise ValueError("export_path needs path (same message) or export_topic")
        if self.direction_path and self.export_topic:
            raise ValueError("direction_path and export_topic exclude each other")
        return self


class Source(_TopicPlace):
    """One of several powers that are summed, such as a phase."""

    topic: Topic


class MqttMeterOptions(Named, _TopicPlace, Timing):
    """A grid meter on MQTT: a ``profile``, ``topic`` (with path, scale ...) or ``sources``.

    import_kwh_path, export_kwh_path: where the meter's own counters stand, several to be summed
    (tariffs), in JSON messages of counter_topic (default: topic). kwh_scale: kWh per unit of them.
    """

    profile: str | None = profile_field(PROFILES)
    PROFILES: ClassVar[Mapping[str, Profile]] = by_name(PROFILES)

    driver: Literal["mqtt_meter"]
    topic: Topic | None = None
    sources: tuple[Source, ...] = ()
    import_kwh_path: JsonPaths | None = None
    export_kwh_path: JsonPaths | None = None
    counter_topic: Topic | None = None
    kwh_scale: FiniteFloat = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _counters_have_a_document(self) -> Self:
        topic, wanted = self.counter_topic or self.topic, any(self.counter_paths())
        if self.counter_topic and not wanted:
            raise ValueError("counter_topic needs import_kwh_path or export_kwh_path")
        if wanted and not topic:
            raise ValueError("with sources, the counters' paths need counter_topic")
        if wanted and any(t.topic == topic and t.path is None for t in self.terms()):
            raise ValueError(f"topic {topic!r} is a plain number: counters need counter_topic")
        return self

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.topic) == bool(self.sources):
            raise ValueError("give either topic or sources (a list), not both and not neither")
        doubled = sorted(self.model_fields_set & _TopicPlace.model_fields.keys())
        if self.sources and doubled:
            raise ValueError(f"with sources, {', '.join(doubled)} belongs into each source")
        return self

    @model_validator(mode="after")
    def _no_number_twice(self) -> Self:
        places = [(term.topic, term.path) for term in self.terms()]
        for i, (topic, path) in enumerate(places):
            if (topic, path) in places[:i]:
                raise ValueError(f"the same number of topic {topic!r} would count twice")
            if any(topic == other and (path is None) != (at is None) for other, at in places[:i]):
                raise ValueError(f"topic {topic!r} cannot be a plain number and JSON at once")
        return self

    def terms(self) -> tuple[Term, ...]:
        """Everything that is summed."""
        sources = self.sources or (self._single(),)
        return tuple(
            term
            for i, source in enumerate(sources)
            for term in terms_of(source, i, source.topic, source.export_topic)
        )

    def counter_paths(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Where import and export are counted; empty = nowhere."""
        return parsed_all(self.import_kwh_path), parsed_all(self.export_kwh_path)

    def _single(self) -> Source:
        fields: dict[str, Any] = {key: getattr(self, key) for key in _TopicPlace.model_fields}
        return Source(topic=self.topic or "", **fields)

    def doubts(self) -> tuple[Doubt, ...]:
        """What ``gridzero check`` should warn of."""
        return doubts(self.PROFILES.get(self.profile or ""), self)
