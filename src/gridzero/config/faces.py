"""What people look at, and who is told: sections of the configuration."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from gridzero.config.section import Number, Section


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

    host: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F.:]{2,45}$")] = Field(
        default="127.0.0.1",
        description="own address to listen at; 0.0.0.0 = all, which needs a password",
    )
    port: int = Field(default=8080, ge=1, le=65535, description="TCP port, 1..65535")
    password: SecretStr | None = Field(
        default=None,
        min_length=8,
        max_length=256,
        description="asked for before anything is shown, 8..256 characters; "
        "best as: !secret dashboard_password",
    )
    hosts: tuple[Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9.-]{1,253}$")], ...] = Field(
        default=(),
        max_length=16,
        description="names that browsers call the page by, beside this machine's own",
    )
    kiosk_theme: Literal["auto", "dark", "light"] = Field(
        default="dark", description="colours of a wall display (`?kiosk`)"
    )

    @model_validator(mode="after")
    def _others_need_a_password(self) -> Self:
        try:
            is_own = ip_address(self.host).is_loopback
        except ValueError:
            raise ValueError(f"host {self.host!r} is no IP address") from None
        if not is_own and self.password is None:
            raise ValueError("others can reach this host: set a password, or use host 127.0.0.1")
        return self


class MetricsConfig(Section):
    """Figures for Prometheus."""


class AlertsConfig(Section):
    """Notifications."""
