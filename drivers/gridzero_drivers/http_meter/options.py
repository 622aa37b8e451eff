"""The meter's section of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from gridzero.ports.plugin import Doubt, Profile
from gridzero_drivers.http_meter.profiles import PROFILES
from gridzero_drivers.metering.named import Named, by_name, doubts, profile_field
from gridzero_drivers.metering.path import Path
from gridzero_drivers.metering.places import JsonPaths, Place, Term, Timing, parsed_all, terms_of

_Request = Annotated[str, StringConstraints(pattern=r"^/[!-~]*$", max_length=1024)]


class HttpMeterOptions(Named, Place, Timing):
    """A grid meter behind an HTTP link: a ``profile``, or ``request`` with ``path``.

    link: name of a link of type http. request: what is asked for, with a slash first. format: of
    the answer; with sml, path is an OBIS code in quotes. expected_interval_s: how often it is
    asked. import_kwh_path, export_kwh_path: where the meter's own counters stand, several to be
    summed (tariffs). kwh_scale: kWh per unit of them.
    """

    profile: str | None = profile_field(PROFILES)
    PROFILES: ClassVar[Mapping[str, Profile]] = by_name(PROFILES)

    driver: Literal["http_meter"]
    link: str = Field(min_length=1)
    request: _Request | None = None
    format: Literal["json", "sml"] = "json"
    expected_interval_s: float = Field(default=1.0, ge=0.2, le=3600)

    import_kwh_path: JsonPaths | None = None
    export_kwh_path: JsonPaths | None = None
    kwh_scale: FiniteFloat = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _something_is_asked(self) -> Self:
        if self.request is None:
            raise ValueError("request is missing: what to ask for, such as /api/v1/data")
        return self

    @property
    def target(self) -> str:
        """What is asked for."""
        return self.request or "/"

    @model_validator(mode="after")
    def _the_number_has_a_place(self) -> Self:
        if self.path is None and (self.export_path or self.format == "sml"):
            raise ValueError("path is missing: where the number stands in the answer")
        if self.path is not None and self.path == self.export_path:
            raise ValueError("path and export_path are the same: their difference is always 0")
        return self

    def terms(self) -> tuple[Term, ...]:
        """The one or two numbers of an answer."""
        return terms_of(self, 0, self.target)

    def counter_paths(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Where import and export are counted; empty = nowhere."""
        return parsed_all(self.import_kwh_path), parsed_all(self.export_kwh_path)

    def doubts(self) -> tuple[Doubt, ...]:
        """What ``gridzero check`` should warn of."""
        return doubts(self.PROFILES.get(self.profile or ""), self)
