"""What people look at, and who is told: sections of the configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gridzero.config.section import Number, Section

_Text = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
_Topic = Annotated[str, StringConstraints(pattern=r"^[^/+#\x00 ]([^+#\x00 ]{0,98}[^/+#\x00 ])?$")]


class HomeAssistantConfig(Section):
    """Entities of Home Assistant by MQTT discovery."""

    enabled: bool = Field(default=True, description="announce everything to Home Assistant")
    name: _Text | None = Field(
        default=None,
        description="name of the main device, first part of new entity ids; default: the topic "
        "prefix",
    )
    node_id: _Id | None = Field(
        default=None,
        description="first part of all unique ids; default: from the topic prefix, so that a new "
        "name or machine changes nothing",
    )
    discovery: Literal["device", "single"] = Field(
        default="device",
        description="single: one message per entity, for Home Assistant before 2024.11",
    )
    discovery_prefix: _Topic = Field(
        default="homeassistant", description="where Home Assistant looks for devices"
    )
    birth_topic: _Topic = Field(
        default="homeassistant/status", description="where Home Assistant says that it is there"
    )
    power_period_s: Number = Field(
        default=5.0,
        ge=2,
        le=60,
        description="time between powers, s, 2..60; a change of 20 W is told within 2 s",
    )


class ReferenceTopicsConfig(Section):
    """The topics of the battery monitor that was there before."""

    enabled: bool = Field(default=False, description="publish battery/soc, battery/cells and so on")
    prefix: Annotated[str, StringConstraints(pattern=r"^[^+#\x00 ]{0,100}$")] = Field(
        default="", description="first part of these topics; empty = none"
    )


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
