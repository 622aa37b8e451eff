"""The configuration file as a whole. Device sections belong to the drivers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    StrictInt,
    StringConstraints,
    model_validator,
)

from gridzero.config.faces import (
    AlertsConfig,
    ConsoleConfig,
    DashboardConfig,
    HistoryConfig,
    HomeAssistantConfig,
    MetricsConfig,
    ReferenceTopicsConfig,
)
from gridzero.config.links import LinkConfig, Name
from gridzero.config.section import Number, Section
from gridzero.config.version import VERSION
from gridzero.domain.modes import Mode, Strategy

Port = Annotated[int, Field(ge=1, le=65535)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_Topic = Annotated[str, StringConstraints(pattern=r"^[^+#\x00]{1,255}$")]
_Prefix = Annotated[str, StringConstraints(pattern=r"^[^/+#\x00 ]([^+#\x00 ]{0,98}[^/+#\x00 ])?$")]


def _empty(value: object) -> object:
    """A key with nothing below it, as when all its lines are comments."""
    return {} if value is None else value


class LogConfig(Section):
    """What gridzero writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least important message that is written"
    )
    format: Literal["console", "json"] = Field(
        default="console", description="console for people, json for log collectors"
    )


class SiteConfig(Section):
    """The house."""

    name: _Text = Field(description="name of the site, shown to people")
    state_dir: _Text = Field(
        default="state",
        description="folder for what must survive a restart, relative to where gridzero starts",
    )
    log: Annotated[LogConfig, BeforeValidator(_empty)] = Field(
        default_factory=LogConfig, description="log output"
    )


class TlsConfig(Section):
    """An encrypted connection to the broker."""

    ca_file: _Text | None = Field(
        default=None, description="certificates to trust; default: those of the system"
    )
    cert_file: _Text | None = Field(default=None, description="own certificate")
    key_file: _Text | None = Field(default=None, description="key of the own certificate")

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both or neither")
        return self


class EmbeddedBrokerConfig(Section):
    """The broker that gridzero starts itself."""

    port: Port = Field(default=1883, description="TCP port on 127.0.0.1, 1..65535")


class MqttConfig(Section):
    """The broker: with host one that runs elsewhere, without host one inside gridzero."""

    host: _Text | None = Field(
        default=None, description="name or address of the broker; absent = the embedded broker"
    )
    port: Port = Field(default=1883, description="TCP port of the broker, 1..65535")
    username: _Text | None = Field(default=None, description="user name at the broker")
    password: SecretStr | None = Field(
        default=None, description="password at the broker; best as: !secret mqtt_password"
    )
    tls: TlsConfig | None = Field(default=None, description="encryption; absent = none")
    client_id: _Text | None = Field(
        default=None, description="MQTT client id, once per broker; default: made by gridzero"
    )
    topic_prefix: _Prefix = Field(default="gridzero", description="first part of all own topics")
    embedded: Annotated[EmbeddedBrokerConfig, BeforeValidator(_empty)] = Field(
        default_factory=EmbeddedBrokerConfig, description="settings of the embedded broker"
    )

    @property
    def is_embedded(self) -> bool:
        """Whether gridzero starts its own broker."""
        return self.host is None

    @model_validator(mode="after")
    def _one_broker(self) -> Self:
        elsewhere = {"port", "username", "password", "tls"} & self.model_fields_set
        if self.host is None and elsewhere:
            raise ValueError(f"{', '.join(sorted(elsewhere))} without host: which broker is meant?")
        if self.host is not None and "embedded" in self.model_fields_set:
            raise ValueError("host and embedded exclude each other: remove one of them")
        if self.password is not None and self.username is None:
            raise ValueError("password without username: brokers take both or neither")
        return self


class BatteryConfig(Section):
    """What the battery bears as a whole; the curves are in the profile."""

    profile: Literal["vw_gte_12s", "nmc", "lfp"] = Field(
        default="vw_gte_12s", description="limits, curves and protections of the cells"
    )
    series_cells: int | None = Field(
        default=None,
        ge=4,
        le=32,
        description="cells in series, needed by the profiles nmc and lfp, 4..32",
    )
    overrides: dict[str, Number] = Field(
        default_factory=dict, description="single numbers of the profile that differ here"
    )
    max_charge_a: Number = Field(
        default=50.0, ge=0, le=1000, description="largest charge current of the battery, A, 0..1000"
    )
    max_discharge_a: Number = Field(
        default=50.0,
        ge=0,
        le=1000,
        description="largest discharge current of the battery, A, 0..1000",
    )
    max_module_a: Number = Field(
        default=12.5,
        gt=0,
        le=200,
        description="largest current per healthy parallel module, A, up to 200",
    )
    module_ah: Number = Field(
        default=25.0,
        ge=1,
        le=1000,
        description="nominal capacity of one module, Ah, 1..1000; what it really is is learned",
    )
    balancing: bool = Field(default=True, description="let modules bleed their highest cells")
    contactor: Name | None = Field(
        default=None, description="switch that cuts the whole battery off; absent = none"
    )


