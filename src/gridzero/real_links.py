"""Opens the links that a configuration names: part of the wiring of ``app``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from gridzero.config.links import (
    CanLinkConfig,
    GpioLinkConfig,
    HttpLinkConfig,
    I2cLinkConfig,
    LinkConfig,
    SerialLinkConfig,
    UdpLinkConfig,
)
from gridzero.config.models import Config, MqttConfig
from gridzero.errors import ConfigError
from gridzero.links.can_bus import RealCan
from gridzero.links.claims import Claim, device_claim
from gridzero.links.embedded_broker import EmbeddedBroker
from gridzero.links.gpio import RealGpio
from gridzero.links.http_client import LOST_AFTER, RealHttp
from gridzero.links.i2c_bus import RealI2c
from gridzero.links.memory import MemoryGpio, MemoryHttp, MemoryI2c, MemoryUdp
from gridzero.links.mqtt_client import RealMqtt
from gridzero.links.mqtt_connection import MqttTls
from gridzero.links.serial_port import RealSerial
from gridzero.links.udp_port import RealUdp
from gridzero.ports.links import (
    CanLink,
    GpioLink,
    HttpLink,
    I2cLink,
    LinkHealth,
    MqttLink,
    SerialLink,
    UdpLink,
)
from gridzero.ports.plugin import Report
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.supervisor import Service

_LOOK_S = 0.02
_Simulated = MemoryI2c | MemoryGpio | MemoryHttp | MemoryUdp
_AnyLink = RealCan | RealSerial | RealI2c | RealGpio | RealHttp | RealUdp | _Simulated


class RealLinks:
    """Meets ports.links.Links. Links are made here and opened by their services."""

    def __init__(
        self, config: Config, faults: FaultBook, gpio: Mapping[str, MemoryGpio] | None = None
    ) -> None:
        """gpio: simulated chips in the place of real ones, for the demo."""
        self._faults = faults
        self._can: dict[str, RealCan] = {}
        self._serial: dict[str, RealSerial] = {}
        self._i2c: dict[str, RealI2c | MemoryI2c] = {}
        self._gpio: dict[str, RealGpio | MemoryGpio] = dict(gpio or {})
        self._http: dict[str, RealHttp | MemoryHttp] = {}
        self._udp: dict[str, RealUdp | MemoryUdp] = {}
        for name, link in config.links.items():
            self._add(name, link)
        self.broker = self._embedded(config.mqtt)
        self._mqtt = mqtt_of(
            config.mqtt,
            faults.reporter("mqtt"),
            client_id=config.mqtt.client_id,
            status=f"{config.mqtt.topic_prefix}/status",
        )

    def simulate_i2c(self, bus: MemoryI2c) -> None:
        """Put a simulated bus in the place of a real one, for the demo."""
        self._i2c[bus.name] = bus

    def simulate_net(self, link: MemoryHttp | MemoryUdp) -> None:
        """Put a simulated server or port in the place of a real one, for the demo."""
        if isinstance(link, MemoryHttp):
            self._http[link.name] = link
        else:
            self._udp[link.name] = link

    def services(self) -> Iterator[Service]:
        """What must run for the links to work, the broker first."""
        if self.broker is not None:
            yield Service("broker", self.broker.run)
        yield Service("mqtt", self._connect)
        for link in self._all():
            if not isinstance(link, _Simulated):
                yield Service(f"link {link.name}", link.run)

    def ready(self) -> bool:
        """Whether every link is open."""
        links = (*self._all(), self._mqtt)
        return all(isinstance(link, _Simulated) or link.health.state == "up" for link in links)

    def _all(self) -> Iterator[_AnyLink]:
        yield from self._can.values()
        yield from self._serial.values()
        yield from self._i2c.values()
        yield from self._gpio.values()
        yield from self._http.values()
        yield from self._udp.values()

    async def _connect(self) -> None:
        """The client of the built-in broker waits for it to listen."""
        if self.broker is not None:
            await up_soon(self.broker.health)
        await self._mqtt.run()

    def can(self, name: str) -> CanLink:
        """See ports.links.Links."""
        return self._can[name] if name in self._can else _missing(name, "can")

    def serial(self, name: str) -> SerialLink:
        """See ports.links.Links."""
        return self._serial[name] if name in self._serial else _missing(name, "serial")

    def i2c(self, name: str) -> I2cLink:
        """See ports.links.Links."""
        return self._i2c[name] if name in self._i2c else _missing(name, "i2c")

    def gpio(self, name: str) -> GpioLink:
        """See ports.links.Links."""
        return self._gpio[name] if name in self._gpio else _missing(name, "gpio")

    def http(self, name: str) -> HttpLink:
        """See ports.links.Links."""
        return self._http[name] if name in self._http else _missing(name, "http")

    def udp(self, name: str) -> UdpLink:
        """See ports.links.Links."""
        return self._udp[name] if name in self._udp else _missing(name, "udp")

    def mqtt(self) -> MqttLink:
        """See ports.links.Links."""
        return self._mqtt

    def _add(self, name: str, link: LinkConfig) -> None:
        report = self._faults.reporter(name)
        if isinstance(link, CanLinkConfig):
            options: dict[str, Any] = dict(link.options)
            self._can[name] = RealCan(
                name=name,
                interface=link.interface,
                channel=link.channel,
                bitrate=link.bitrate,
                report=report,
                **options,
            )
        elif isinstance(link, SerialLinkConfig):
            self._serial[name] = RealSerial(
                name=name, port=link.port, baud=link.baud, rs485=link.rs485, report=report
            )
        elif isinstance(link, GpioLinkConfig):
            if name not in self._gpio:
                self._gpio[name] = RealGpio(name=name, chip=link.chip, report=report)
        elif isinstance(link, I2cLinkConfig):
            self._i2c[name] = RealI2c(name=name, bus_number=link.bus_number, report=report)
        else:
            self._add_net(name, link, report)

    def _add_net(self, name: str, link: HttpLinkConfig | UdpLinkConfig, report: Report) -> None:
        if isinstance(link, HttpLinkConfig):
            self._http[name] = http_of(name, link, report)
            return
        self._udp[name] = udp_of(name, link, report)

    def _embedded(self, mqtt: MqttConfig) -> EmbeddedBroker | None:
        if mqtt.host is not None:
            return None
        return EmbeddedBroker(report=self._faults.reporter("broker"), port=mqtt.embedded.port)


def claims_of(config: Config) -> Iterator[Claim]:
    """What this house must command alone.

    Lines of GPIO chips and watchdogs are held by the kernel itself; what is only listened to
    (MQTT, web servers, UDP) may be shared.
    """
    for name, link in config.links.items():
        claim = _claim_of(link, f"links.{name}")
        if claim is not None:
            yield claim


def _claim_of(link: LinkConfig, where: str) -> Claim | None:
    match link:
        case CanLinkConfig(options={"descriptor": _}):
            return None  # not opened by name but handed over, as the bench does
        case CanLinkConfig(interface="socketcan", channel=channel):
            return Claim(f"can/{channel}", f"the CAN interface {channel}", where)
        case CanLinkConfig(interface="slcan", channel=channel):
            return device_claim(channel.partition("@")[0], where)
        case CanLinkConfig(interface="socketcand", channel=channel, options=options):
            server = f"{options.get('host')}:{options.get('port')}/{channel}"
            return Claim(f"socketcand/{server}", f"the CAN interface {server}", where)
        case SerialLinkConfig(port=port):
            return device_claim(port, where)
        case I2cLinkConfig(bus_number=number):
            return device_claim(f"/dev/i2c-{number}", where)
    return None


def http_of(
    name: str, link: HttpLinkConfig, report: Report, *, lost_after: int = LOST_AFTER
) -> RealHttp:
    """The web server of a link's section."""
    return RealHttp(
        name=name,
        url=link.url,
        username=link.username,
        password=link.password.get_secret_value() if link.password else None,
        auth=link.auth,
        timeout_s=link.timeout_s,
        lost_after=lost_after,
        report=report,
    )


