"""A checked configuration in the words of its owner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from gridzero.config.links import (
    CanLinkConfig,
    GpioLinkConfig,
    HttpLinkConfig,
    I2cLinkConfig,
    LinkConfig,
    SerialLinkConfig,
    UdpLinkConfig,
)
from gridzero.config.loader import Loaded
from gridzero.config.models import BatteryConfig, Config, ControlConfig, MqttConfig
from gridzero.domain.modes import Mode, Strategy
from gridzero.ports.devices import CellMonitor, Converter, Device
from gridzero.ports.plugin import DriverPlugin


def describe(
    loaded: Loaded, plugins: Mapping[str, DriverPlugin], devices: Mapping[str, Device]
) -> str:
    """Site, devices, links, limits and warnings, one fact a line.

    devices: the built devices by name; what they can tell of themselves is added.
    """
    config = loaded.config
    sections = (
        ("Site", [f"{config.site.name}, state in {config.site.state_dir}"]),
        ("Devices", [_device(n, loaded, plugins, devices[n]) for n in loaded.device_options]),
        ("Links", [_broker(config.mqtt), *_links(config.links)]),
        ("Battery", _battery(config.battery, _modules(devices.values()))),
        ("Control", _control(config.control)),
        ("What people see", list(_faces(config))),
        ("Warnings", [f"line {w.line}: {w.where}: {w.what}. {w.remedy}" for w in loaded.warnings]),
    )
    return "\n".join(f"{title}\n{_indented(lines)}" for title, lines in sections if lines)


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _device(name: str, loaded: Loaded, plugins: Mapping[str, DriverPlugin], device: Device) -> str:
    plugin = plugins[loaded.config.devices[name]["driver"]]
    links = ", ".join(link for _, link in plugin.link_names(loaded.device_options[name]))
    return f"{name}: {plugin.role.value}, driver {plugin.name} on {links}{_abilities(device)}"


def _abilities(device: Device) -> str:
    if isinstance(device, CellMonitor):
        modules = device.expected()
        return f"; {_count(len(modules), 'module')}: {', '.join(modules)}"
    if isinstance(device, Converter):
        return f"; {device.spec.min_w:.0f} to {device.spec.max_w:.0f} W"
    return ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 'es' if noun.endswith('s') else 's'}"


def _modules(devices: Iterable[Device]) -> int:
    return sum(len(d.expected()) for d in devices if isinstance(d, CellMonitor))


def _broker(mqtt: MqttConfig) -> str:
    if mqtt.host is None:
        place = f"embedded on 127.0.0.1:{mqtt.embedded.port}"
    else:
        place = f"{mqtt.host}:{mqtt.port}{' with TLS' if mqtt.tls else ''}"
    return f"mqtt: {place}, own topics under {mqtt.topic_prefix}/"


def _links(links: Mapping[str, LinkConfig]) -> Iterable[str]:
    return (f"{name}: {_link(link)}" for name, link in links.items())


def _link(link: LinkConfig) -> str:
    match link:
        case CanLinkConfig():
            rate = f", {link.bitrate} bit/s" if link.bitrate else ""
            return f"CAN, {link.interface} {link.channel}{rate}"
        case SerialLinkConfig():
            return f"serial, {link.port}, {link.baud} baud{', RS485' if link.rs485 else ''}"
        case I2cLinkConfig():
            return f"I2C, /dev/i2c-{link.bus_number}"
        case GpioLinkConfig():
            return f"GPIO, {link.chip}"
        case HttpLinkConfig():
            return f"HTTP, {link.url}{f' as {link.username}' if link.username else ''}"
        case UdpLinkConfig():
            return f"UDP, port {link.port}{f', group {link.group}' if link.group else ''}"


def _battery(battery: BatteryConfig, modules: int) -> list[str]:
    together_a = battery.max_module_a * modules
    charge_a = min(battery.max_charge_a, together_a)
    discharge_a = min(battery.max_discharge_a, together_a)
    overrides = [f"{name}: {value:g} instead" for name, value in battery.overrides.items()]
    share = f"{_count(modules, 'module')} with {battery.max_module_a:g} A each"
    return [
        f"profile {battery.profile}, balancing {'on' if battery.balancing else 'off'}",
        f"charge up to {charge_a:g} A, discharge up to {discharge_a:g} A ({share})",
        *overrides,
    ]


def _control(control: ControlConfig) -> list[str]:
    lines = [_MODES[control.mode](control)]
    if control.strategy is not Strategy.SELF_USE:
        lines.append(f"strategy {control.strategy.value}")
    if control.target_topic:
        lines.append(f"numbers on {control.target_topic} charge with that many W")
    return lines


def _faces(config: Config) -> Iterator[str]:
    """Where to find what `run` starts beside itself."""
    console = config.console
    if config.home_assistant.enabled:
        yield f"Home Assistant: announced under {config.home_assistant.discovery_prefix}/"
    if config.reference_topics.enabled:
        yield "reference topics: battery/soc and so on, as the monitor before told them"
    if console.enabled:
        yield f"console: gridzero console {console.host}:{console.port}"
    if console.enabled and console.ssh is not None:
        yield f"console over SSH: port {console.ssh.port} on {console.ssh.host}"
    if config.history.enabled:
        yield f"history: {config.history.file(config.site.state_dir)}"
    if config.dashboard is not None:
        yield f"dashboard: http://{config.dashboard.host}:{config.dashboard.port}"
    if config.metrics is not None:
        yield f"metrics: http://{config.metrics.host}:{config.metrics.port}/metrics"
    if config.alerts is not None:
        yield f"alerts: to {_count(len(config.alerts.urls), 'address')}"


_MODES: dict[Mode, Callable[[ControlConfig], str]] = {
    Mode.AUTO: lambda c: f"mode auto: holds the grid at {c.target_w:g} W",
    Mode.CHARGE: lambda c: f"mode charge: with {c.power_w:g} W",
    Mode.DISCHARGE: lambda c: f"mode discharge: with {c.power_w:g} W",
    Mode.HOLD: lambda _: "mode hold: rests at 0 W",
    Mode.OFF: lambda _: "mode off: rests until told otherwise",
}
