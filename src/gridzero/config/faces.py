"""What people look at, and who is told: sections of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from gridzero.config.section import Number, Section

Host = Annotated[str, StringConstraints(min_length=1, max_length=255)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class HomeAssistantConfig(Section):
    """Entities of Home Assistant by MQTT discovery."""

    enabled: bool = Field(default=True, description="announce everything to Home Assistant")


class HistoryConfig(Section):
    """The local store of what was."""

    enabled: bool = Field(default=True, description="record to a file in the state folder")
    path: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="the file; absent = history.sqlite in the state folder",
    )
    raw_days: Number = Field(
        default=14, ge=1, le=400, description="days of values of each second, 1..400"
    )
    minute_days: Number = Field(
        default=400, ge=1, le=4000, description="days of minutes and of every cell, 1..4000"
    )
    hour_years: Number = Field(
        default=20, ge=0.1, le=50, description="years of hours and events, 0.1..50"
    )
    max_mb: Number = Field(
        default=500, ge=16, le=100_000, description="largest size of the file, MB, 16..100000"
    )
    batch_s: Number = Field(
        default=30,
        ge=5,
        le=300,
        description="writes at once what came in so many seconds, 5..300; the most a crash loses",
    )

    def file(self, state_dir: str) -> Path:
        """Where the history is."""
        return Path(self.path) if self.path else Path(state_dir) / "history.sqlite"


class ConsoleConfig(Section):
    """The console over telnet."""

    enabled: bool = Field(default=True, description="listen for `gridzero console` and telnet")


class DashboardConfig(Section):
    """The web page, a process of its own."""


class MetricsConfig(Section):
    """Figures for Prometheus."""

    host: Host = Field(
        default="127.0.0.1",
        description="address to listen on; whoever reaches it may read every figure",
    )
    port: int = Field(default=9464, ge=1, le=65535, description="TCP port, 1..65535")


class AlertsConfig(Section):
    """Notifications to people who are not looking, by Apprise."""

    urls: tuple[SecretStr, ...] = Field(
        default=(),
        max_length=10,
        description="addresses as Apprise writes them, best as: !secret NAME; without any, "
        "nobody is told",
    )
    least: Literal["warning", "fault"] = Field(
        default="fault", description="least severe fault that is told"
    )
    group_s: Number = Field(
        default=60.0,
        ge=5,
        le=3600,
        description="how long to wait for what comes with it, s, 5..3600",
    )
    remind_h: Number = Field(
        default=24.0, ge=0, le=720, description="time between reminders, h, 0..720; 0 = none"
    )
    at_most_per_hour: int = Field(
        default=6, ge=1, le=60, description="messages to one address in an hour, 1..60"
    )
    quiet_from: ClockTime | None = Field(
        default=None,
        description="from this local time on only what trips the battery is told; absent = always",
    )
    quiet_to: ClockTime | None = Field(default=None, description="until then")

    @model_validator(mode="after")
    def _quiet_begins_and_ends(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("quiet_from and quiet_to belong together: give both or neither")
        return self
