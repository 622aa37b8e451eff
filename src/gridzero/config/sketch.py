"""What is known of a site while its file is still being checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gridzero.domain.converters import DcWindow
from gridzero.ports.devices import Role
from gridzero.ports.plugin import Doubt, DriverPlugin, Options


@dataclass(slots=True)
class Sketch:
    """Devices as far as they are readable.

    drivers: of each device, None when it is not known. options: of the devices whose section
    fits.
    """

    drivers: dict[str, DriverPlugin | None] = field(default_factory=dict)
    options: dict[str, Options] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether the driver of every device is known."""
        return None not in self.drivers.values()

    def of_role(self, *roles: Role) -> list[str]:
        """Names of the devices of these roles, in the order of the file."""
        return [name for name, driver in self.drivers.items() if driver and driver.role in roles]

    def links_of(self, device: str) -> Iterable[tuple[str, str]]:
        """(kind, name) of each link of a device, as far as its options are readable."""
        plugin, options = self.drivers.get(device), self.options.get(device)
        if plugin is None or options is None:
            return ()
        return plugin.link_names(options)

    def switches_of(self, device: str) -> tuple[str, ...]:
        """Names of the switches that a device works, as far as its options are readable."""
        plugin, options = self.drivers.get(device), self.options.get(device)
        if plugin is None or options is None:
            return ()
        return plugin.switches(options)

    def addresses_of(self, device: str) -> Iterable[tuple[str, str]]:
        """(link name, address) of a device, as far as its options are readable."""
        plugin, options = self.drivers.get(device), self.options.get(device)
        if plugin is None or options is None:
            return ()
        return plugin.addresses(options)

    def window_of(self, device: str) -> DcWindow:
        """Pack voltages at which a device works, as far as its options are readable."""
        plugin, options = self.drivers.get(device), self.options.get(device)
        if plugin is None or options is None:
            return DcWindow()
        return plugin.dc_window(options)

    def doubts_of(self, device: str) -> Iterable[Doubt]:
        """What the driver itself finds doubtful in a section that fits."""
        plugin, options = self.drivers.get(device), self.options.get(device)
        if plugin is None or options is None:
            return ()
        return plugin.doubts(options)