class ThermalConfig(Section):
    """What warms and cools the battery."""

    heater: Name | None = Field(
        default=None, description="switch that warms the battery; absent = none"
    )
    fan: Name | None = Field(
        default=None, description="switch that cools the battery; absent = none"
    )


class WatchdogConfig(Section):
    """Who ends a gridzero that no longer commands; fed only while commands really leave."""

    systemd: Literal["auto", "off"] = Field(
        default="auto", description="auto: feed systemd's watchdog where it has set one"
    )
    hardware: _Text | None = Field(
        default=None, description="device that resets the Pi, such as /dev/watchdog; absent = none"
    )
    timeout_s: int = Field(
        default=15, ge=5, le=60, description="time after which it resets the Pi, s, 5..60"
    )
    within_s: Number = Field(
        default=6.0,
        ge=5.0,
        le=15.0,
        description="how old the last tick and the last bytes to each converter may be, s, 5..15",
    )
    excuse_lost_links: bool = Field(
        default=False,
        description="feed it although a converter's link is down, as long as another is reached",
    )


class ControlConfig(Section):
    """How the grid power is held."""

    target_w: Number = Field(
        default=0.0, ge=-2000, le=2000, description="grid power to hold, W, > 0 import, -2000..2000"
    )
    mode: Mode = Field(
        default=Mode.AUTO, description="what to do until somebody changes it while running"
    )
    power_w: Number = Field(
        default=0.0,
        ge=0,
        le=20_000,
        description="power in the modes charge and discharge, W, 0..20000",
    )
    export_guard_w: Number = Field(
        default=0.0,
        ge=0,
        le=500,
        description="import that is left to the grid while discharging, W, 0..500",
    )
    min_soc_pct: Number = Field(
        default=0.0, ge=0, le=100, description="no discharging at or below this charge, %, 0..100"
    )
    max_soc_pct: Number = Field(
        default=100.0, ge=0, le=100, description="no charging at or above this charge, %, 0..100"
    )
    reserve_soc_pct: Number = Field(
        default=0.0, ge=0, le=100, description="charge that mode auto keeps, %, 0..100"
    )
    strategy: Strategy = Field(
        default=Strategy.SELF_USE, description="what mode auto is for; tariff needs prices"
    )
    peak_w: Number = Field(
        default=4000.0,
        ge=0,
        le=50_000,
        description="import above which the strategy peak_shave discharges, W, 0..50000",
    )
    allow_grid_charge: bool = Field(
        default=True, description="whether more than the surplus may be stored, when asked for"
    )
    meter_hold_s: Number = Field(
        default=1.5, ge=0.2, le=30, description="age up to which a reading counts in full, s"
    )
    meter_lost_s: Number = Field(
        default=10.0, ge=1, le=120, description="age at which power has fallen to 0, s, 1..120"
    )
    lease_s: Number = Field(
        default=3.0,
        ge=1,
        le=10,
        description="how long a command holds that is not renewed, s, 1..10",
    )
    protect_period_s: Number = Field(
        default=0.25,
        ge=0.05,
        le=0.5,
        description="time between checks of the battery limits, s, 0.05..0.5",
    )
    min_charge_w: Number = Field(
        default=0.0,
        ge=0,
        le=5000,
        description="charging starts above this power, W, 0..5000; "
        "0 = half as much again as the smallest that a charger can hold",
    )
    min_discharge_w: Number = Field(
        default=30.0, ge=0, le=5000, description="discharging starts above this power, W, 0..5000"
    )
    stored_value: Number | None = Field(
        default=None,
        ge=0,
        le=1,
        description="what stored energy is worth, as a part of what it is worth now, 0..1; "
        "absent = energy alone decides whether a start pays",
    )
    target_topic: _Topic | None = Field(
        default=None, description="MQTT topic of a power to charge with, W; numbers > 0 count"
    )
    target_timeout_s: Number = Field(
        default=15.0, ge=1, le=3600, description="age at which such a number is dropped, s, 1..3600"
    )

    @model_validator(mode="after")
    def _times_fit_together(self) -> Self:
        if self.meter_hold_s >= self.meter_lost_s:
            raise ValueError("meter_hold_s must be shorter than meter_lost_s")
        return self

    @model_validator(mode="after")
    def _bounds_leave_room(self) -> Self:
        if max(self.min_soc_pct, self.reserve_soc_pct) >= self.max_soc_pct:
            raise ValueError("min_soc_pct and reserve_soc_pct must be below max_soc_pct")
        return self


