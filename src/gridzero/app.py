"""The one place that wires a configuration into a running site."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridzero.battery.limits import Ratings
from gridzero.battery.profile import Profile, profile
from gridzero.config.loader import Loaded
from gridzero.config.models import BatteryConfig, Config, ControlConfig, PricesConfig
from gridzero.control.tuning import Tuning
from gridzero.domain.events import Severity
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.value import Prices
from gridzero.errors import ConfigError
from gridzero.outputs.market_in import listen
from gridzero.outputs.mqtt_out import MqttOut
from gridzero.ports.clock import Clock, LoopClock
from gridzero.ports.devices import CellMonitor, Device, Switched
from gridzero.ports.links import Links
from gridzero.ports.plugin import DriverContext, DriverPlugin
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.learning import Learning
from gridzero.runtime.market import Market
from gridzero.runtime.pack_contactor import PackContactor, after_each_tick
from gridzero.runtime.parts import Parts, sort_parts
from gridzero.runtime.rules import SiteRules
from gridzero.runtime.settings import Settings
from gridzero.runtime.site import Site
from gridzero.runtime.stores import FileStore, Store
from gridzero.runtime.supervisor import Ending, Service, Supervisor


@dataclass(slots=True)
class App:
    """A wired site that has not been started."""

    site: Site
    faults: FaultBook
    output: MqttOut
    learning: Learning
    market: Market | None
    clock: Clock
    links: Links
    link_services: Sequence[Service]
    links_ready: Callable[[], bool]

    async def run(self, stop: asyncio.Event, extra: Sequence[Service] = ()) -> Ending:
        """Serve until stop is set; always leaves through the safe shutdown."""
        supervisor = Supervisor(
            self.site,
            self.faults,
            self.clock,
            links=self.link_services,
            outputs=(
                Service("mqtt_out", self.output.run),
                Service("learning", self.learning.run),
                *((Service("market", self.market.run),) if self.market else ()),
                *extra,
            ),
            ready=self.links_ready,
            farewell=self._farewell,
        )
        return await supervisor.run(stop)

    def _farewell(self) -> None:
        self.learning.save()
        if self.market is not None:
            self.market.save()
        self.output.publish()


def build(
    loaded: Loaded,
    plugins: Mapping[str, DriverPlugin],
    links: Links,
    *,
    faults: FaultBook | None = None,
    store: Store | None = None,
    learned: Store | None = None,
    outlook: Store | None = None,
    latched: Store | None = None,
    link_services: Sequence[Service] = (),
    links_ready: Callable[[], bool] = lambda: True,
) -> App:
    """Make every object of a site. Needs a running loop; starts nothing.

    store, learned, outlook, latched: where settings, learned dynamics, the outlook and faults
    that wait for a person survive; default: files in the state folder.

    Raises ConfigError where the configuration asks for what does not fit together.
    """
    config, clock = loaded.config, LoopClock()
    faults = faults or FaultBook(clock)
    parts = _parts(loaded, plugins, links, clock, faults)
    check_cells(config, parts.all())
    state_dir = Path(config.site.state_dir)
    faults.keep_in(latched or FileStore(state_dir / "latched.json", "See docs/faults.md"))
    store = store or FileStore(state_dir / "settings.json")
    settings = _settings(config, store, faults)
    outlook = outlook or FileStore(state_dir / "outlook.json", "It is learned again")
    market = _market(config.prices, outlook, faults, clock)
    rules = rules_of(config, parts.meter.interval_s)
    site = Site(parts, rules, settings, faults, clock, market)
    _keep_contactor(config.battery.contactor, site)
    learned = learned or FileStore(state_dir / "learned.json", "It is learned again")
    learning = Learning(site, learned, faults, clock)
    output = MqttOut(site, faults, links.mqtt(), clock, config.mqtt.topic_prefix, learning)
    if config.control.target_topic:
        output.follow_target(config.control.target_topic)
    if config.prices is not None and market is not None:
        site.on_decision(market.note)
        listen(market, links.mqtt(), faults, config.mqtt.topic_prefix, _topics(config.prices))
    return App(site, faults, output, learning, market, clock, links, link_services, links_ready)


def _market(
    prices: PricesConfig | None, store: Store, faults: FaultBook, clock: Clock
) -> Market | None:
    if prices is None:
        return None
    return Market(Prices(prices.import_ct, prices.export_ct), store, faults, clock)


def _topics(prices: PricesConfig) -> dict[str, str | None]:
    return {
        "import_ct": prices.import_topic,
        "export_ct": prices.export_topic,
        "stored_ct": prices.stored_topic,
    }


def _keep_contactor(name: str | None, site: Site) -> None:
    """The contactor of the whole battery, if there is one."""
    if name is not None and name in site.parts.switches:
        site.contactor = PackContactor(site.parts.switches[name], site.faults)
        site.on_decision(after_each_tick(site.contactor, site.faults))


def check_cells(config: Config, devices: Iterable[Device]) -> None:
    """Raises ConfigError when modules have another number of cells than the battery's profile.

    The charge voltage is the profile's: a module of fewer cells would be overcharged by it.
    """
    wanted = _profile(config.battery).series_cells
    monitors = [device for device in devices if isinstance(device, CellMonitor)]
    for module in (module for monitor in monitors for module in monitor.modules()):
        if len(module.cell_v) != wanted:
            raise ConfigError(
                f"module {module.name} has {len(module.cell_v)} cells in series, the profile "
                f"{config.battery.profile} is for {wanted}",
                where="devices",
                remedy="Modules in parallel must be alike, and fit battery.profile",
            )


def rules_of(config: Config, meter_interval_s: float = 0.5) -> SiteRules:
    """The numbers of the configuration that the site itself needs.

    A meter that speaks seldom is not late before its next message is due.
    """
    control = config.control
    return SiteRules(
        profile=_profile(config.battery),
        ratings=Ratings(
            max_charge_a=config.battery.max_charge_a,
            max_discharge_a=config.battery.max_discharge_a,
            max_module_a=config.battery.max_module_a,
        ),
        tuning=Tuning(
            meter_hold_s=max(control.meter_hold_s, 1.5 * meter_interval_s),
            meter_lost_s=max(control.meter_lost_s, 3.0 * meter_interval_s),
            min_charge_w=control.min_charge_w,
            min_discharge_w=control.min_discharge_w,
            stored_value=control.stored_value,
        ),
        lease_s=control.lease_s,
        protect_period_s=control.protect_period_s,
        balancing=config.battery.balancing,
        target_timeout_s=control.target_timeout_s,
    )


def _parts(
    loaded: Loaded,
    plugins: Mapping[str, DriverPlugin],
    links: Links,
    clock: Clock,
    faults: FaultBook,
) -> Parts:
    devices = []
    for name, options in loaded.device_options.items():
        plugin = plugins[loaded.config.devices[name]["driver"]]
        context = DriverContext(name, clock, links, faults.reporter(name))
        devices.append((plugin.role, plugin.build(options, context)))
    parts = sort_parts(devices)
    _connect_contactors(loaded, plugins, parts)
    return parts


def _connect_contactors(loaded: Loaded, plugins: Mapping[str, DriverPlugin], parts: Parts) -> None:
    """Hand each device the contactor that its section names; the file was checked before."""
    for device in parts.all():
        plugin = plugins[loaded.config.devices[device.name]["driver"]]
        for name in plugin.switches(loaded.device_options[device.name]):
            if isinstance(device, Switched) and name in parts.switches:
                device.contactor = parts.switches[name]


def _settings(config: Config, store: Store, faults: FaultBook) -> Settings:
    settings = Settings(_wanted(config.control), store)
    if settings.lost:
        faults.tell("settings_lost", "settings", settings.lost, Severity.FAULT)
    return settings


def _wanted(control: ControlConfig) -> Wanted:
    return Wanted(mode=Mode(control.mode), power_w=control.power_w, target_w=control.target_w)


def _profile(battery: BatteryConfig) -> Profile:
    try:
        return profile(battery.profile, battery.overrides)
    except ValueError as error:
        raise ConfigError(
            str(error), where="battery.overrides", remedy="See docs/configuration.md for the names"
        ) from error
