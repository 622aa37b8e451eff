"""State and events over MQTT, under one topic prefix (``gridzero`` by default).

gridzero/status         online / offline (retained, last will)
gridzero/state          one JSON object a second
gridzero/cells          every cell, every ten seconds
gridzero/battery        state of charge, trust, alarms, balancing and heat, every ten seconds
gridzero/health         state of health and what to look after, every ten minutes
gridzero/energy         counters of energy and money, and today's figures, every 30 seconds
gridzero/score          how well the grid was held in the last hour and day, every minute
gridzero/config         which configuration runs, and what waits for a restart, every ten seconds
gridzero/event          one JSON object per event
gridzero/settings       every setting with its range, every action; retained, on change, each minute
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import structlog

from gridzero.control.score import HOUR_MIN
from gridzero.domain.decision import Decision
from gridzero.domain.events import Event, Severity
from gridzero.domain.snapshot import Snapshot
from gridzero.outputs.battery import battery_of, health_of
from gridzero.outputs.energy import energy_of
from gridzero.outputs.followed import Followed
from gridzero.outputs.learned import with_learning
from gridzero.outputs.mqtt_in import text_of
from gridzero.outputs.score import headline_of, score_of
from gridzero.outputs.settings import settings_of
from gridzero.outputs.state import cells_of, state_of
from gridzero.ports.clock import Clock
from gridzero.ports.links import MqttLink, MqttMessage
from gridzero.runtime.energy_memory import EnergyMemory
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.learning import Learning
from gridzero.runtime.orders import Orders
from gridzero.runtime.site import Site

log = structlog.get_logger()

_STATE_PERIOD_S = 1.0
_ECHO_PERIOD_S = 0.2
_CELLS_PERIOD_S = 10.0
_SCORE_PERIOD_S = 60.0
_HEALTH_PERIOD_S = 600.0
_ENERGY_PERIOD_S = 30.0
_HEADLINE_PERIOD_S = 10.0
_SETTINGS_PERIOD_S = 60.0
_CONFIG_PERIOD_S = 10.0


class MqttOut:
    """One more reader of the site; publishing never waits."""

    def __init__(
        self,
        site: Site,
        faults: FaultBook,
        link: MqttLink,
        clock: Clock,
        prefix: str,
        learning: Learning | None = None,
        orders: Orders | None = None,
    ) -> None:
        """orders: what can be asked for, published with the settings; None = neither is."""
        self._site, self._faults, self._link, self._clock = site, faults, link, clock
        self._prefix, self._learning, self._orders = prefix, learning, orders
        self._settings_s = float("-inf")
        self._is_soon, self._published_s = False, float("-inf")
        self._refused_w: float | None = None
        self._target: Followed | None = None
        self._headline: dict[str, object] = {}
        self._headline_s = float("-inf")
        self._seldom: dict[str, tuple[float, Callable[[Snapshot], dict[str, Any] | None]]] = {
            "cells": (_CELLS_PERIOD_S, cells_of),
            "battery": (_CELLS_PERIOD_S, lambda now: battery_of(now.condition, now.now_s)),
            "score": (_SCORE_PERIOD_S, lambda _: score_of(site.score)),
            "health": (_HEALTH_PERIOD_S, lambda _: health_of(site.battery.health())),
        }
        self._due_s = {"score": clock.now_s() + _SCORE_PERIOD_S}
        faults.on_event(self._publish_event)
        site.settings.on_change(lambda _: self._publish_settings())

    def follow_target(self, topic: str | None) -> None:
        """Take charge power in W from this topic from now on; what is not a number ends it."""
        if self._target is not None:
            self._target.end()
            self._site.ask_to_charge(0.0)
        self._target = None if topic is None else Followed(self._link, topic, self._on_target)

    def tell_energy(self, energy: EnergyMemory, has_production: Callable[[], bool]) -> None:
        """Publish energy and money, too, once something of them is stored."""
        self._seldom["energy"] = (
            _ENERGY_PERIOD_S,
            lambda _: energy_of(energy.shown, has_production=has_production()),
        )

    def tell_config(self, values_of: Callable[[], dict[str, Any]]) -> None:
        """Publish, too, which configuration runs."""
        self._seldom["config"] = (_CONFIG_PERIOD_S, lambda _: values_of())

    def publish_config(self) -> None:
        """Publish that now: it has changed."""
        if "config" in self._seldom and self._site.last is not None:
            self._due_s["config"] = self._clock.now_s() + _CONFIG_PERIOD_S
            self._publish_json("config", self._seldom["config"][1](self._site.last[0]) or {})

    def farewell(self) -> None:
        """Publish the last decision, and the counters as they will be found again."""
        self.publish()
        self._due_s.pop("energy", None)
        if self._site.last is not None and "energy" in self._seldom:
            self._publish_seldom(self._site.last[0])

    async def run(self) -> None:
        """Publish the state once a second, the rest more seldom, until cancelled."""
        while True:
            self.publish()
            if self._clock.now_s() - self._settings_s >= _SETTINGS_PERIOD_S:
                self._publish_settings()
            if self._site.last is not None:
                self._publish_seldom(self._site.last[0])
            await self._clock.sleep_s(_STATE_PERIOD_S)

    def _publish_seldom(self, now: Snapshot) -> None:
        now_s = self._clock.now_s()
        for topic, (period_s, values_of) in self._seldom.items():
            if now_s >= self._due_s.setdefault(topic, now_s):
                values = values_of(now)
                if values is not None:
                    self._due_s[topic] = now_s + period_s - _STATE_PERIOD_S / 2
                    self._publish_json(topic, values)

    def publish_soon(self) -> None:
        """Publish now, or with the next ones of a crowd of changes: a flood is not echoed."""
        if self._is_soon:
            return
        wait_s = self._published_s + _ECHO_PERIOD_S - self._clock.now_s()
        if wait_s <= 0.0:
            self.publish()
            return
        self._is_soon = True
        asyncio.get_running_loop().call_later(wait_s, self.publish)

    def publish(self) -> None:
        """Publish the last decision now."""
        self._is_soon, self._published_s = False, self._clock.now_s()
        if self._site.last is not None:
            now, decision = self._site.last
            self._publish_json("state", self._state(now, decision))

    def _state(self, now: Snapshot, decision: Decision) -> dict[str, object]:
        state = state_of(now, decision, self._faults.active)
        left_s = self._site.trial.left_s
        state["trial_left_s"] = None if left_s is None else round(left_s, 1)
        switches = self._site.parts.switches
        state["switches"] = {name: one.is_closed() for name, one in switches.items()}
        state["score"] = self._headline_at(now.now_s)
        return state if self._learning is None else with_learning(state, self._learning)

    def _headline_at(self, now_s: float) -> dict[str, object]:
        """The figures of the last hour that matter most, summed anew every ten seconds."""
        if not now_s - self._headline_s < _HEADLINE_PERIOD_S:
            self._headline_s = now_s
            self._headline = headline_of(self._site.score.figures(HOUR_MIN))
        return self._headline

    def _publish_settings(self) -> None:
        """Retained: a form can be drawn before the next minute."""
        if self._orders is not None:
            self._settings_s = self._clock.now_s()
            values = settings_of(self._site.settings, self._orders)
            self._link.publish(f"{self._prefix}/settings", json_text(values), retain=True)

    def _publish_event(self, event: Event) -> None:
        values = {
            "code": event.code,
            "subject": event.subject,
            "severity": event.severity.name.lower(),
            "text": event.text,
            "remedy": event.remedy,
            "active": event.active,
        }
        self._publish_json("event", values)

    def _publish_json(self, topic: str, values: dict[str, object]) -> None:
        self._link.publish(f"{self._prefix}/{topic}", json_text(values))

    def _on_target(self, message: MqttMessage) -> None:
        try:
            power_w = float(text_of(message.payload))
        except ValueError:
            power_w = 0.0
        most_w = sum(unit.spec.max_w for unit in self._site.parts.chargers)
        if power_w > most_w and power_w == self._refused_w:
            power_w = 0.0
        elif power_w > most_w:
            self._refused_w = power_w
            text = (
                f"the target topic asks for {power_w:g} W; the chargers take {most_w:g} W at most"
            )
            self._faults.tell("setting_refused", "target_topic", text, Severity.WARNING)
            power_w = 0.0
        self._site.ask_to_charge(power_w if power_w > 0 else 0.0)


def json_text(values: Any) -> str:
    """JSON that every reader takes: what is no finite number is null."""
    try:
        return json.dumps(values, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(values), separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(below) for key, below in value.items()}
    return [_finite(below) for below in value] if isinstance(value, list | tuple) else value
