"""The section of the configuration file that describes one rectifier."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gridzero.ports.plugin import Options

RATED_W = {
    "R48-1000": 1000.0,
    "R48-1000e3": 1000.0,
    "R48-2000e": 2000.0,
    "R48-2000e3": 2000.0,
    "R48-2900U": 2900.0,
    "R48-3000e3": 3000.0,
    "R48-3200": 3200.0,
    "R48-3200e": 3200.0,
    "R48-3500e": 3500.0,
    "R48-3500e3": 3500.0,
    "R48-4000e": 4000.0,
}
"""Rated DC power, W. The data-sheet current (fraction 1.21) is this divided by 48 V."""

Model = Literal[
    "R48-1000",
    "R48-1000e3",
    "R48-2000e",
    "R48-2000e3",
    "R48-2900U",
    "R48-3000e3",
    "R48-3200",
    "R48-3200e",
    "R48-3500e",
    "R48-3500e3",
    "R48-4000e",
]


class VertivR48Options(Options):
    """One rectifier, found by its module address on a CAN link."""

    driver: Literal["vertiv_r48"] = "vertiv_r48"
    link: Annotated[str, Field(min_length=1, description="Name of the CAN link (125 kbit/s)")]
    module: Annotated[
        int, Field(ge=0, le=127, description="Module address on the bus, no unit; first unit is 0")
    ] = 0
    model: Annotated[
        Model, Field(description="Type on the label; gives the rated DC power in W")
    ] = "R48-3000e3"
    rated_w: Annotated[
        float | None,
        Field(ge=500.0, le=6000.0, description="Rated DC power in W, for a type not in the list"),
    ] = None
    max_w: Annotated[
        float,
        Field(
            ge=50.0,
            le=6000.0,
            description="Largest charging power at the mains side in W; never above the rating",
        ),
    ] = 2800.0
    min_fraction: Annotated[
        float,
        Field(
            ge=0.0,
            le=0.5,
            description="Smallest current limit the unit takes, fraction of its 100 % current "
            "(rated power at 58 V); some older units need 0.10",
        ),
    ] = 0.02
    max_v: Annotated[
        float,
        Field(
            ge=41.0,
            le=58.5,
            description="Highest output voltage ever asked for in V: cells in series times their "
            "highest voltage, less a margin",
        ),
    ] = 49.2
    ac_limit_a: Annotated[
        float | None,
        Field(ge=1.0, le=25.0, description="AC input current limit in A; left alone if absent"),
    ] = None
    efficiency: Annotated[
        float, Field(ge=0.7, le=1.0, description="DC power divided by AC power, no unit")
    ] = 0.955
    run_w: Annotated[
        float,
        Field(ge=0.0, le=200.0, description="Loss just for running in W; assumed, not measured"),
    ] = 12.0
    standby_w: Annotated[
        float,
        Field(ge=0.0, le=200.0, description="Draw with the output off in W; assumed, not measured"),
    ] = 4.0
    start_wh: Annotated[
        float,
        Field(ge=0.0, le=10.0, description="Energy that a start costs in Wh; assumed"),
    ] = 0.1
    full_load_extra_w: Annotated[
        float,
        Field(ge=0.0, le=500.0, description="Loss at max_w beyond that of a flat efficiency in W"),
    ] = 0.0
    refresh_s: Annotated[
        float,
        Field(ge=0.5, le=5.0, description="Time between repeats of the set-points in s"),
    ] = 2.0
    ramp_hold_s: Annotated[
        float,
        Field(ge=0.0, le=60.0, description="Time at minimum current after switching on in s"),
    ] = 10.0
    rise_a_per_s: Annotated[
        float, Field(gt=0.0, le=50.0, description="Fastest rise of the output current in A/s")
    ] = 5.0
    contactor: Annotated[
        str | None,
        Field(
            min_length=1,
            description="Name of the switch on its battery side (no unit); absent = none",
        ),
    ] = None
    compat_read_ids: Annotated[
        bool,
        Field(
            description="Read with the older identifier 0x06000783 (no unit); only for a single "
            "rectifier, address 0"
        ),
    ] = False

    @model_validator(mode="after")
    def _compat_is_for_one(self) -> Self:
        if self.compat_read_ids and self.module != 0:
            raise ValueError("compat_read_ids addresses module 0 only; set module: 0 or drop it")
        return self

    @property
    def rated_dc_w(self) -> float:
        """Rated DC power, W."""
        return RATED_W[self.model] if self.rated_w is None else self.rated_w
