"""Checks test vectors: what the reader makes of given messages.

A vector has ``topic`` with ``payload`` (text) or ``payload_hex``; for meters on several topics
``messages`` is a list of those. ``options`` is the meter's section without ``driver``; without
topic and sources in it, the vector's topic is meant. ``expect`` is ``{grid_w: number}`` or
``{no_reading: true}``, optionally with ``why``.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

from gridzero.domain.readings import MeterReading
from gridzero_drivers.metering.rounds import Rounds
from gridzero_drivers.mqtt_meter.options import MqttMeterOptions


def check_vector(vector: Mapping[str, Any]) -> str:
    """Run one vector; "" or what differs."""
    expect, got = vector["expect"], read(vector)
    if isinstance(got, MeterReading):
        wanted = expect.get("grid_w")
        if wanted is not None and isclose(got.grid_w, wanted, abs_tol=1e-6):
            return ""
        return f"read {got.grid_w:g} W instead of {expect}"
    if expect.get("no_reading") is True and expect.get("why", got) == got:
        return ""
    return f"no reading ({got}) instead of {expect}"


def read(vector: Mapping[str, Any]) -> MeterReading | str | None:
    """What the last message of a vector gives."""
    messages = vector.get("messages", [vector])
    given = dict(vector.get("options", {}))
    if not {"topic", "sources", "profile"} & given.keys():
        given["topic"] = messages[0]["topic"]
    options = MqttMeterOptions.model_validate({"driver": "mqtt_meter", **given})
    rounds = Rounds(options.terms(), options)
    result: MeterReading | str | None = None
    for i, message in enumerate(messages):
        result = rounds.take(message["topic"], _payload(message), i * 0.01)
    return result


def _payload(message: Mapping[str, Any]) -> bytes:
    if "payload_hex" in message:
        return bytes.fromhex(message["payload_hex"])
    return str(message["payload"]).encode()
