"""What people look at, and who is told: sections of the configuration."""

from __future__ import annotations

import ipaddress
from typing import Self

from pydantic import Field, SecretStr, model_validator

from gridzero.config.section import Section

_SHORTEST_PASSWORD = 8


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address; a name other than localhost may be any."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HomeAssistantConfig(Section):
    """Entities of Home Assistant by MQTT discovery."""

    enabled: bool = Field(default=True, description="announce everything to Home Assistant")


class HistoryConfig(Section):
    """The local store of what was."""

    enabled: bool = Field(default=True, description="record to a file in the state folder")


class ConsoleSshConfig(Section):
    """The console over SSH, with keys only. Needs the extra: pip install gridzero[ssh]."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="address to listen at; 0.0.0.0 = all"
    )
    port: int = Field(default=2222, ge=1, le=65535, description="TCP port, 1..65535")
    authorized_keys_file: str = Field(
        min_length=1, description="file of the public keys that may come in, as OpenSSH writes it"
    )
    host_key_file: str = Field(
        default="console_host_key",
        min_length=1,
        description="private key of the server, in the state folder; made at the first start",
    )


class ConsoleConfig(Section):
    """The console over telnet, and over SSH where it is configured."""

    enabled: bool = Field(default=True, description="listen for `gridzero console` and telnet")
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="address for telnet to listen at; any but loopback needs a password",
    )
    port: int = Field(default=2323, ge=1, le=65535, description="TCP port of telnet, 1..65535")
    password: SecretStr | None = Field(
        default=None,
        description="asked over telnet; 8 characters or more; best as: !secret console_password",
    )
    max_sessions: int = Field(default=8, ge=1, le=50, description="people at a time, 1..50")
    idle_s: float = Field(
        default=3600.0,
        ge=0.0,
        le=604800.0,
        description="end a session in which nothing was typed for so long, s; 0 = never",
    )
    ssh: ConsoleSshConfig | None = Field(default=None, description="SSH; absent = none")

    @model_validator(mode="after")
    def _nobody_comes_in_unasked(self) -> Self:
        word = self.password.get_secret_value() if self.password is not None else None
        if word is None and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host} is not loopback: whoever reaches it could switch the battery; "
                "set password, or use 127.0.0.1, or ssh"
            )
        if word is not None and len(word) < _SHORTEST_PASSWORD:
            raise ValueError(f"password is shorter than {_SHORTEST_PASSWORD} characters")
        return self


class DashboardConfig(Section):
    """The web page, a process of its own."""


class MetricsConfig(Section):
    """Figures for Prometheus."""


class AlertsConfig(Section):
    """Notifications."""
