"""The ``vw_gte`` section of the configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from gridzero.ports.plugin import Options
from gridzero_drivers.vw_gte.codec import PROVEN_MINUTES
from gridzero_drivers.vw_gte.ids import LARGEST_MODULE, Variant

SeriesCells = Literal[10, 12, 13]
ModuleNumber = Annotated[int, Field(ge=1, le=LARGEST_MODULE, strict=True)]
BusKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,8}$")]


class Member(NamedTuple):
    """One configured module with every default filled in."""

    bus: str
    number: int
    series_cells: int
    variant: Variant

    @property
    def name(self) -> str:
        """Such as ``b3``."""
        return f"{self.bus}{self.number}"


class ModuleOptions(Options):
    """A module that differs from the driver's defaults."""

    number: ModuleNumber = Field(description="Number fixed in the module, 1 to 16")
    series_cells: SeriesCells | None = Field(
        default=None, description="Cells in series: 10, 12 or 13; default: as the driver says"
    )
    variant: Variant | None = Field(
        default=None, description="gte_gen1, standard or meb; default: as the driver says"
    )


class BusOptions(Options):
    """The modules on one CAN bus."""

    link: str = Field(min_length=1, description="Name of the CAN link (500 kbit/s)")
    modules: list[ModuleNumber | ModuleOptions] = Field(
        min_length=1,
        max_length=LARGEST_MODULE,
        description="Module numbers; or {number, series_cells, variant} where one differs",
    )

    @model_validator(mode="after")
    def _each_number_once(self) -> BusOptions:
        counts = Counter(_number(module) for module in self.modules)
        twice = sorted(number for number, count in counts.items() if count > 1)
        if twice:
            raise ValueError(
                f"module number {', '.join(map(str, twice))} stands twice on link {self.link!r}: "
                "modules with the same number disturb each other, put one on another bus"
            )
        return self


class VwGteOptions(Options):
    """Battery modules of VW Golf/Passat GTE, e-Golf and ID cars on one or more CAN buses."""

    driver: Literal["vw_gte"] = Field(default="vw_gte", description="Selects this driver")
    buses: dict[BusKey, BusOptions] = Field(
        min_length=1, description="Buses by short letters: module 3 of bus b is called b3"
    )
    series_cells: SeriesCells = Field(
        default=12, description="Cells in series per module: 10, 12 or 13"
    )
    variant: Variant = Field(
        default="gte_gen1",
        description="gte_gen1: first Golf/Passat GTE (balancing of module 3 at other ids); "
        "standard: later GTE and e-Golf; meb: ID family",
    )
    poll_period_s: float = Field(
        default=0.5, ge=0.1, le=1.0, description="Time between requests for voltages, s, 0.1 to 1"
    )
    poll_gap_s: float = Field(
        default=0.002,
        ge=0.001,
        le=0.05,
        description="Time between the two frames of a request, s, 0.001 to 0.05",
    )
    bleed_minutes: int = Field(
        default=PROVEN_MINUTES,
        ge=2,
        le=506,
        multiple_of=2,
        description="How long a module goes on bleeding when it hears nothing more, minutes, "
        "even, 2 to 506. 16 is field-proven; the shortest that works on the bench is best",
    )
    plausible_min_v: float = Field(
        default=1.5, ge=1.0, le=3.0, description="Cells below are suspect, V, 1 to 3"
    )
    plausible_max_v: float = Field(
        default=4.5, ge=4.0, le=5.0, description="Cells above are suspect, V, 4 to 5"
    )
    temperature_offset: Literal["worse_of_both", "minus_40", "minus_43"] = Field(
        default="worse_of_both",
        description="Offset of GTE sensors, degrees Celsius. Sources disagree: worse_of_both "
        "holds cold limits with -43 and hot limits with -40",
    )

    @model_validator(mode="after")
    def _links_and_variants_fit(self) -> VwGteOptions:
        links = Counter(bus.link for bus in self.buses.values())
        shared = sorted(link for link, count in links.items() if count > 1)
        if shared:
            raise ValueError(f"link {shared[0]!r} is used by two buses: list its modules in one")
        for member in self.members():
            if member.variant == "meb" and member.series_cells == 13:
                raise ValueError(
                    f"module {member.name}: a 13th cell of meb modules is not known; "
                    "use series_cells: 12"
                )
        return self

    def members(self) -> Iterator[Member]:
        """Every module in configured order."""
        for key, bus in self.buses.items():
            for module in bus.modules:
                yield self._member(key, module)

    def _member(self, bus: str, module: int | ModuleOptions) -> Member:
        if isinstance(module, int):
            return Member(bus, module, self.series_cells, self.variant)
        return Member(
            bus,
            module.number,
            module.series_cells or self.series_cells,
            module.variant or self.variant,
        )


def _number(module: int | ModuleOptions) -> int:
    return module if isinstance(module, int) else module.number


def link_names(options: VwGteOptions) -> tuple[tuple[str, str], ...]:
    """(kind, name) of each link."""
    return tuple(("can", bus.link) for bus in options.buses.values())
