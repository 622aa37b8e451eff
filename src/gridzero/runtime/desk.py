"""Who carries out which action of a site."""

from __future__ import annotations

from gridzero.log import change_level
from gridzero.ports.clock import Clock
from gridzero.runtime.battery_orders import BatteryOrders
from gridzero.runtime.learning import Learning
from gridzero.runtime.market import Market
from gridzero.runtime.orders import Do, Orders
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.site import Site
from gridzero.runtime.trace import Tracer

_LEVELS = ("debug", "info", "warning", "error")


def desk_of(
    site: Site,
    clock: Clock,
    *,
    learning: Learning | None = None,
    market: Market | None = None,
    tracer: Tracer | None = None,
) -> Orders:
    """All that can be asked of this site, beyond what belongs to the process around it."""
    orders = Orders(site.settings, site.faults, clock)
    orders.can("balance", _balance(site, clock))
    orders.can("log", _log)
    orders.can("full_charge", site.full_charge.ask)
    orders.can("trial", site.trial.ask)
    battery = BatteryOrders(site)
    orders.can("soc_from_voltage", battery.soc_from_voltage)
    orders.can("soc_full", battery.soc_full)
    orders.can("clear_full", battery.clear_full)
    orders.can("flip_shunt", battery.flip_shunt)
    if learning is not None:
        orders.can("identify", _identify(learning))
    if market is not None:
        orders.can("outlook", _outlook(market))
    if tracer is not None:
        orders.can("trace", tracer.ask)
    return orders


def _balance(site: Site, clock: Clock) -> Do:
    def do(value: str) -> str:
        wish = value.strip().lower()
        if wish == "now":
            site.battery.balance_now(clock.now_s())
            return "balances for 6 hours wherever it may"
        if wish == "stop":
            site.battery.end_balancing()
            return "balances in the usual window only"
        raise SettingRefused(
            f"balance takes now or stop, not {wish[:40]!r}", where="balance", remedy="Send one"
        )

    return do


def _identify(learning: Learning) -> Do:
    def do(value: str) -> str:
        learning.ask(value)
        return "the test is cancelled" if value.strip() == "cancel" else f"tests {value.strip()}"

    return do


def _outlook(market: Market) -> Do:
    def do(value: str) -> str:
        market.tell_outlook(value)
        return f"Outlook is {value.strip()}"

    return do


def _log(value: str) -> str:
    level = value.strip().lower()
    if level not in _LEVELS:
        known = ", ".join(_LEVELS)
        raise SettingRefused(
            f"there is no log level {level[:40]!r}", where="log", remedy=f"Use one of {known}"
        )
    change_level(level)
    return f"logs from {level} on until the next start"
