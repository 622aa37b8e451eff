"""The section of the configuration file that describes one relay."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gridzero.ports.links import Bias
from gridzero.ports.plugin import Options
from gridzero_drivers.gpio_switch.codec import Feed

Line = Annotated[int, Field(ge=0, le=511)]


class GpioSwitchOptions(Options):
    """One normally open relay or contactor."""

    driver: Literal["gpio_switch"] = "gpio_switch"
    link: Annotated[str, Field(min_length=1, description="Name of the GPIO link")]
    line: Annotated[
        Line, Field(description="Line of the chip that drives it, 0..511 (on a Pi BCM)")
    ]
    feed: Annotated[
        Feed,
        Field(
            description="heartbeat: toggles into a charge pump that drops out when it stops; "
            "level: stays on, and may stay on when gridzero or the kernel dies"
        ),
    ] = Feed.HEARTBEAT
    heartbeat_hz: Annotated[
        float,
        Field(ge=1.0, le=50.0, description="Full cycles of the heartbeat per second, Hz, 1..50"),
    ] = 5.0
    active_low: Annotated[
        bool, Field(description="The pin is low to close it, as with most relay boards")
    ] = False
    feedback_line: Annotated[
        Line | None,
        Field(description="Line that reads an auxiliary contact, 0..511; absent = none"),
    ] = None
    feedback_active_low: Annotated[
        bool,
        Field(description="Low means closed: a contact to ground with a pull-up"),
    ] = True
    feedback_bias: Annotated[
        Bias, Field(description="The chip's own resistor at that line: none, pull_up, pull_down")
    ] = Bias.PULL_UP
    settle_s: Annotated[
        float,
        Field(ge=0.1, le=5.0, description="Time within which the feedback must agree, s, 0.1..5"),
    ] = 0.5

    @model_validator(mode="after")
    def _two_lines(self) -> Self:
        if self.feedback_line == self.line:
            raise ValueError("feedback_line is the line that drives it: the contact needs its own")
        return self

    @property
    def lines(self) -> tuple[int, ...]:
        """All lines in use."""
        return (self.line,) if self.feedback_line is None else (self.line, self.feedback_line)

    @property
    def beat_s(self) -> float:
        """Time between two looks at the lease and, with a heartbeat, between two edges."""
        return 0.5 / self.heartbeat_hz if self.feed is Feed.HEARTBEAT else 0.1
