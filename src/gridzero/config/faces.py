"""What people look at, and who is told: sections of the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gridzero.config.section import Section

Host = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class HomeAssistantConfig(Section):
    """Entities of Home Assistant by MQTT discovery."""

    enabled: bool = Field(default=True, description="announce everything to Home Assistant")


class HistoryConfig(Section):
    """The local store of what was."""

    enabled: bool = Field(default=True, description="record to a file in the state folder")


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
    """Notifications."""
