"""The meter's section of the configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from gridzero.ports.plugin import Options
from gridzero_drivers.mqtt_meter.path import Path, parse


class Term(NamedTuple):
    """One number to be read, and how it counts in the sum.

    path: None = the payload is the number. factor: W of import per unit of the number; negative
    for exports. source: index of the source it belongs to. one_sided: import or export of a
    pair, so never negative.
    """

    topic: str
    path: Path | None
    factor: float
    source: int
    one_sided: bool
    time_path: Path | None = None


def _is_path(text: str) -> str:
    parse(text)
    return text


def _is_topic(text: str) -> str:
    if any(character in text for character in "+#\0"):
        raise ValueError(f"the topic {text!r} must be one topic, without + and #")
    return text


JsonPath = Annotated[str, AfterValidator(_is_path)]
JsonPaths = JsonPath | tuple[JsonPath, ...]
Topic = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_is_topic)]


class _Place(Options):
    """Where a signed power stands, apart from its topic.

    path: place of the number in a JSON payload; absent = the payload is the number.
    export_topic, export_path: a second number, subtracted. export_path alone reads it from the
    same message; export_topic alone is a topic of plain numbers.
    scale: W per unit of the number (1000 for kW). sign: what a positive number means.
    time_path: place of the time of measurement in messages of ``topic``.
    """

    path: JsonPath | None = None
    export_topic: Topic | None = None
    export_path: JsonPath | None = None
    scale: FiniteFloat = Field(default=1.0, gt=0)
    sign: Literal["import_positive", "export_positive"] = "import_positive"
    time_path: JsonPath | None = None

    @model_validator(mode="after")
    def _paths_have_a_document(self) -> Self:
        if self.export_path and not (self.path or self.export_topic):
            raise ValueError("export_path needs path (same message) or export_topic")
        if self.time_path and not self.path:
            raise ValueError("time_path needs path: a plain number carries no time")
        return self


class Source(_Place):
    """One of several powers that are summed, such as a phase."""

    topic: Topic


class MqttMeterOptions(_Place):
    """A grid meter on MQTT: either ``topic`` (with path, scale ...) or ``sources``.

    latency_s: usual time from measurement to arrival. expected_interval_s: usual time between
    readings. pair_window_s: parts of a sum may be this much older than the newest part; default
    two intervals, at least 1 s. plausible_w: a larger magnitude is no reading.

    import_kwh_path, export_kwh_path: where the meter's own counters stand, several to be summed
    (tariffs), in JSON messages of counter_topic (default: topic). kwh_scale: kWh per unit of them.
    """

    driver: Literal["mqtt_meter"]
    topic: Topic | None = None
    sources: tuple[Source, ...] = ()
    latency_s: float = Field(default=0.3, ge=0, le=30)
    expected_interval_s: float = Field(default=0.5, gt=0, le=3600)
    pair_window_s: float | None = Field(default=None, gt=0, le=3600)
    plausible_w: float = Field(default=30_000, gt=0, le=1_000_000)
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
        doubled = sorted(self.model_fields_set & _Place.model_fields.keys())
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

    @property
    def window_s(self) -> float:
        """How much older than the newest the parts of a sum may be."""
        return self.pair_window_s or max(2 * self.expected_interval_s, 1.0)

    def terms(self) -> tuple[Term, ...]:
        """Everything that is summed."""
        sources = self.sources or (self._single(),)
        return tuple(term for i, source in enumerate(sources) for term in _terms(i, source))

    def counter_paths(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Where import and export are counted; empty = nowhere."""
        return _all(self.import_kwh_path), _all(self.export_kwh_path)

    def _single(self) -> Source:
        fields: dict[str, Any] = {key: getattr(self, key) for key in _Place.model_fields}
        return Source(topic=self.topic or "", **fields)


def _terms(index: int, source: Source) -> list[Term]:
    factor = source.scale if source.sign == "import_positive" else -source.scale
    paired = source.export_topic is not None or source.export_path is not None
    path, export_path, time_path = map(_parsed, (source.path, source.export_path, source.time_path))
    first = Term(source.topic, path, factor, index, paired, time_path)
    if not paired:
        return [first]
    topic = source.export_topic or source.topic
    return [first, Term(topic, export_path, -factor, index, paired)]


def _all(paths: JsonPaths | None) -> tuple[Path, ...]:
    if paths is None:
        return ()
    return tuple(parse(text) for text in ((paths,) if isinstance(paths, str) else paths))


def _parsed(text: str | None) -> Path | None:
    return None if text is None else parse(text)
