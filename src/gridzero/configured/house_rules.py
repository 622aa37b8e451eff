"""What a configuration means for the parts of a site: numbers, wishes, prices."""

from __future__ import annotations

from gridzero.battery.balancing import PLANS
from gridzero.battery.cells.catalogue import CELLS, OF_PROFILE, sized
from gridzero.battery.limits import Ratings
from gridzero.battery.profile import Profile, profile
from gridzero.config.models import BatteryConfig, Config, ControlConfig, PricesConfig
from gridzero.control.tuning import Tuning
from gridzero.domain.modes import Mode, Strategy, Wanted
from gridzero.domain.value import Prices
from gridzero.errors import ConfigError
from gridzero.runtime.rules import SiteRules


def rules_of(config: Config, meter_interval_s: float = 0.5) -> SiteRules:
    """The numbers of the configuration that the site itself needs.

    A meter that speaks seldom is not late before its next message is due.
    """
    control = config.control
    return SiteRules(
        profile=profile_of(config.battery),
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
        cell=sized(CELLS[OF_PROFILE[config.battery.profile]], config.battery.module_ah),
        module_ah=config.battery.module_ah,
        plan=PLANS[config.battery.profile],
        has_heater=config.thermal.heater is not None,
        lease_s=control.lease_s,
        protect_period_s=control.protect_period_s,
        balancing=config.battery.balancing,
        target_timeout_s=control.target_timeout_s,
    )


def wanted_of(control: ControlConfig) -> Wanted:
    """What holds of the settings until somebody changes it."""
    return Wanted(
        mode=Mode(control.mode),
        power_w=control.power_w,
        target_w=control.target_w,
        export_guard_w=control.export_guard_w,
        min_soc_pct=control.min_soc_pct,
        max_soc_pct=control.max_soc_pct,
        reserve_soc_pct=control.reserve_soc_pct,
        strategy=Strategy(control.strategy),
        peak_w=control.peak_w,
        allow_grid_charge=control.allow_grid_charge,
    )


def topics_of(prices: PricesConfig) -> dict[str, str | None]:
    """Where the prices of now come from, by names of Prices."""
    return {
        "import_ct": prices.import_topic,
        "export_ct": prices.export_topic,
        "stored_ct": prices.stored_topic,
    }


def profile_of(battery: BatteryConfig) -> Profile:
    """The battery's curves. Raises ConfigError where the numbers of the file do not fit."""
    try:
        return profile(battery.profile, battery.overrides, battery.series_cells)
    except ValueError as error:
        raise ConfigError(
            str(error),
            where="battery",
            remedy="See docs/configuration.md for profiles and their numbers",
        ) from error


def prices_of(prices: PricesConfig) -> Prices:
    """The prices that hold wherever no fresh one came by MQTT."""
    return Prices(prices.import_ct, prices.export_ct)
