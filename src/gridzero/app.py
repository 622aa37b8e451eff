"""The one place that wires a configuration into a running site."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridzero.config.loader import Loaded
from gridzero.config.models import (
    Config,
    PricesConfig,
    ThermalConfig,
    WatchdogConfig,
)
from gridzero.configured.house_rules import prices_of, profile_of, rules_of, wanted_of
from gridzero.configured.retune import Retuner
from gridzero.domain.events import Severity
from gridzero.domain.reasons import REASONS
from gridzero.errors import ConfigError
from gridzero.outputs.mqtt_in import MqttIn
from gridzero.outputs.mqtt_out import MqttOut
from gridzero.outputs.presence import Presence
from gridzero.outputs.trace_out import TraceOut
from gridzero.ports.clock import Clock, LoopClock
from gridzero.ports.devices import CellMonitor, Device, Role, Switched
from gridzero.ports.links import Links
from gridzero.ports.plugin import DriverContext, DriverPlugin
from gridzero.runtime.battery_memory import BatteryMemory
from gridzero.runtime.climate import Climate
from gridzero.runtime.desk import desk_of
from gridzero.runtime.energy_memory import EnergyMemory
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.flood_gate import log_gate
from gridzero.runtime.heartbeat import Heartbeat
from gridzero.runtime.learning import Learning
from gridzero.runtime.market import Market
from gridzero.runtime.orders import Orders
from gridzero.runtime.pack_contactor import PackContactor, after_each_tick
from gridzero.runtime.parts import Parts, sort_parts
from gridzero.runtime.sent_links import SentLinks
from gridzero.runtime.settings import Settings
from gridzero.runtime.site import Site
from gridzero.runtime.sparing_store import SparingStore
from gridzero.runtime.stores import ConfirmingStore, FileStore, QuickStore, Store
from gridzero.runtime.supervisor import Ending, Service, Supervisor
from gridzero.runtime.trace import TracedLinks, Tracer
from gridzero.runtime.watchdogs import Feeder, Watchdogs

_COUNTED_ANEW = "It is counted anew from 0"
_LEARNED_ANEW = "It is learned again"
_RESTS = "The battery rests (mode hold): set the mode again"


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
    watchdogs: Watchdogs | None
    memory: BatteryMemory
    energy: EnergyMemory
    orders: Orders
    mqtt_in: MqttIn
    presence: Presence
    trace: TraceOut
    kept: SparingStore
    retuner: Retuner
    senders: Mapping[str, SentLinks]

    async def run(self, stop: asyncio.Event, extra: Sequence[Service] = ()) -> Ending:
        """Serve until stop is set; always leaves through the safe shutdown."""
        supervisor = Supervisor(
            self.site,
            self.faults,
            self.clock,
            links=(*self.link_services, *self._watch()),
            outputs=(
                Service("mqtt_out", self.output.run),
                Service("learning", self.learning.run),
                Service("battery_memory", self.memory.run),
                Service("mqtt_in", self.mqtt_in.run),
                Service("presence", self.presence.run),
                Service("energy", self.energy.run),
                Service("trace", self.trace.run),
                *((Service("market", self.market.run),) if self.market else ()),
                *extra,
            ),
            ready=self.links_ready,
            farewell=self._farewell,
        )
        return await supervisor.run(stop)

    def _watch(self) -> Iterator[Service]:
        """Beside the links: it outlives the devices, whose stop it accompanies."""
        if self.watchdogs is not None:
            yield Service("watchdogs", self.watchdogs.run)

    def _farewell(self) -> None:
        self.kept.flush()
        self.learning.save()
        self.memory.save()
        self.energy.save()
        if self.market is not None:
            self.market.save()
        self.output.farewell()


def build(
    loaded: Loaded,
    plugins: Mapping[str, DriverPlugin],
    links: Links,
    *,
    faults: FaultBook | None = None,
    store: QuickStore | None = None,
    learned: Store | None = None,
    outlook: Store | None = None,
    latched: Store | None = None,
    memory: Store | None = None,
    charge: Store | None = None,
    energy: ConfirmingStore | None = None,
    energy_days: Store | None = None,
    link_services: Sequence[Service] = (),
    links_ready: Callable[[], bool] = lambda: True,
    feeders: Sequence[Feeder] = (),
    utc_s: Callable[[], float] = time.time,
) -> App:
    """Make every object of a site. Needs a running loop; starts nothing.

    store, learned, outlook, latched, memory: where settings, learned dynamics, the outlook,
    faults that wait for a person and what is known of the battery survive; charge: that of the
    cells, beside a file of memory; energy, energy_days: the counters and their days; default:
    files in the state folder.

    feeders: watchdogs outside of the process, fed while commands are really sent. utc_s: the time
    of day, seconds since 1970; simulations have their own.

    Raises ConfigError where the configuration asks for what does not fit together.
    """
    config, clock = loaded.config, LoopClock()
    faults = faults or FaultBook(clock)
    senders: dict[str, SentLinks] = {}
    tracer = Tracer(clock)
    links = TracedLinks(links, tracer)
    parts = _parts(loaded, plugins, links, clock, faults, senders)
    check_cells(config, parts.all())
    file = _files(Path(config.site.state_dir), faults)
    faults.keep_in(latched or file("latched", "See docs/faults.md"))
    kept = SparingStore(store or file("settings", _RESTS), clock)
    settings = _settings(config, kept, faults, parts, log_gate("settings.changed", clock), utc_s)
    outlook = outlook or file("outlook")
    market = _market(config.prices, outlook, faults, clock, utc_s)
    rules = rules_of(config, parts.meter.interval_s)
    site = Site(parts, rules, settings, faults, clock, market)
    _keep_contactor(config.battery.contactor, site)
    _keep_climate(config.thermal, site)
    if memory is None:
        memory = file("battery")
        charge = charge or file("charge")
    battery_memory = BatteryMemory(site.battery, memory, faults, clock, utc_s, charge=charge)
    learned = learned or file("learned")
    learning = Learning(site, learned, faults, clock)
    energy = energy or file("energy", _COUNTED_ANEW)
    energy_days = energy_days or file("energy-days", _COUNTED_ANEW)
    energy_memory = _energy_memory(site, energy, energy_days, clock, utc_s)
    orders = desk_of(site, clock, learning=learning, market=market, tracer=tracer)
    mqtt, prefix = links.mqtt(), config.mqtt.topic_prefix
    output = MqttOut(site, faults, mqtt, clock, prefix, learning, orders)
    output.tell_energy(energy_memory, lambda: site.production is not None)
    mqtt_in = MqttIn(orders, mqtt, prefix, output.publish_soon, kept.when_kept)
    if market is not None:
        site.on_decision(market.note)
    retuner = Retuner(site, output, market, mqtt, clock)
    retuner.begin(config)
    watchdogs = _watchdogs(config.watchdog, site, senders, feeders, clock) if feeders else None
    return App(
        site,
        faults,
        output,
        learning,
        market,
        clock,
        links,
        link_services,
        links_ready,
        watchdogs,
        battery_memory,
        energy_memory,
        orders,
        mqtt_in,
        Presence(faults, mqtt, clock, prefix, config.site.name),
        TraceOut(tracer, mqtt, clock, prefix),
        kept,
        retuner,
        senders,
    )


def _energy_memory(
    site: Site,
    store: ConfirmingStore,
    days: Store,
    clock: Clock,
    utc_s: Callable[[], float],
) -> EnergyMemory:
    return EnergyMemory(
        site.energy,
        store,
        days,
        site.faults,
        clock,
        work=lambda: site.last[1].work if site.last else {},
        utc_s=utc_s,
    )


def _files(folder: Path, faults: FaultBook) -> Callable[..., FileStore]:
    """What makes the file of a name: it tells when it cannot be written."""

    def file(name: str, remedy: str = _LEARNED_ANEW) -> FileStore:
        def trouble(text: str | None) -> None:
            faults.set("state_not_saved", name, text)

        return FileStore(folder / f"{name}.json", remedy, trouble=trouble)

    return file


def _keep_climate(thermal: ThermalConfig, site: Site) -> None:
    """Heater and fan, if there are any."""
    switches = site.parts.switches
    heater = switches[thermal.heater] if thermal.heater else None
    fan = switches[thermal.fan] if thermal.fan else None
    if heater or fan:
        site.on_decision(Climate(heater, fan).after_each_tick)


def _watchdogs(
    config: WatchdogConfig,
    site: Site,
    senders: Mapping[str, SentLinks],
    feeders: Sequence[Feeder],
    clock: Clock,
) -> Watchdogs:
    def status() -> str:
        return "" if site.last is None else REASONS[site.last[1].because]

    heartbeat = Heartbeat(
        clock,
        lambda: site.ticked_s,
        senders,
        within_s=config.within_s,
        excuse_lost_links=config.excuse_lost_links,
    )
    return Watchdogs(
        feeders,
        heartbeat,
        site.faults,
        clock,
        is_stopping=lambda: site.is_stopping,
        status=status,
    )


def _market(
    prices: PricesConfig | None,
    store: Store,
    faults: FaultBook,
    clock: Clock,
    utc_s: Callable[[], float],
) -> Market | None:
    if prices is None:
        return None
    return Market(prices_of(prices), store, faults, clock, utc_s)


def _keep_contactor(name: str | None, site: Site) -> None:
    """The contactor of the whole battery, if there is one."""
    if name is not None and name in site.parts.switches:
        site.contactor = PackContactor(site.parts.switches[name], site.faults)
        site.on_decision(after_each_tick(site.contactor, site.faults))


def check_cells(config: Config, devices: Iterable[Device]) -> None:
    """Raises ConfigError when modules have another number of cells than the battery's profile.

    The charge voltage is the profile's: a module of fewer cells would be overcharged by it.
    """
    wanted = profile_of(config.battery).series_cells
    monitors = [device for device in devices if isinstance(device, CellMonitor)]
    for module in (module for monitor in monitors for module in monitor.modules()):
        if len(module.cell_v) != wanted:
            raise ConfigError(
                f"module {module.name} has {len(module.cell_v)} cells in series, the profile "
                f"{config.battery.profile} is for {wanted}",
                where="devices",
                remedy="Modules in parallel must be alike, and fit battery.profile",
            )


def _parts(
    loaded: Loaded,
    plugins: Mapping[str, DriverPlugin],
    links: Links,
    clock: Clock,
    faults: FaultBook,
    senders: dict[str, SentLinks],
) -> Parts:
    """senders: filled with what notes when bytes left for each converter."""
    devices = []
    for name, options in loaded.device_options.items():
        plugin = plugins[loaded.config.devices[name]["driver"]]
        its_links = links
        if plugin.role in {Role.CHARGER, Role.INVERTER}:
            its_links = senders[name] = SentLinks(links, clock)
        context = DriverContext(name, clock, its_links, faults.reporter(name))
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


def _settings(
    config: Config,
    store: Store,
    faults: FaultBook,
    parts: Parts,
    may_log: Callable[[], bool],
    utc_s: Callable[[], float],
) -> Settings:
    most_w = {
        "max_charge_w": sum(unit.spec.max_w for unit in parts.chargers),
        "max_discharge_w": sum(unit.spec.max_w for unit in parts.inverters),
    }
    wanted, has_prices = wanted_of(config.control), config.prices is not None
    settings = Settings(
        wanted, store, most_w=most_w, has_prices=has_prices, may_log=may_log, utc_s=utc_s
    )
    if settings.lost:
        faults.tell("settings_lost", "settings", settings.lost, Severity.FAULT)
    return settings