def udp_of(name: str, link: UdpLinkConfig, report: Report) -> RealUdp:
    """The port of a link's section."""
    return RealUdp(
        name=name,
        port=link.port,
        group=link.group,
        interface=link.interface,
        sender=link.sender,
        report=report,
    )


def mqtt_of(
    mqtt: MqttConfig, report: Report, *, client_id: str | None = None, status: str | None = None
) -> RealMqtt:
    """A client of that broker. status: the topic on which it says that it is there, None = no."""
    tls = mqtt.tls
    return RealMqtt(
        host=mqtt.host or "127.0.0.1",
        port=mqtt.port if mqtt.host else mqtt.embedded.port,
        username=mqtt.username,
        password=mqtt.password.get_secret_value() if mqtt.password else None,
        tls=MqttTls(ca_file=tls.ca_file, cert_file=tls.cert_file, key_file=tls.key_file)
        if tls
        else None,
        client_id=client_id,
        will_topic=status,
        birth_topic=status,
        report=report,
    )


def _missing(name: str, kind: str) -> NoReturn:
    raise ConfigError(
        f"there is no {kind} link named {name!r}",
        where="links",
        remedy=f"Add it under links: with type: {kind}",
    )


async def up_soon(health: LinkHealth, limit_s: float = 3.0) -> None:
    """Wait until a link is up, or for limit_s: its user says what is wrong better than this."""
    for _ in range(int(limit_s / _LOOK_S)):
        if health.state == "up":
            return
        await asyncio.sleep(_LOOK_S)
