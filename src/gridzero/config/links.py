"""Buses and ports of the machine."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from gridzero.config.section import Number, Section

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""Of links and devices; both become parts of topics and of names in Home Assistant."""

_Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_LONGEST_INTERFACE_NAME = 15  # IFNAMSIZ of the kernel, less the final zero
_OWN = frozenset(
    (
        "bitrate",
        "can_filters",
        "channel",
        "hear_this_host",
        "ignore_config",
        "interface",
        "name",
        "report",
    )
)
"""What gridzero itself hands to python-can."""


class CanLinkConfig(Section):
    """One CAN bus, by any interface of python-can."""

    type: Literal["can"] = Field(description="a CAN bus")
    interface: _Text = Field(
        default="socketcan", description="interface of python-can: socketcan, slcan, virtual ..."
    )
    channel: _Text = Field(description="name of the network interface, or the adapter's port")
    bitrate: int | None = Field(
        default=None,
        ge=5_000,
        le=1_000_000,
        description="bit/s; for socketcan the operating system sets it",
    )
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="further arguments for python-can's interface"
    )

    @field_validator("options")
    @classmethod
    def _options_of_the_interface(
        cls, options: dict[str, str | int | float | bool]
    ) -> dict[str, str | int | float | bool]:
        own = sorted(_OWN & options.keys())
        if own:
            raise ValueError(f"{', '.join(own)} cannot be an option of the interface")
        return options

    @model_validator(mode="after")
    def _name_fits_the_kernel(self) -> Self:
        too_long = len(self.channel) > _LONGEST_INTERFACE_NAME
        if self.interface == "socketcan" and (too_long or "/" in self.channel):
            raise ValueError(
                f"channel {self.channel!r} is no network interface: at most "
                f"{_LONGEST_INTERFACE_NAME} characters, no slash"
            )
        return self


class SerialLinkConfig(Section):
    """One serial port, 8N1."""

    type: Literal["serial"] = Field(description="a serial port")
    port: _Text = Field(description="device file, best by its name under /dev/serial/by-id")
    baud: int = Field(default=4800, ge=300, le=4_000_000, description="bit/s, 300..4000000")
    rs485: bool = Field(
        default=False,
        description="let the kernel switch the transceiver; USB adapters do it themselves",
    )


class I2cLinkConfig(Section):
    """One I2C bus."""

    type: Literal["i2c"] = Field(description="an I2C bus")
    bus_number: int = Field(ge=0, le=255, description="n of /dev/i2c-n")


class GpioLinkConfig(Section):
    """The pins of the machine. Needs the extra: pip install gridzero[gpio]."""

    type: Literal["gpio"] = Field(description="a GPIO chip")
    chip: _Text = Field(
        default="/dev/gpiochip0", description="device file of the chip; gpiodetect lists them"
    )


_Url = Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@\s\x00]{1,255}$", max_length=263)]
_Address = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$")]
_MULTICAST = range(224, 240)  # first number of an IPv4 group


class HttpLinkConfig(Section):
    """A device's web server. Needs the extra: pip install gridzero[http]."""

    type: Literal["http"] = Field(description="a web server")
    url: _Url = Field(description="http:// or https:// with host and port, without a path")
    username: _Text | None = Field(default=None, description="user name of the device")
    password: SecretStr | None = Field(
        default=None, description="password of the device; best as: !secret meter_password"
    )
    auth: Literal["basic", "digest"] = Field(
        default="basic", description="how it wants the password; digest for Shelly Gen2 and newer"
    )
    timeout_s: Number = Field(
        default=2.0, ge=0.2, le=30, description="time for a whole answer, s, 0.2..30"
    )

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: give both or neither")
        return self


class UdpLinkConfig(Section):
    """A UDP port that is listened to."""

    type: Literal["udp"] = Field(description="a UDP port")
    port: int = Field(default=9522, ge=1, le=65535, description="UDP port, 1..65535")
    group: _Address | None = Field(
        default=None, description="multicast group to join; SMA meters use 239.12.255.254"
    )
    interface: _Address = Field(
        default="0.0.0.0",  # noqa: S104 - what is said in the network is meant for all
        description="own address of the network to listen in; default: all, and any for a group",
    )
    sender: _Address | None = Field(
        default=None, description="take datagrams from this address only; absent = from all"
    )

    @model_validator(mode="after")
    def _group_is_one(self) -> Self:
        if self.group is not None and int(self.group.split(".")[0]) not in _MULTICAST:
            raise ValueError(f"group {self.group} is no multicast group (224.0.0.0 and above)")
        return self


LinkConfig = Annotated[
    CanLinkConfig
    | SerialLinkConfig
    | I2cLinkConfig
    | GpioLinkConfig
    | HttpLinkConfig
    | UdpLinkConfig,
    Field(discriminator="type"),
]
