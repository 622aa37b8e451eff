"""Gives a running site the parts of a configuration that may change while it runs."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from gridzero.config.models import Config, PricesConfig, ProductionConfig
from gridzero.configured.house_rules import prices_of, rules_of, topics_of, wanted_of
from gridzero.log import change_level
from gridzero.outputs.followed import Followed
from gridzero.outputs.market_in import listen, listen_for_production
from gridzero.outputs.mqtt_out import MqttOut
from gridzero.ports.clock import Clock
from gridzero.ports.links import MqttLink
from gridzero.runtime.market import Market
from gridzero.runtime.production import Production
from gridzero.runtime.rules import SiteRules
from gridzero.runtime.site import Site

log = structlog.get_logger()


class Retuner:
    """Begins with one configuration, and takes others.

    What may fail is done by ``rules``, before anything is changed; ``take`` only assigns.
    """

    def __init__(
        self, site: Site, output: MqttOut, market: Market | None, link: MqttLink, clock: Clock
    ) -> None:
        self._site, self._output, self._market = site, output, market
        self._link, self._clock = link, clock
        self._prices: Sequence[Followed] = ()
        self._production: Followed | None = None

    def begin(self, config: Config) -> None:
        """Listen to the topics of the first configuration."""
        if config.control.target_topic is not None:
            self._output.follow_target(config.control.target_topic)
        if config.production is not None:
            self._produce(config.production)
        if config.prices is not None:
            self._listen(config.prices)

    def rules(self, config: Config) -> SiteRules:
        """The numbers of another configuration. Raises ConfigError where they do not fit."""
        return rules_of(config, self._site.parts.meter.interval_s)

    def take(self, old: Config, new: Config, rules: SiteRules) -> None:
        """From now on new instead of old, where they differ. rules: those of new."""
        if new.control != old.control:
            self._site.retune(rules)
            self._site.settings.renew(wanted_of(new.control))
        if new.control.target_topic != old.control.target_topic:
            self._output.follow_target(new.control.target_topic)
        if new.production != old.production:
            self._produce(new.production)
        if new.prices is not None and old.prices is not None and new.prices != old.prices:
            self._reprice(old.prices, new.prices)
        if new.site.log != old.site.log:
            change_level(new.site.log.level, new.site.log.format)

    def _produce(self, config: ProductionConfig | None) -> None:
        if self._production is not None:
            self._production.end()
        self._production = self._site.production = None
        if config is not None:
            production = Production(self._clock, scale=config.scale, hold_s=config.hold_s)
            self._site.production = production
            self._production = listen_for_production(production, self._link, config.topic)

    def _reprice(self, old: PricesConfig, new: PricesConfig) -> None:
        if self._market is None:
            return
        self._market.fix(prices_of(new))
        before, after = topics_of(old), topics_of(new)
        for name in (name for name in after if before[name] != after[name]):
            self._market.forget_price(name)
        if before != after:
            self._listen(new)

    def _listen(self, prices: PricesConfig) -> None:
        for followed in self._prices:
            followed.end()
        if self._market is not None:
            self._prices = listen(self._market, self._link, topics_of(prices))
