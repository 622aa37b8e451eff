"""A gridzero as a console hears it: over a broker in memory, with an answering desk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gridzero.links.memory import MemoryBroker
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import Clock
from gridzero.ports.links import MqttMessage

STATE: dict[str, Any] = {
    "grid_w": 12.4,
    "meter_age_s": 0.3,
    "net_load_w": 431.0,
    "setpoint_w": 420.0,
    "wish_w": 650.0,
    "because": "wish",
    "because_text": "the grid is held at its target",
    "mode": "auto",
    "power_w": 0.0,
    "target_w": 0.0,
    "value": {"bias_w": 0.0},
    "limits": {
        "charge_w": 2800.0,
        "charge_because": "charger_maximum",
        "discharge_w": 420.0,
        "discharge_because": "cell_low",
        "charge_a": 50.0,
        "discharge_a": 50.0,
        "max_v": 49.2,
    },
    "battery": {
        "pack_v": 44.4,
        "current_a": 9.5,
        "min_cell_v": 3.695,
        "min_cell": "b2.2",
        "max_cell_v": 3.713,
        "max_cell": "b3.10",
        "temp_low_c": 15.0,
        "temp_high_c": 18.0,
        "modules": 2,
        "healthy": 2,
        "soc_pct": 54.3,
        "soc_sigma_pct": 1.2,
        "to_empty_h": 9.5,
        "to_full_h": None,
    },
    "chargers": {"rectifier": {"state": "off", "silent": False, "command_w": 0.0, "alarms": []}},
    "inverters": {"soyo": {"state": "running", "silent": False, "command_w": 420.0, "ac_w": 418.0}},
    "faults": [
        {
            "code": "fan_failed",
            "subject": "rectifier",
            "level": "warn",
            "is_latched": False,
            "text": "the fan stands still",
            "remedy": "Clean it",
        }
    ],
}
CELLS: dict[str, Any] = {
    "a3": {
        "cells_v": [3.700 + cell / 1000 for cell in range(12)],
        "temps_c": [{"low": 15.0, "high": 18.0}],
        "bleeding": [12],
        "suspect": [4],
    },
    "b2": {"cells_v": [3.69] + 11 * [None], "temps_c": [], "bleeding": [], "suspect": []},
}
BATTERY: dict[str, Any] = {
    "charge": {"soc_pct": 54.3, "soc_sigma_pct": 1.2, "capacity_ah": 176.0, "out_ah": 96.0},
    "modules": {"a3": {"current_a": 1.9, "soc_pct": [48.0, 49.0]}},
    "trust": {"cells": [{"cell": "a3.4", "text": "jumps"}], "modules": {}},
    "alarms": [{"code": "cell_low", "subject": "b2.1", "level": "limit", "text": "is low"}],
    "balancing": {
        "ah_left": 0.2,
        "hours_left": 3.0,
        "forced_h": None,
        "modules": {"a3": {"cells": [12], "reason_text": "is being bled", "ah_left": 0.2}},
    },
    "thermal": {"charge_factor": 0.5, "discharge_factor": 1.0, "heat_on": True},
}
SETTINGS: dict[str, Any] = {
    "settings": {
        "mode": {
            "value": "auto",
            "default": "auto",
            "title": "Mode",
            "text": "what to do",
            "kind": "choice",
            "options": ["auto", "hold"],
        },
        "target_w": {
            "value": 25.0,
            "default": 0.0,
            "title": "Target",
            "text": "grid power to hold",
            "kind": "number",
            "unit": "W",
            "low": -2000.0,
            "high": 2000.0,
        },
        "allow_charge": {"value": True, "default": True, "title": "Charging", "kind": "switch"},
    },
    "actions": {
        "acknowledge": {"title": "Acknowledge", "argument": "all", "dangerous": False},
        "flip_shunt": {"title": "Flip the shunt", "argument": "", "dangerous": True},
    },
}
EVERYTHING: dict[str, dict[str, Any]] = {
    "state": STATE,
    "cells": CELLS,
    "battery": BATTERY,
    "settings": SETTINGS,
    "score": {"hour": {"mean_w": 1.25, "causes_ws": {"dead_time": 7200}}, "day": {"mean_w": None}},
    "energy": {
        "grid_import_kwh": 12.5,
        "produced_kwh": None,
        "stored": "2026-11-01",
        "today": {"grid_import_kwh": 1.25, "autarky_pct": 75.0},
        "converters": {"soyo": {"hours": 3.5, "starts": 4}},
    },
    "health": {
        "days": 12.0,
        "health_pct": {"value": 91.0, "sigma": 2.0},
        "weakest_first": ["b2", "a3"],
        "maintenance": [
            {"urgency": "soon", "subject": "b2", "what": "replace", "why": "weak", "remedy": "Do"}
        ],
    },
}


class House:
    """Says what the topics say, and answers what is asked."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.broker = MemoryBroker()
        self.link = self.broker.attach()
        self.feed = Feed(self.broker.attach(), clock, "gridzero")
        self.is_deaf = False
        self.asked: list[tuple[str, str]] = []
        self.answers: Mapping[str, tuple[bool, str]] = {}
        self.link.subscribe("gridzero/ask", self._answer)

    def say(self, topic: str, values: Mapping[str, Any]) -> None:
        self.link.publish(f"gridzero/{topic}", json.dumps(values))

    def say_all(self) -> None:
        self.link.publish("gridzero/status", "online")
        for topic, values in EVERYTHING.items():
            self.say(topic, values)

    def _answer(self, message: MqttMessage) -> None:
        if self.is_deaf:
            return
        asked = json.loads(message.payload)
        self.asked.append((asked["what"], asked["value"]))
        ok, text = self.answers.get(asked["what"], (True, f"{asked['what']} is {asked['value']}"))
        self.say("answer", {"id": asked["id"], "ok": ok, "text": text})
