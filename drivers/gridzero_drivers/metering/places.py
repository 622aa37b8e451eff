"""Where a power stands in what a meter says, and how often it says it."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from gridzero.ports.plugin import Options
from gridzero_drivers.metering.codec import Direction
from gridzero_drivers.metering.path import Path, parse

SLOW_S = 10.0
"""From this interval on a meter is too slow to hold the grid at zero."""


class Term(NamedTuple):
    """One number to be read, and how it counts in the sum.

    topic: MQTT topic, or the request of an HTTP meter. path: None = the payload is the number.
    factor: W of import per unit of the number; negative for exports. source: index of the source
    it belongs to. one_sided: import or export of a pair, so never negative.
    """

    topic: str
    path: Path | None
    factor: float
    source: int
    one_sided: bool
    time_path: Path | None = None
    outdated_path: Path | None = None
    direction: Direction | None = None


def _is_path(text: str) -> str:
    parse(text)
    return text


JsonPath = Annotated[str, AfterValidator(_is_path)]
JsonPaths = JsonPath | tuple[JsonPath, ...]
_Words = Annotated[tuple[str, ...], Field(min_length=1, max_length=16)]


class Place(Options):
    """Where a signed power stands.

    path: place of the number in a JSON payload; absent = the payload is the number.
    export_path: a second number, subtracted. scale: W per unit of the number (1000 for kW).
    sign: what a positive number means. time_path: place of the time of measurement.
    outdated_path: place of a truth that says the number is old. direction_path: place of a word
    that says which way the power flows, for meters whose number has no sign.
    """

    path: JsonPath | None = None
    export_path: JsonPath | None = None
    scale: FiniteFloat = Field(default=1.0, gt=0)
    sign: Literal["import_positive", "export_positive"] = "import_positive"
    time_path: JsonPath | None = None
    outdated_path: JsonPath | None = None
    direction_path: JsonPath | None = None
    import_words: _Words = ("consuming", "import", "forward")
    export_words: _Words = ("producing", "export", "reverse")

    @model_validator(mode="after")
    def _paths_have_a_document(self) -> Self:
        for name in ("time_path", "outdated_path", "direction_path"):
            if getattr(self, name) and not self.path:
                raise ValueError(f"{name} needs path: a plain number carries nothing else")
        return self

    @model_validator(mode="after")
    def _one_sense_of_direction(self) -> Self:
        if self.direction_path and self.export_path:
            raise ValueError("direction_path and export_path exclude each other")
        both = set(map(str.lower, self.import_words)) & set(map(str.lower, self.export_words))
        if both:
            raise ValueError(f"{', '.join(sorted(both))} cannot mean import and export")
        return self


class Timing(Options):
    """When readings come and how old they are.

    latency_s: usual time from measurement to arrival. expected_interval_s: usual time between
    readings. pair_window_s: parts of a sum may be this much older than the newest part; default
    two intervals, at least 1 s. plausible_w: a larger magnitude is no reading.
    """

    latency_s: float = Field(default=0.3, ge=0, le=30)
    expected_interval_s: float = Field(default=0.5, gt=0, le=3600)
    pair_window_s: float | None = Field(default=None, gt=0, le=3600)
    plausible_w: float = Field(default=30_000, gt=0, le=1_000_000)

    @property
    def window_s(self) -> float:
        """How much older than the newest the parts of a sum may be."""
        return self.pair_window_s or max(2 * self.expected_interval_s, 1.0)


def terms_of(
    place: Place, index: int, topic: str, export_topic: str | None = None
) -> tuple[Term, ...]:
    """The one or two numbers of a place."""
    factor = place.scale if place.sign == "import_positive" else -place.scale
    paired = export_topic is not None or place.export_path is not None
    first = Term(
        topic,
        _parsed(place.path),
        factor,
        index,
        paired,
        _parsed(place.time_path),
        _parsed(place.outdated_path),
        _direction(place),
    )
    if not paired:
        return (first,)
    other = Term(export_topic or topic, _parsed(place.export_path), -factor, index, one_sided=True)
    return first, other


def _direction(place: Place) -> Direction | None:
    if place.direction_path is None:
        return None
    words = dict.fromkeys(map(str.lower, place.import_words), 1)
    words |= dict.fromkeys(map(str.lower, place.export_words), -1)
    return Direction(parse(place.direction_path), words)


def _parsed(text: str | None) -> Path | None:
    return None if text is None else parse(text)


def parsed_all(paths: JsonPaths | None) -> tuple[Path, ...]:
    """One path, several or none."""
    if paths is None:
        return ()
    return tuple(parse(text) for text in ((paths,) if isinstance(paths, str) else paths))
