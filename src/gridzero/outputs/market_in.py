"""Prices, and what the panels make, over MQTT.

Only live messages count. A retained one has no age: the broker would deliver the price of last
night anew with each reconnect, and each time it would count as fresh.
"""

from __future__ import annotations

from collections.abc import Mapping

from gridzero.outputs.followed import Followed, Take
from gridzero.ports.links import MqttLink, MqttMessage
from gridzero.runtime.market import Market
from gridzero.runtime.production import Production

_LONGEST = 100


def listen(
    market: Market, link: MqttLink, topics: Mapping[str, str | None]
) -> tuple[Followed, ...]:
    """Take prices from topics, by names of Prices; the outlook comes through runtime.desk."""
    return tuple(
        Followed(link, topic, _price_taker(market, name))
        for name, topic in topics.items()
        if topic is not None
    )


def listen_for_production(production: Production, link: MqttLink, topic: str) -> Followed:
    """Take what the panels make from a topic."""
    return Followed(link, topic, lambda message: production.take(_text(message)))


def _price_taker(market: Market, name: str) -> Take:
    return lambda message: market.take_price(name, _text(message))


def _text(message: MqttMessage) -> str:
    """What is too long is neither a price nor a power."""
    return message.payload[: _LONGEST + 1].decode(errors="replace")[:_LONGEST]
