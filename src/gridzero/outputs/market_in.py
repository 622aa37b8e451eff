"""Prices and outlook over MQTT.

Only live messages count. A retained one has no age: the broker would deliver the outlook of last
week, or the price of last night, anew with each reconnect, and each time it would count as fresh.
What was told survives a restart in gridzero's own store instead, with its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gridzero.domain.events import Severity
from gridzero.ports.links import MqttLink, MqttMessage
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.market import Market
from gridzero.runtime.settings import SettingRefused

_LONGEST = 100


def listen(
    market: Market, link: MqttLink, faults: FaultBook, prefix: str, topics: Mapping[str, str | None]
) -> None:
    """Take the outlook from <prefix>/outlook/set, and prices from topics, by names of Prices."""

    def take_outlook(message: MqttMessage) -> None:
        try:
            market.tell_outlook(_text(message))
        except SettingRefused as error:
            faults.tell("setting_refused", "outlook", str(error), Severity.WARNING)

    link.subscribe(f"{prefix}/outlook/set", _live(take_outlook))
    for name, topic in topics.items():
        if topic is not None:
            link.subscribe(topic, _live(_price_taker(market, name)))


def _price_taker(market: Market, name: str) -> Callable[[MqttMessage], None]:
    return lambda message: market.take_price(name, _text(message))


def _live(take: Callable[[MqttMessage], None]) -> Callable[[MqttMessage], None]:
    return lambda message: None if message.retained else take(message)


def _text(message: MqttMessage) -> str:
    """What is too long is neither a price nor an outlook."""
    return message.payload[: _LONGEST + 1].decode(errors="replace")[:_LONGEST]
