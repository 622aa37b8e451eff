"""A relay or contactor on a pin of the machine, that must be fed to stay closed."""

from __future__ import annotations

from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin
from gridzero.ports.twins import DeviceTwin, GpioTwin, World
from gridzero_drivers.gpio_switch.driver import GpioSwitch
from gridzero_drivers.gpio_switch.options import GpioSwitchOptions
from gridzero_drivers.gpio_switch.twin import RelayTwin
from gridzero_drivers.gpio_switch.vectors import check_vector


def _twin(options: GpioSwitchOptions, world: World, _seed: int) -> DeviceTwin:
    relay = RelayTwin(options, world)
    pins: dict[tuple[str, int], GpioTwin] = {(options.link, options.line): relay.coil}
    if options.feedback_line is not None:
        pins[options.link, options.feedback_line] = relay.contact
    return DeviceTwin(gpio=pins, switch=relay)


def _link_names(options: GpioSwitchOptions) -> tuple[tuple[str, str], ...]:
    return (("gpio", options.link),)


def _addresses(options: GpioSwitchOptions) -> tuple[tuple[str, str], ...]:
    return tuple((options.link, f"line {line}") for line in options.lines)


plugin = DriverPlugin(
    name="gpio_switch",
    summary="Normally open relay or contactor on a GPIO pin, fed by level or heartbeat",
    role=Role.SWITCH,
    options=GpioSwitchOptions,
    build=GpioSwitch,
    twin=_twin,
    check_vector=check_vector,
    link_names=_link_names,
    addresses=_addresses,
)
