"""What people look at, and who is told: sections of the configuration."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

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
