"""Checks test vectors: what the reader makes of given answers.

A vector has ``payload`` (text) or ``payload_hex``, and ``options``: the meter's section without
``driver`` and ``link``. ``expect`` is ``{grid_w: number}`` or ``{no_reading: true}``, optionally
with ``why``.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

from gridzero.domain.readings import MeterReading
from gridzero_drivers.http_meter.options import HttpMeterOptions
from gridzero_drivers.metering.codec import NoReading
from gridzero_drivers.metering.rounds import Rounds


def check_vector(vector: Mapping[str, Any]) -> str:
    """Run one vector; "" or what differs."""
    expect, got = vector["expect"], read(vector.get("options", {}), _payload(vector))
    if isinstance(got, MeterReading):
        wanted = expect.get("grid_w")
        if wanted is not None and isclose(got.grid_w, wanted, abs_tol=1e-6):
            return ""
        return f"read {got.grid_w:g} W instead of {expect}"
    if expect.get("no_reading") is True and expect.get("why", got) == got:
        return ""
    return f"no reading ({got}) instead of {expect}"


def read(given: Mapping[str, Any], payload: bytes) -> MeterReading | NoReading | None:
    """What one answer gives."""
    section = {"driver": "http_meter", "link": "meter", **given}
    options = HttpMeterOptions.model_validate(section)
    return Rounds(options.terms(), options, options.format).take(options.target, payload, 0.0)


def _payload(vector: Mapping[str, Any]) -> bytes:
    if "payload_hex" in vector:
        return bytes.fromhex(vector["payload_hex"])
    return str(vector["payload"]).encode()