class PricesConfig(Section):
    """What energy costs and earns; without it nothing depends on prices."""

    import_ct: Number = Field(
        ge=-1000, le=1000, description="price of a kWh from the grid, ct, -1000..1000"
    )
    export_ct: Number = Field(
        ge=-1000, le=1000, description="what a kWh into the grid earns, ct, -1000..1000"
    )
    import_topic: _Topic | None = Field(
        default=None, description="MQTT topic of the import price of now, ct/kWh; holds for 2 h"
    )
    export_topic: _Topic | None = Field(
        default=None, description="MQTT topic of the export price of now, ct/kWh; holds for 2 h"
    )
    stored_topic: _Topic | None = Field(
        default=None,
        description="MQTT topic of what a stored kWh will be worth, ct/kWh; holds for 2 h",
    )


class ProductionConfig(Section):
    """What the panels of the house make, told by MQTT; only counted, never controlled by."""

    topic: _Topic = Field(description="MQTT topic of the power of all panels, a plain number")
    scale: Number = Field(
        default=1.0, gt=0, le=1e6, description="W per unit of the number: 1000 for kW"
    )
    hold_s: Number = Field(
        default=120.0, ge=1, le=3600, description="how long a value holds, s, 1..3600"
    )


class Config(Section):
    """One configuration file.

    devices: the raw sections; the drivers' options models check them and own their meaning.
    """

    version: StrictInt = Field(
        default=VERSION,
        ge=1,
        le=VERSION,
        description="version of the file's format; absent = the oldest, whose settings still count",
    )
    site: SiteConfig = Field(description="name, state folder and log")
    mqtt: Annotated[MqttConfig, BeforeValidator(_empty)] = Field(
        default_factory=MqttConfig, description="the broker; absent = embedded on 127.0.0.1:1883"
    )
    links: Annotated[dict[Name, LinkConfig], BeforeValidator(_empty)] = Field(
        default_factory=dict, description="buses and ports by name"
    )
    devices: dict[Name, dict[str, Any]] = Field(
        repr=False, description="devices by name, each with its driver"
    )
    battery: Annotated[BatteryConfig, BeforeValidator(_empty)] = Field(
        default_factory=BatteryConfig, description="limits of the battery"
    )
    thermal: Annotated[ThermalConfig, BeforeValidator(_empty)] = Field(
        default_factory=ThermalConfig, description="heater and fan of the battery"
    )
    watchdog: Annotated[WatchdogConfig, BeforeValidator(_empty)] = Field(
        default_factory=WatchdogConfig, description="systemd's and the Pi's watchdog"
    )
    control: Annotated[ControlConfig, BeforeValidator(_empty)] = Field(
        default_factory=ControlConfig, description="how the grid power is held"
    )
    prices: PricesConfig | None = Field(
        default=None, description="what energy is worth; absent = it does not matter"
    )
    production: ProductionConfig | None = Field(
        default=None, description="what the panels make; absent = not known"
    )
    home_assistant: Annotated[HomeAssistantConfig, BeforeValidator(_empty)] = Field(
        default_factory=HomeAssistantConfig, description="entities of Home Assistant"
    )
    reference_topics: Annotated[ReferenceTopicsConfig, BeforeValidator(_empty)] = Field(
        default_factory=ReferenceTopicsConfig,
        description="topics of the battery monitor that was there before",
    )
    history: Annotated[HistoryConfig, BeforeValidator(_empty)] = Field(
        default_factory=HistoryConfig, description="the local store of what was"
    )
    console: Annotated[ConsoleConfig, BeforeValidator(_empty)] = Field(
        default_factory=ConsoleConfig, description="the console over telnet"
    )
    dashboard: Annotated[DashboardConfig | None, BeforeValidator(_empty)] = Field(
        default=None, description="the web page; absent = none"
    )
    metrics: Annotated[MetricsConfig | None, BeforeValidator(_empty)] = Field(
        default=None, description="figures for Prometheus; absent = none"
    )
    alerts: Annotated[AlertsConfig | None, BeforeValidator(_empty)] = Field(
        default=None, description="notifications; absent = none"
    )
