"""A simulated web server that answers in whatever shape the options expect."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from gridzero.ports.twins import World
from gridzero_drivers.http_meter.options import HttpMeterOptions
from gridzero_drivers.metering.path import OneOf, Path, put
from gridzero_drivers.metering.places import Term
from gridzero_drivers.metering.sml import list_of

_EPOCH_S = 1_700_000_000.0


class HttpMeterTwin:
    """Measures the world's grid power when it is asked.

    Knobs: silent (does not answer), garbage (a body sent instead), noise_w (standard deviation).
    """

    def __init__(self, options: HttpMeterOptions, world: World, seed: int = 0) -> None:
        self.silent = False
        self.garbage: bytes | None = None
        self.noise_w = 2.0
        self.asked: list[str] = []
        self._request, self._format = options.target, options.format
        self._terms = options.terms()
        self._world = world
        self._random = Random(seed)

    def answer(self, target: str) -> bytes:
        """See ports.twins.HttpTwin."""
        if self.silent or target != self._request:
            raise OSError(target)
        self.asked = [*self.asked[-99:], target]
        if self.garbage is not None:
            return self.garbage
        power_w = round(self._world.grid_w + self._random.gauss(0, self.noise_w))
        return self._sml(power_w) if self._format == "sml" else self._json(power_w)

    def _sml(self, power_w: int) -> bytes:
        tenths = {_code(term.path): round(10 * _value(term, power_w)) for term in self._terms}
        return list_of(tenths, scaler=-1, seconds=int(self._world.now_s))

    def _json(self, power_w: int) -> bytes:
        document: Any = None
        for term in self._terms:
            document = put(document, term.path or (), _value(term, power_w))
            if term.time_path:
                stamp_s = round(_EPOCH_S + self._world.now_s, 3)
                document = put(document, term.time_path, stamp_s)
        return json.dumps(document).encode()


def _code(path: Path | None) -> str:
    first = path[0] if path else ""
    code = first.paths[0][0] if isinstance(first, OneOf) else first
    return str(code)


def _value(term: Term, power_w: int) -> float:
    value = round(power_w / term.factor, 6)
    return max(value, 0.0) if term.one_sided else value
