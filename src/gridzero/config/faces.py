"""What people look at, and who is told: sections of the configuration."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from gridzero.config.section import Number, Section

Host = Annotated[str, StringConstraints(min_length=1, max_length=255)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]

_Text = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
_Topic = Annotated[str, StringConstraints(pattern=r"^[^/+#\x00 ]([^+#\x00 ]{0,98}[^/+#\x00 ])?$")]

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
    release_topic: _Topic | None = Field(
        default=None,
        description="MQTT topic on which you say which release is the newest, such as 0.2.0; "
        "absent = only what is installed counts",
    )
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        default="EUR", description="ISO 4217 code of the money that prices are hundredths of"
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
            ipaddress.ip_address(self.host)
        except ValueError:
            raise ValueError(f"host {self.host!r} is no IP address") from None
        if not is_loopback(self.host) and self.password is None:
            raise ValueError("others can reach this host: set a password, or use host 127.0.0.1")
        return self


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
