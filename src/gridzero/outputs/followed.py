"""A topic of the configuration that may be exchanged while gridzero runs."""

from __future__ import annotations

from collections.abc import Callable

from gridzero.ports.links import MqttLink, MqttMessage

Take = Callable[[MqttMessage], None]


class Followed:
    """Hands on what comes live on one topic, until it is ended; a retained message has no age.

    A link does not unsubscribe: what still comes afterwards is dropped here.
    """

    def __init__(self, link: MqttLink, topic: str, take: Take) -> None:
        self._take: Take | None = take
        link.subscribe(topic, self._hear)

    def end(self) -> None:
        """Hand on nothing any more."""
        self._take = None

    def _hear(self, message: MqttMessage) -> None:
        if self._take is not None and not message.retained:
            self._take(message)
