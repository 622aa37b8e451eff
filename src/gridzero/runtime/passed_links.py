"""Links as they are: the start for those who want to see some of what passes."""

from __future__ import annotations

from gridzero.ports.links import (
    CanLink,
    GpioLink,
    HttpLink,
    I2cLink,
    Links,
    MqttLink,
    SerialLink,
    UdpLink,
)


class PassedLinks:
    """Meets ports.links.Links: hands over those of another."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def can(self, name: str) -> CanLink:
        """See ports.links.Links."""
        return self._links.can(name)

    def serial(self, name: str) -> SerialLink:
        """See ports.links.Links."""
        return self._links.serial(name)

    def i2c(self, name: str) -> I2cLink:
        """See ports.links.Links."""
        return self._links.i2c(name)

    def gpio(self, name: str) -> GpioLink:
        """See ports.links.Links."""
        return self._links.gpio(name)

    def http(self, name: str) -> HttpLink:
        """See ports.links.Links."""
        return self._links.http(name)

    def udp(self, name: str) -> UdpLink:
        """See ports.links.Links."""
        return self._links.udp(name)

    def mqtt(self) -> MqttLink:
        """See ports.links.Links."""
        return self._links.mqtt()
