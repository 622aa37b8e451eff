"""What people look at, and who is told: sections of the configuration."""

from __future__ import annotations

from pydantic import Field

from gridzero.config.section import Section


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


class AlertsConfig(Section):
    """Notifications."""
